"""Result tables as a person corrected them: a log of edits, applied in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from offhand.annotations.edits import (
    Boundary,
    ClusterRef,
    Count,
    Edit,
    Log,
    Mark,
    Merge,
    Name,
    Split,
    Stretch,
)
from offhand.records import FloatArray

BY_HAND = "rejected by hand"
"""Reason of a bout that a person says cannot be counted."""

MOST_OF = 0.5
"""Share of a cluster's exemplars, or of a bout (as intersection over union), that must be met."""

BOUNDARY_TOLERANCE_S = 0.5
SHORTEST_SEGMENT_S = 0.1

ClusterKey = tuple[str, str, int]
"""Modality, clusterer and label of a pooled cluster."""


class ConflictError(ValueError):
    """An edit does not fit the results; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """An edit that could not be applied as it was meant.

    Attributes
    ----------
    edit
        Its position in the log.
    text
        The edit and what stands in its way, in words.
    """

    edit: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """Result tables with all edits applied.

    Attributes
    ----------
    segments, labels, exemplars, repetitions
        Like the tables of these names; ``repetitions`` has the column ``by_hand`` too.
    names, statuses
        What a person calls a cluster, and says it is (``not work`` or ``hidden``).
    edited
        Clusters whose members a person changed: figures of the run no longer hold for them.
    conflicts
        Edits that do not fit.
    """

    segments: pd.DataFrame
    labels: pd.DataFrame
    exemplars: pd.DataFrame
    repetitions: pd.DataFrame
    names: dict[ClusterKey, str]
    statuses: dict[ClusterKey, str]
    edited: frozenset[ClusterKey]
    conflicts: tuple[Conflict, ...]

    def anchored(self, edit: Edit) -> Edit:
        """Return an edit whose clusters carry the exemplars by which they are found again.

        Raises
        ------
        ConflictError
            A cluster of the edit does not exist.
        """
        named = {"cluster", "into"} & set(type(edit).model_fields)
        update: dict[str, object] = {
            name: self._anchored_ref(getattr(edit, name)) for name in named
        }
        if isinstance(edit, Name):
            ref = edit.cluster
            update["replaces"] = self.names.get((ref.modality, ref.clusterer, ref.label), "")
        return edit.model_copy(update=update)

    def _anchored_ref(self, ref: ClusterRef) -> ClusterRef:
        rows = _pooled(self.labels, ref)
        rows = rows[rows["label"] == ref.label].merge(
            self.segments, on=["clip_id", "segment_id"], suffixes=("_label", "")
        )
        if not len(rows):
            raise ConflictError(f"{ref.modality} ({ref.clusterer}) has no cluster C{ref.label}")
        own = _pooled(self.exemplars, ref)
        shown = set(zip(own["clip_id"], own["segment_id"], strict=True))
        keys = zip(rows["clip_id"], rows["segment_id"], strict=True)
        rows = rows.assign(
            is_shown=[key in shown for key in keys], seconds=rows["stop_s"] - rows["start_s"]
        )
        order = ["is_shown", "seconds"]
        first = rows.sort_values(order, ascending=False, kind="stable").groupby("clip_id").head(1)
        first = first.sort_values("clip_id")
        columns = (first[name].tolist() for name in ("clip_id", "start_s", "stop_s"))
        exemplars = tuple(
            Stretch(clip_id=clip_id, start_s=start_s, stop_s=stop_s)
            for clip_id, start_s, stop_s in zip(*columns, strict=True)
        )
        return ref.model_copy(update={"exemplars": exemplars})


def corrected(
    log: Log,
    *,
    segments: pd.DataFrame,
    labels: pd.DataFrame,
    exemplars: pd.DataFrame,
    repetitions: pd.DataFrame,
) -> Corrected:
    """Apply a log of edits to result tables.

    Parameters
    ----------
    log
        The edits.
    segments, labels, exemplars, repetitions
        The tables of these names, as the run wrote them; they are not changed.

    Returns
    -------
    Corrected
        The tables, and the edits that could not be applied: an edit that meets other results than
        it was made for is left out, never bent.
    """
    state = _State(segments, labels, exemplars, repetitions)
    conflicts = []
    for place, edit in enumerate(log.edits):
        try:
            state.apply(edit)
        except ConflictError as error:
            conflicts.append(Conflict(edit=place, text=f"{in_words(edit)}: {error}"))
    return state.result([*conflicts, *state.doubtful_names(log)])


def in_words(edit: Edit) -> str:
    """Return an edit as a short phrase."""
    match edit:
        case Name():
            return f"name C{edit.cluster.label} of {edit.cluster.modality} “{edit.name}”"
        case Mark():
            return f"mark C{edit.cluster.label} of {edit.cluster.modality} as {edit.status}"
        case Merge():
            ours, theirs = edit.cluster, edit.into
            return f"merge C{ours.label} of {ours.modality} into C{theirs.label}"
        case Split():
            n, ours = len(edit.segments), edit.cluster
            segments = "segment" if n == 1 else "segments"
            return f"split {n} {segments} off C{ours.label} of {ours.modality}"
        case Boundary():
            return f"move the boundary of {edit.clip_id} from {edit.from_s:.1f} s"
        case Count():
            where = edit.stretch
            return f"count of {where.clip_id} from {where.start_s:.1f} s to {where.stop_s:.1f} s"


class _State:
    """The tables while edits are applied to them."""

    def __init__(
        self,
        segments: pd.DataFrame,
        labels: pd.DataFrame,
        exemplars: pd.DataFrame,
        repetitions: pd.DataFrame,
    ) -> None:
        self.segments = segments.reset_index(drop=True)
        self.labels = labels.reset_index(drop=True)
        self.exemplars = exemplars.reset_index(drop=True)
        self.repetitions = repetitions.reset_index(drop=True).assign(by_hand=False)
        self.names: dict[ClusterKey, str] = {}
        self.statuses: dict[ClusterKey, str] = {}
        self.edited: set[ClusterKey] = set()
        self._doubtful: dict[ClusterKey, tuple[Name, str]] = {}

    def apply(self, edit: Edit) -> None:
        match edit:
            case Name():
                self._name(self._found(edit.cluster), edit)
            case Mark():
                self._mark(self._found(edit.cluster), edit.status)
            case Merge():
                self._merge(self._found(edit.cluster), self._found(edit.into))
            case Split():
                self._split(self._found(edit.cluster), edit)
            case Boundary():
                self._move(edit)
            case Count():
                self._count(edit)

    def result(self, conflicts: Sequence[Conflict]) -> Corrected:
        return Corrected(
            segments=self.segments,
            labels=self.labels,
            exemplars=self.exemplars,
            repetitions=self.repetitions,
            names=self.names,
            statuses=self.statuses,
            edited=frozenset(self.edited),
            conflicts=tuple(conflicts),
        )

    def doubtful_names(self, log: Log) -> list[Conflict]:
        """Return a conflict for each cluster that was given two names by people who saw one."""
        return [
            Conflict(
                edit=log.edits.index(edit),
                text=f"{in_words(edit)}: C{key[2]} was named “{known}” too, the later name stands",
            )
            for key, (edit, known) in self._doubtful.items()
        ]

    def _found(self, ref: ClusterRef) -> ClusterKey:
        """Return the cluster that holds most of the exemplars' time."""
        if not ref.exemplars:
            raise ConflictError("the cluster has no exemplar by which it could be found")
        rows = _pooled(self.labels, ref)[["clip_id", "segment_id", "label"]]
        rows = rows.merge(self.segments, on=["clip_id", "segment_id"])
        seconds: dict[int, float] = {}
        for stretch in ref.exemplars:
            own = rows[rows["clip_id"] == stretch.clip_id]
            for label, shared in zip(own["label"], _shared_s(own, stretch), strict=True):
                seconds[int(label)] = seconds.get(int(label), 0.0) + float(shared)
        total_s = sum(stretch.stop_s - stretch.start_s for stretch in ref.exemplars)
        best = max((label for label in seconds if label >= 0), key=seconds.__getitem__, default=-1)
        if best < 0 or seconds[best] <= MOST_OF * total_s:
            raise ConflictError("no cluster of these results holds most of its exemplars")
        return ref.modality, ref.clusterer, best

    def _name(self, key: ClusterKey, edit: Name) -> None:
        name, known = edit.name.strip(), self.names.pop(key, "")
        self._doubtful.pop(key, None)
        if name:
            self.names[key] = name
        if known not in ("", name, edit.replaces):
            self._doubtful[key] = edit, known

    def _mark(self, key: ClusterKey, status: str) -> None:
        self.statuses.pop(key, None)
        if status != "activity":
            self.statuses[key] = status

    def _merge(self, key: ClusterKey, into: ClusterKey) -> None:
        if key == into:
            raise ConflictError(f"both are one cluster now, C{key[2]}")
        both = [self.exemplars[_is_of(self.exemplars, one)] for one in (into, key)]
        shown = pd.concat(both).sort_values("is_medoid", ascending=False, kind="stable")
        spare = shown.index[shown.duplicated("clip_id")]
        for table in (self.labels, self.exemplars):
            table.loc[_is_of(table, key), "label"] = into[2]
        self.exemplars = self.exemplars.drop(spare).reset_index(drop=True)
        medoids = self.exemplars.index[_is_of(self.exemplars, into) & self.exemplars["is_medoid"]]
        self.exemplars.loc[medoids[1:], "is_medoid"] = False
        for notes in (self.names, self.statuses):
            note = notes.pop(key, None)
            if note is not None:
                notes.setdefault(into, note)
        self.edited.add(into)

    def _split(self, key: ClusterKey, edit: Split) -> None:
        own = self.labels[_is_of(self.labels, key)]
        places = own.reset_index().merge(self.segments, on=["clip_id", "segment_id"])
        taken = [_likest(places, stretch) for stretch in edit.segments]
        if len(set(taken)) == len(own):
            raise ConflictError("all of its segments would leave it")
        rows = _pooled(self.labels, edit.cluster)
        made = (key[0], key[1], int(rows["label"].max()) + 1)
        moved = places.loc[sorted(set(taken))]
        self.labels.loc[moved["index"], "label"] = made[2]
        gone = set(zip(moved["clip_id"], moved["segment_id"], strict=True))
        ours = self.exemplars[_is_of(self.exemplars, key)]
        pairs = zip(ours["clip_id"], ours["segment_id"], strict=True)
        self.exemplars.loc[ours.index[[pair in gone for pair in pairs]], "label"] = made[2]
        if edit.name.strip():
            self.names[made] = edit.name.strip()
        self.edited |= {key, made}

    def _move(self, edit: Boundary) -> None:
        own = self.segments[self.segments["clip_id"] == edit.clip_id].sort_values("start_s")
        starts = own["start_s"].to_numpy(np.float64)
        distance = np.abs(starts[1:] - edit.from_s)
        if not len(distance) or distance.min() > BOUNDARY_TOLERANCE_S:
            raise ConflictError(f"there is no boundary within {BOUNDARY_TOLERANCE_S} s of it")
        after = own.index[int(np.argmin(distance)) + 1]
        before = own.index[int(np.argmin(distance))]
        low = float(self.segments.loc[before, "start_s"]) + SHORTEST_SEGMENT_S
        high = float(self.segments.loc[after, "stop_s"]) - SHORTEST_SEGMENT_S
        if not low <= edit.to_s <= high:
            raise ConflictError(f"it must stay between {low:.1f} s and {high:.1f} s")
        self.segments.loc[before, "stop_s"] = edit.to_s
        self.segments.loc[after, "start_s"] = edit.to_s

    def _count(self, edit: Count) -> None:
        where = edit.stretch
        own = self.repetitions[self.repetitions["clip_id"] == where.clip_id]
        likeness = _likeness(own, where)
        if not len(own) or likeness.max() <= MOST_OF:
            raise ConflictError("no stretch of these results is the one that was counted")
        place = own.index[int(np.argmax(likeness))]
        said: dict[str, int | float | bool | str] = {
            "count": edit.count or 0,
            "by_hand": True,
            "accepted": edit.count is not None,
            "reason": "" if edit.count is not None else BY_HAND,
            "period_s": np.nan,
            "confidence": np.nan,
        }
        for column, value in said.items():
            self.repetitions.loc[place, column] = value
        times_s = self.repetitions["rep_times_s"].tolist()
        times_s[self.repetitions.index.get_loc(place)] = np.empty(0)
        self.repetitions["rep_times_s"] = pd.Series(
            times_s, index=self.repetitions.index, dtype=object
        )


