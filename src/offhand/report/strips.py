"""Strips: the labels of each modality along a clip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from offhand.records import FloatArray
from offhand.report.bounds import largest
from offhand.report.clusters import by_time
from offhand.report.plots import percent_of
from offhand.report.tables import PLACE, IntArray, Tables
from offhand.report.view_clip import Block, Part, Portion, Strip
from offhand.report.view_clusters import Cluster, Modality
from offhand.report.wording import (
    NO_CLUSTER,
    NOT_OBSERVABLE,
    cluster_name,
    percent,
    plain,
)

NOISE, UNSEEN = -1, -2
NOWHERE = -(2**31)
"""Stands for the label of a segment that is not described."""

MOST_NAMED = 24
MOST_BLOCKS = 1000
"""Blocks in a strip. A long clip has more segments; a screen has not more columns."""


@dataclass(frozen=True, kw_only=True)
class _Labels:
    """One clustering's labels, ``(n,)`` each, in the order of the segments' places."""

    place: IntArray
    label: IntArray
    described: npt.NDArray[np.bool_]

    def between(self, first: int, last: int) -> _Labels | None:
        """Return those of the segments from one place to before another; None without any."""
        low, high = np.searchsorted(self.place, (first, last))
        if low == high:
            return None
        return _Labels(
            place=self.place[low:high],
            label=self.label[low:high],
            described=self.described[low:high],
        )


class Strips:
    """Builds the strips of clips, in the order and with the default clusterers of the ranking.

    Parameters
    ----------
    tables
        The workspace's tables.
    modalities
        In the order of the report.
    """

    def __init__(self, tables: Tables, modalities: tuple[Modality, ...]) -> None:
        self._segments = tables.segments
        self._start_s, self._stop_s = (
            tables.segments[end].to_numpy(np.float64) for end in ("start_s", "stop_s")
        )
        ids, first = np.unique(tables.segments["clip_id"].to_numpy(object), return_index=True)
        ends = np.append(first, len(tables.segments))[1:].tolist()
        places = zip(first.tolist(), ends, strict=True)
        self._range: dict[str, tuple[int, int]] = dict(zip(ids.tolist(), places, strict=True))
        self._pairs = [(m.name, m.default.clusterer) for m in modalities]
        self._pooled = {m.name: {c.label: c for c in m.default.clusters} for m in modalities}
        self._everywhere = {pair: _labels_of(tables.pooled(*pair)) for pair in self._pairs}
        self._within = {pair: _labels_of(tables.within(*pair)) for pair in self._pairs}

    def n_segments(self, clip_id: str) -> int:
        """Return how many segments a clip has."""
        first, last = self._range.get(clip_id, (0, 0))
        return last - first

    def segments(self, clip_id: str) -> pd.DataFrame:
        """Return a clip's rows of the table ``segments``."""
        first, last = self._range.get(clip_id, (0, 0))
        return self._segments.iloc[first:last]

    def parts(self, clip_id: str, *, most: int) -> tuple[Part, ...]:
        """Return the clusters with most of a clip's time, of the modality that leads."""
        if not self._pairs:
            return ()
        labels = self._everywhere[self._pairs[0]].between(*self._range.get(clip_id, (0, 0)))
        if labels is None:
            return ()
        seconds = (self._stop_s - self._start_s)[labels.place]
        total_s = float(seconds.sum())
        known = self._pooled[self._pairs[0][0]]
        return tuple(
            Part(known[label].colour, known[label].title, own_s / total_s)
            for label, own_s, _ in by_time(labels.label, seconds)[:most]
            if total_s > 0
        )

    def pooled(self, clip_id: str, start_s: float, stop_s: float) -> tuple[Strip, ...]:
        """Return strips of the clustering over all clips: a colour means the same in every clip."""
        return tuple(
            self._strip(
                pair,
                self._everywhere[pair].between(*self._range.get(clip_id, (0, 0))),
                self._pooled[pair[0]],
                (start_s, stop_s),
            )
            for pair in self._pairs
        )

    def within(self, clip_id: str, start_s: float, stop_s: float) -> tuple[Strip, ...]:
        """Return strips of the clustering of this clip alone, where there is one."""
        found = (
            (pair, self._within[pair].between(*self._range.get(clip_id, (0, 0))))
            for pair in self._pairs
        )
        return tuple(
            self._strip(pair, labels, None, (start_s, stop_s))
            for pair, labels in found
            if labels is not None
        )

    def _strip(
        self,
        pair: tuple[str, str],
        labels: _Labels | None,
        everywhere: dict[int, Cluster] | None,
        axis: tuple[float, float],
    ) -> Strip:
        modality, clusterer = pair
        if labels is None or not labels.described.any():
            return Strip(
                modality=modality,
                clusterer=clusterer,
                blocks=(),
                legend=(),
                noise_share=math.nan,
                unseen_share=math.nan,
                n_clusters=0,
                n_segments=0,
                alt=f"{plain(modality)}: {NOT_OBSERVABLE}",
            )
        start_s, stop_s = self._start_s[labels.place], self._stop_s[labels.place]
        legend = _legend(labels.label, stop_s - start_s, everywhere)
        unseen_share = float((~labels.described).mean())
        noise_share = float(((labels.label < 0) & labels.described).mean())
        known = {portion.cluster.label: portion.cluster for portion in legend}
        shares = [f"{p.cluster.title} {percent(p.share)}" for p in legend[:MOST_NAMED]]
        shares = shares or [NO_CLUSTER]
        blocks, n_joined = _blocks(labels, start_s, stop_s, known, axis)
        return Strip(
            modality=modality,
            clusterer=clusterer,
            blocks=blocks,
            legend=legend,
            noise_share=noise_share,
            unseen_share=unseen_share,
            n_clusters=len(legend),
            n_segments=len(labels.label),
            alt=f"{plain(modality)} along the clip, share of its time: {', '.join(shares)}; "
            f"noise {percent(noise_share)} of {len(labels.label)} segments, "
            f"not observable {percent(unseen_share)}",
            n_joined=n_joined,
        )


