"""The kinds of edits, and the log that keeps them.

An edit names what it is about by time, not by number: a cluster by stretches of video that lie in
it, a bout or a segment by its interval. So it finds the same thing again after another run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from offhand.annotations.document import Record, in_words, locked, read_document, write_document
from offhand.errors import StoreError

FILE_NAME = "annotations.json"

FORMAT = 1
"""Version of the file's schema."""

LONGEST_NAME = 300

Time = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Stretch(Record):
    """A half-open interval of a clip, in seconds of the recording."""

    clip_id: str
    start_s: Time
    stop_s: Time

    @model_validator(mode="after")
    def _ordered(self) -> Stretch:
        if not self.stop_s > self.start_s:
            raise ValueError(f"the stretch ends at {self.stop_s} s, not after {self.start_s} s")
        return self


class ClusterRef(Record):
    """A pooled cluster.

    Attributes
    ----------
    label
        Its number when the edit was made: for readers, and to anchor a new edit.
    exemplars
        Stretches that lay in it, one a clip: how it is found again.
    """

    modality: str
    clusterer: str
    label: Annotated[int, Field(ge=0)]
    exemplars: tuple[Stretch, ...] = ()


class _Edit(Record):
    made: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


class Name(_Edit):
    """Call a cluster by a name; an empty one takes the name away.

    Attributes
    ----------
    replaces
        The name that it had when this one was given, empty for none: another name that it has
        instead, after another run, is one that nobody saw.
    """

    kind: Literal["name"] = "name"
    cluster: ClusterRef
    name: Annotated[str, Field(max_length=LONGEST_NAME)]
    replaces: Annotated[str, Field(max_length=LONGEST_NAME)] = ""


class Mark(_Edit):
    """Say what a cluster is: an activity, no work, or nothing to show."""

    kind: Literal["mark"] = "mark"
    cluster: ClusterRef
    status: Literal["activity", "not work", "hidden"]


class Merge(_Edit):
    """Put all of a cluster into another one of the same clustering."""

    kind: Literal["merge"] = "merge"
    cluster: ClusterRef
    into: ClusterRef

    @model_validator(mode="after")
    def _of_one_clustering(self) -> Merge:
        ours, theirs = (self.cluster, self.into)
        if (ours.modality, ours.clusterer) != (theirs.modality, theirs.clusterer):
            raise ValueError("clusters of different modalities or clusterers cannot be merged")
        if ours.label == theirs.label:
            raise ValueError(f"cluster C{ours.label} cannot be merged into itself")
        return self


class Split(_Edit):
    """Take some segments of a cluster out, as a cluster of their own."""

    kind: Literal["split"] = "split"
    cluster: ClusterRef
    segments: Annotated[tuple[Stretch, ...], Field(min_length=1)]
    name: Annotated[str, Field(max_length=LONGEST_NAME)] = ""


class Boundary(_Edit):
    """Move the boundary between two segments of a clip."""

    kind: Literal["boundary"] = "boundary"
    clip_id: str
    from_s: Time
    to_s: Time


class Count(_Edit):
    """Give the number of repetitions in a stretch; ``None`` says that it cannot be counted."""

    kind: Literal["count"] = "count"
    stretch: Stretch
    count: Annotated[int, Field(ge=0, le=1_000_000)] | None


Edit = Annotated[Name | Mark | Merge | Split | Boundary | Count, Field(discriminator="kind")]

_EDIT: TypeAdapter[Edit] = TypeAdapter(Edit)


@dataclass(frozen=True, kw_only=True)
class Log:
    """Edits in the order they were made, and those undone, the last one undone at the end."""

    edits: tuple[Edit, ...] = ()
    undone: tuple[Edit, ...] = ()

    def added(self, edit: Edit) -> Log:
        """Return the log with one more edit; what was undone is gone."""
        return Log(edits=(*self.edits, edit))

    def undo(self) -> Log:
        """Return the log without its last edit; the same log if there is none."""
        if not self.edits:
            return self
        return Log(edits=self.edits[:-1], undone=(*self.undone, self.edits[-1]))

    def redo(self) -> Log:
        """Return the log with the edit undone last; the same log if there is none."""
        if not self.undone:
            return self
        return replace(self, edits=(*self.edits, self.undone[-1]), undone=self.undone[:-1])


def parse_edit(content: object) -> Edit:
    """Return an edit from plain data, such as a parsed JSON object.

    Raises
    ------
    ValueError
        It is none; the message says what is wrong.
    """
    try:
        return _EDIT.validate_python(content, strict=False)
    except ValidationError as error:
        raise ValueError(in_words(error)) from error


def read_log(folder: Path) -> Log:
    """Return the log of a workspace, an empty one where nobody edited anything.

    Raises
    ------
    StoreError
        The file is damaged, or of a newer offhand; it is left as it is.
    """
    path = folder / FILE_NAME
    content = read_document(path, version=FORMAT)
    if content is None:
        return Log()
    try:
        edits, undone = (
            tuple(_EDIT.validate_python(entry) for entry in content.get(name, []))
            for name in ("edits", "undone")
        )
    except (ValidationError, TypeError) as error:
        said = in_words(error) if isinstance(error, ValidationError) else str(error)
        raise StoreError(f"{path}: an edit is damaged ({said}); mend or move the file") from error
    return Log(edits=edits, undone=undone)


def update_log(folder: Path, change: Callable[[Log], Log]) -> Log:
    """Change the log of a workspace, whole or not at all, and return what it is now.

    Raises
    ------
    StoreError
        As :func:`read_log`, or the file cannot be written.
    """
    path = folder / FILE_NAME
    with locked(path):
        log = change(read_log(folder))
        parts = {"edits": log.edits, "undone": log.undone}
        content = {
            name: [edit.model_dump(mode="json") for edit in own] for name, own in parts.items()
        }
        write_document(path, {"format": FORMAT, **content})
    return log
