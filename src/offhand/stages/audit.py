"""Draw results for a person to check, keep the answers, and say how often results are wrong."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence

import numpy as np

from offhand.annotations.audits import (
    CANNOT_TELL,
    Answer,
    Audit,
    CountItem,
    Item,
    MemberItem,
    StratumSize,
    read_file,
    there,
    update_file,
)
from offhand.clustering.fusion import LateFusion
from offhand.errors import OffhandError
from offhand.evaluation.audit import Assessment, Part, Stratum, draw, error_rate, weighted_mean
from offhand.records import FloatArray
from offhand.stages.audit_items import count_strata, held, member_strata, results
from offhand.store.workspace import Workspace

logger = logging.getLogger(__name__)

Folder = str | os.PathLike[str]
Strata = Mapping[str, Sequence[Item]]


def draw_audit(
    out: Folder, n: int, *, seed: int = 0, modality: str = LateFusion.name, again: bool = False
) -> Audit:
    """Draw a sample of counts and cluster members, and write it into the workspace.

    Answers given before to items that are drawn again are kept.

    Parameters
    ----------
    out
        Folder of a finished workspace.
    n
        Items to draw: half of them counts, half members, as far as there are so many.
    seed
        Makes the choice repeatable; a larger sample with the same seed holds a smaller one.
    modality
        Whose pooled clusters are checked, with its default clusterer.
    again
        Replace a sample drawn with other arguments, though it has answers.

    Raises
    ------
    OffhandError
        There is nothing to draw from, the sample is too small, or it would replace another one.
    """
    workspace = Workspace(out)
    found, n_edits = results(workspace)
    counts: Strata = count_strata(found)
    members: Strata = member_strata(found, modality)
    n_counts, n_members = _shares(counts, members, n)
    drawn = Audit(
        n=n,
        seed=seed,
        modality=modality,
        n_edits=n_edits,
        strata=tuple(
            StratumSize(kind=items[0].kind, stratum=name, size=len(items))
            for strata in (counts, members)
            for name, items in strata.items()
        ),
        items=(*_drawn(counts, n_counts, seed), *_drawn(members, n_members, seed)),
    )
    return update_file(workspace.path, lambda before: _joined(before, drawn, again=again))


def read_audit(out: Folder) -> Audit:
    """Return the audit of a workspace; OffhandError where none was drawn, or it is damaged."""
    folder = Workspace(out).path
    return there(folder, read_file(folder))


def answer(out: Folder, item_id: str, value: Answer) -> Audit:
    """Save the answer to one item at once, and return the audit.

    Raises
    ------
    ValueError
        There is no such item, or the answer is none that it allows.
    OffhandError
        There is no audit, or it cannot be read or written.
    """
    folder = Workspace(out).path
    return update_file(folder, lambda audit: there(folder, audit).answered(item_id, value))


def stale(out: Folder, audit: Audit) -> frozenset[str]:
    """Return the names of items that the results no longer hold, as another run changed them.

    Corrections made after the draw do not count: they may be what the audit brought to light.
    """
    found, _ = results(Workspace(out), n_edits=audit.n_edits)
    return frozenset({item.id for item in audit.items} - held(found, audit.items))


def assess(out: Folder, audit: Audit) -> Assessment:
    """Return what the answers so far say; stale items are left out."""
    gone = stale(out, audit)
    counts = [item for item in audit.items if isinstance(item, CountItem)]
    members = [item for item in audit.items if isinstance(item, MemberItem)]
    pairs = {
        item.id: (item.count, item.answer)
        for item in counts
        if isinstance(item.answer, int) and item.id not in gone
    }
    wrong = {name for name, (count, true) in pairs.items() if abs(count - true) > 1}
    wrong |= {item.id for item in members if item.answer == "no"}
    weights = _weights(audit, [item for item in counts if item.id in pairs])
    counted, true = np.array(list(pairs.values()), np.float64).reshape(-1, 2).T
    off, repeats = np.abs(counted - true), true > 0
    return Assessment(
        counts=_part(audit, counts, gone, wrong),
        members=_part(audit, members, gone, wrong),
        exact=weighted_mean((off == 0).astype(np.float64), weights),
        within_one=weighted_mean((off <= 1).astype(np.float64), weights),
        relative_error=weighted_mean(off[repeats] / true[repeats], weights[repeats]),
    )


def _shares(counts: Strata, members: Strata, n: int) -> tuple[int, int]:
    """Return how many counts and members to draw: as many of each, where there are so many."""
    n_counts, n_members = (sum(map(len, strata.values())) for strata in (counts, members))
    if not n_counts + n_members:
        raise OffhandError("there is nothing to check: no count is accepted, and no cluster found")
    if n < len(counts) + len(members):
        raise OffhandError(
            f"a sample of {n} is too small: it takes {len(counts) + len(members)} or more, one of "
            f"each of {len(counts)} strata of counts and {len(members)} clusters"
        )
    share = max(n - n // 2, len(counts), n - n_members)
    share = min(share, n_counts, n - len(members))
    return share, n - share


def _drawn(strata: Strata, n: int, seed: int) -> list[Item]:
    """Return drawn items so that any first part of them is spread over the strata."""
    chosen = draw([len(items) for items in strata.values()], n, seed)
    placed = [
        ((rank + 0.5) / len(places), stratum, items[place])
        for stratum, (items, places) in enumerate(zip(strata.values(), chosen, strict=True))
        for rank, place in enumerate(places.tolist())
    ]
    return [item for _, _, item in sorted(placed, key=lambda entry: entry[:2])]


def _joined(before: Audit | None, drawn: Audit, *, again: bool) -> Audit:
    """Return a new sample with the answers that an earlier one has."""
    if before is None:
        return drawn
    known = {item.id: item for item in before.items if item.answer is not None}
    arguments = [(one.n, one.seed, one.modality) for one in (before, drawn)]
    if known and not again and arguments[0] != arguments[1]:
        raise OffhandError(
            f"a sample of {before.n} (seed {before.seed}, {before.modality}) with {len(known)} "
            "answers is there; --again draws another one, and drops answers to what is not in it"
        )
    kept = [
        item.id
        for item in drawn.items
        if item.id in known
        and item == known[item.id].model_copy(update={"stratum": item.stratum, "answer": None})
    ]
    if len(kept) < len(known):
        logger.warning("%d answers dropped, to what is not in the sample", len(known) - len(kept))
    for name in kept:
        drawn = drawn.answered(name, known[name].answer)
    return drawn


def _part(audit: Audit, items: Sequence[Item], gone: frozenset[str], wrong: set[str]) -> Part:
    fresh = [item for item in items if item.id not in gone]
    checked = [item for item in fresh if item.answer not in (None, CANNOT_TELL)]
    strata = [
        Stratum(
            n_population=one.size,
            n_checked=sum(item.stratum == one.stratum for item in checked),
            n_wrong=sum(i.stratum == one.stratum and i.id in wrong for i in checked),
        )
        for one in audit.strata
        if items and one.kind == items[0].kind
    ]
    return Part(
        n_drawn=len(items),
        n_open=sum(item.answer is None for item in fresh),
        n_stale=len(items) - len(fresh),
        n_cannot_tell=sum(item.answer == CANNOT_TELL for item in fresh),
        error=error_rate(strata),
    )


def _weights(audit: Audit, checked: Sequence[CountItem]) -> FloatArray:
    """Return how many counts each checked one stands for."""
    sizes = {one.stratum: one.size for one in audit.strata if one.kind == "count"}
    names = [item.stratum for item in checked]
    return np.array([sizes[name] / names.count(name) for name in names], np.float64)