def _labels_of(table: pd.DataFrame) -> _Labels:
    return _Labels(
        place=table[PLACE].to_numpy(np.int64),
        label=table["label"].to_numpy(np.int64),
        described=table["described"].to_numpy(np.bool_),
    )


def _legend(
    label: IntArray, seconds: FloatArray, everywhere: dict[int, Cluster] | None
) -> tuple[Portion, ...]:
    """Return the clusters of a clip with their sizes there, the most time first.

    Colour, name and facts are those over all clips; of the clip alone where there are none.
    """
    total_s = float(seconds.sum())
    return tuple(
        Portion(
            _unknown(own, place) if everywhere is None else everywhere[own],
            n_segments,
            own_s,
            own_s / total_s if total_s else math.nan,
        )
        for place, (own, own_s, n_segments) in enumerate(by_time(label, seconds))
    )


@cache
def _unknown(label: int, colour: int) -> Cluster:
    """Return a cluster of one clip, of which no more than its number is known."""
    return Cluster(
        label=label,
        name=cluster_name(label),
        colour=colour,
        n_segments=0,
        n_clips=1,
        seconds=0.0,
        time_share=0.0,
        facts=(),
    )


def _blocks(
    labels: _Labels,
    start_s: FloatArray,
    stop_s: FloatArray,
    known: dict[int, Cluster],
    axis: tuple[float, float],
) -> tuple[tuple[Block, ...], int]:
    """Return the blocks of a strip, and how many there were after joining (0: none was joined)."""
    label, described = labels.label, labels.described
    n_joined = 0
    if len(label) > MOST_BLOCKS:
        differs = (np.diff(label) != 0) | (np.diff(described) != 0) | (start_s[1:] > stop_s[:-1])
        first = np.flatnonzero(np.concatenate(([True], differs)))
        last = np.append(first[1:], len(label)) - 1
        n_joined = len(first)
        shown = np.array(largest((stop_s[last] - start_s[first]).tolist(), MOST_BLOCKS))
        first, last = first[shown], last[shown]
        label, described = label[first], described[first]
        start_s, stop_s = start_s[first], stop_s[last]
    looks = {own: (c.colour, c.name, c.called) for own, c in known.items()}
    shown = np.where(described | (label >= 0), label, NOWHERE)
    for own in np.unique(shown[shown < 0]).tolist():
        looks[own] = (
            (UNSEEN, NOT_OBSERVABLE, "") if own == NOWHERE else (NOISE, cluster_name(own), "")
        )
    colours, names, called = zip(*map(looks.__getitem__, shown.tolist()), strict=True)
    left = percent_of(start_s, *axis)
    width = percent_of(stop_s, *axis) - left
    columns = (column.tolist() for column in (left, width, start_s, stop_s))
    lefts, widths, starts, stops = columns
    return tuple(map(Block, lefts, widths, colours, names, called, starts, stops)), n_joined
