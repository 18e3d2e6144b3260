"""In how much of each clip hands and bodies are found, and why where that is not known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from offhand.report.bounds import MOST_ROWS, some
from offhand.report.clusters import rows_of
from offhand.report.tables import Tables
from offhand.report.view import Coverage, CoverageRow, Gap, Share
from offhand.report.view_clusters import ClipName

LOW_SHARE = 0.5
FAILED = "the clip could not be analysed"
NOT_ASKED = "the configuration of this run leaves it out"
NO_SAMPLE = "none of the frames that were looked at could be used"


def coverage_view(tables: Tables, names: dict[str, ClipName]) -> Coverage:
    """Return the coverage of every clip, failed ones too.

    Parameters
    ----------
    tables
        The workspace's tables.
    names
        Name and anchor of each clip, by ``clip_id``.
    """
    rows = [
        CoverageRow(
            name=names[row["clip_id"]],
            detector=_share(row, "hand_coverage_detector"),
            tracker=_share(row, "hand_coverage_tracker"),
            pose=_share(row, "pose_coverage"),
        )
        for row in rows_of(tables.clips)
    ]
    signals = {str(row["signal"]): row for row in rows_of(tables.signals)}
    failed = set(tables.clips.loc[tables.clips["status"] == "failed", "clip_id"])
    hands = {row.name.clip_id: (row.detector, row.tracker) for row in rows}
    bodies = {row.name.clip_id: (row.pose,) for row in rows}
    tops = [max(_top(share) for share in shares) for shares in hands.values() if _known(shares)]
    anything = any(_known((row.detector, row.tracker, row.pose)) for row in rows)
    return Coverage(
        rows=some(rows, MOST_ROWS) if anything else (),
        n_clips=len(rows),
        detector=_values(row.detector for row in rows),
        tracker=_values(row.tracker for row in rows),
        pose=_values(row.pose for row in rows),
        gaps=_merged(
            [
                *_gaps("hands", hands, signals.get("hands"), failed),
                *_gaps("bodies", bodies, signals.get("pose"), failed),
            ]
        ),
        n_measured=len(tops),
        n_low=sum(top < LOW_SHARE for top in tops),
        hands_model=str(signals.get("hands", {}).get("weights", "")),
        pose_model=str(signals.get("pose", {}).get("weights", "")),
    )


def _share(row: dict[str, Any], column: str) -> Share:
    low, high = (float(row.get(f"{column}_{end}", math.nan)) for end in ("low", "high"))
    return Share(value=float(row[column]), low=low, high=high)


def _values(shares: Iterable[Share]) -> tuple[float, ...]:
    return tuple(share.value for share in shares if math.isfinite(share.value))


def _known(shares: tuple[Share, ...]) -> bool:
    return any(math.isfinite(share.value) for share in shares)


def _top(share: Share) -> float:
    """Return the upper end of a share, 0 where it is not known."""
    if math.isfinite(share.high):
        return share.high
    return share.value if math.isfinite(share.value) else 0.0


def _merged(gaps: list[Gap]) -> tuple[Gap, ...]:
    """Tell what is missing in the same clips for the same reason once."""
    found: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for gap in gaps:
        found.setdefault((gap.where, gap.reason), []).append(gap.what)
    return tuple(
        Gap(what=" and ".join(what), where=where, reason=reason)
        for (where, reason), what in found.items()
    )


def _gaps(
    what: str,
    shares: Mapping[str, tuple[Share, ...]],
    signal: dict[str, Any] | None,
    failed: set[str],
) -> Iterator[Gap]:
    """Name the clips in which something was not measured, by reason."""
    without = {
        clip_id
        for clip_id, found in shares.items()
        if not all(math.isfinite(share.value) for share in found)
    }
    if signal is None or signal["status"] != "computed":
        reason = str(signal["reason"]) if signal else NOT_ASKED
        yield Gap(what=what, where=(), reason=reason)
        return
    for reason, clips in ((FAILED, without & failed), (NO_SAMPLE, without - failed)):
        if clips:
            yield Gap(what=what, where=tuple(sorted(clips)), reason=reason)
