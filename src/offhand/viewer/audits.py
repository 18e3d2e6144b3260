"""The sample that a person checks, for the viewer's script."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offhand.annotations.audits import MemberItem, read_file
from offhand.annotations.edits import Stretch
from offhand.clustering.fusion import LateFusion
from offhand.errors import OffhandError
from offhand.evaluation.audit import Part
from offhand.report.audit import question
from offhand.stages.audit import answer, assess, draw_audit, stale


class _Draw(BaseModel):
    model_config = ConfigDict(extra="forbid")
    n: int = Field(ge=1, le=10_000)
    modality: str = LateFusion.name
    again: bool = False


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    value: int | str | None


def audit_state(folder: Path) -> dict[str, Any]:
    """Return the items of a sample with their answers, and the error rates so far.

    What the run found is not in it: the person is to answer without. Without a sample there are no
    items.
    """
    audit = read_file(folder)
    if audit is None:
        return {"items": [], "rates": []}
    gone, found = stale(folder, audit), assess(folder, audit)
    return {
        "items": [
            {
                "id": item.id,
                "kind": item.kind,
                "question": question(item),
                "stretch": _stretch(item.stretch),
                "exemplar": _stretch(item.exemplar) if isinstance(item, MemberItem) else None,
                "answer": item.answer,
                "stale": item.id in gone,
            }
            for item in audit.items
        ],
        "rates": [
            _rate("counts off by more than one", found.counts),
            _rate("segments of another activity", found.members),
        ],
    }


def draw(folder: Path, content: object) -> dict[str, Any]:
    """Draw a sample as a request asks for it; ValueError where it asks for something else."""
    try:
        wanted = _Draw.model_validate(content)
        draw_audit(folder, wanted.n, modality=wanted.modality, again=wanted.again)
    except ValidationError as error:
        raise ValueError("a sample needs n, the number of its items") from error
    except OffhandError as error:
        raise ValueError(str(error)) from error
    return audit_state(folder)


def give(folder: Path, content: object) -> dict[str, Any]:
    """Save an answer at once; ValueError where it is none."""
    try:
        given = _Answer.model_validate(content)
    except ValidationError as error:
        raise ValueError("an answer needs id and value") from error
    answer(folder, given.id, given.value)
    return audit_state(folder)


def _stretch(one: Stretch) -> dict[str, Any]:
    return {"clip": one.clip_id, "start": one.start_s, "stop": one.stop_s}


def _rate(name: str, part: Part) -> dict[str, Any]:
    error = part.error
    figures = {"rate": error.rate, "low": error.low, "high": error.high}
    return {
        "name": name,
        "checked": error.n_checked,
        "wrong": error.n_wrong,
        "open": part.n_open,
        "cannotTell": part.n_cannot_tell,
        **{key: value if math.isfinite(value) else None for key, value in figures.items()},
    }
