"""Exemplars: of each pooled cluster and clip the segment nearest its middle, with its pictures."""

from __future__ import annotations

import math

from offhand.report.tables import Tables
from offhand.report.thumbnails import Thumbnails
from offhand.report.view_clusters import Cell, Cluster
from offhand.report.wording import clock


class Exemplars:
    """Finds exemplars.

    Parameters
    ----------
    tables
        The workspace's tables.
    """

    def __init__(self, tables: Tables) -> None:
        self._table = tables.exemplars[tables.exemplars["scope"] == "pooled"]
        names = ("clip_id", "segment_id", "start_s", "stop_s")
        rows = zip(*(tables.segments[name].tolist() for name in names), strict=True)
        self._interval = {(clip, number): (start, stop) for clip, number, start, stop in rows}

    def of(self, modality: str, clusterer: str) -> dict[tuple[int, str], tuple[int, bool]]:
        """Return (segment, is medoid) by (label, clip) of one pooled clustering."""
        table = self._table
        rows = table[(table["modality"] == modality) & (table["clusterer"] == clusterer)]
        columns = (rows[c].tolist() for c in ("label", "clip_id", "segment_id", "is_medoid"))
        return {
            (label, clip_id): (segment_id, is_medoid)
            for label, clip_id, segment_id, is_medoid in zip(*columns, strict=True)
        }

    def cell(
        self,
        thumbnails: Thumbnails,
        cluster: Cluster,
        clip_id: str,
        segment_id: int,
        *,
        is_medoid: bool,
    ) -> Cell:
        """Return one segment with its pictures; an empty cell without a segment."""
        if segment_id < 0:
            return Cell()
        start_s, stop_s = self._interval.get((clip_id, segment_id), (math.nan, math.nan))
        return Cell(
            at_s=start_s,
            until_s=stop_s,
            is_medoid=is_medoid,
            image=thumbnails.key(clip_id, segment_id),
            preview=thumbnails.preview_key(clip_id, segment_id),
            image_alt=f"Frame of {clip_id}, segment at {clock(start_s)}, "
            f"typical of {cluster.title}",
        )