def _pooled(table: pd.DataFrame, ref: ClusterRef) -> pd.DataFrame:
    return table[
        (table["scope"] == "pooled")
        & (table["modality"] == ref.modality)
        & (table["clusterer"] == ref.clusterer)
    ]


def _is_of(table: pd.DataFrame, key: ClusterKey) -> pd.Series[bool]:
    modality, clusterer, label = key
    return (
        (table["scope"] == "pooled")
        & (table["modality"] == modality)
        & (table["clusterer"] == clusterer)
        & (table["label"] == label)
    )


def _shared_s(rows: pd.DataFrame, stretch: Stretch) -> FloatArray:
    """Return how many seconds of a stretch each row's interval covers."""
    start = np.maximum(rows["start_s"].to_numpy(np.float64), stretch.start_s)
    stop = np.minimum(rows["stop_s"].to_numpy(np.float64), stretch.stop_s)
    return np.asarray(np.maximum(stop - start, 0.0), np.float64)


def _likeness(rows: pd.DataFrame, stretch: Stretch) -> FloatArray:
    """Return the intersection over union of each row's interval and a stretch."""
    shared = _shared_s(rows, stretch)
    length = (rows["stop_s"] - rows["start_s"]).to_numpy(np.float64)
    return np.asarray(shared / (length + stretch.stop_s - stretch.start_s - shared))


def _likest(rows: pd.DataFrame, stretch: Stretch) -> int:
    """Return the index of the row that a stretch is most of."""
    own = rows[rows["clip_id"] == stretch.clip_id]
    likeness = _likeness(own, stretch)
    if not len(own) or likeness.max() <= MOST_OF:
        at = f"{stretch.clip_id} at {stretch.start_s:.1f} s"
        raise ConflictError(f"its segment of {at} is not in the cluster any more")
    return int(own.index[int(np.argmax(likeness))])
