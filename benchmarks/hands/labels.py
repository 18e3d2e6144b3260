"""Hands that somebody saw: the labels, and what of them a detector finds."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from offhand.records import Signal
from offhand.signals.hands.boxes import MAX_HANDS, SAME_HAND, Box, overlap

LABELS = Path(__file__).parent / "labels.csv"

NEAREST_S = 0.002
"""Labels name times to a millisecond."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """One hand in one frame, as seen by eye."""

    box: Box
    whole: bool
    sharp: bool
    gloved: bool


@dataclass(frozen=True, kw_only=True)
class Found:
    """Counts over labelled frames."""

    frames: int = 0
    fired: int = 0
    frames_whole: int = 0
    fired_whole: int = 0
    whole: int = 0
    found_whole: int = 0
    hands: int = 0
    found: int = 0
    boxes: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(**{name: value + getattr(other, name) for name, value in vars(self).items()})


def read_labels(path: Path = LABELS) -> dict[str, dict[float, list[Label]]]:
    """Return the labels by file name of the clip, and by time."""
    labels: dict[str, dict[float, list[Label]]] = defaultdict(lambda: defaultdict(list))
    with path.open(newline="", encoding="utf-8") as opened:
        for row in csv.DictReader(opened):
            left, top, right, bottom = (
                float(row[edge]) for edge in ("left", "top", "right", "bottom")
            )
            labels[row["clip"]][float(row["time_s"])].append(
                Label(
                    box=Box(left=left, top=top, right=right, bottom=bottom),
                    whole=row["whole"] == "1",
                    sharp=row["sharp"] == "1",
                    gloved=row["gloved"] == "1",
                )
            )
    return {clip: dict(frames) for clip, frames in labels.items()}


def boxes_at(signal: Signal, prefix: str) -> dict[float, list[Box]]:
    """Return the boxes of a signal by time; ``prefix`` is ``hand`` or ``track``."""
    edges = [
        [signal.channel(f"{prefix}_{number}_{edge}") for edge in ("left", "top", "right", "bottom")]
        for number in range(1, MAX_HANDS + 1)
    ]
    found: dict[float, list[Box]] = {}
    for index, time_s in enumerate(signal.time_s.tolist()):
        rows = [[float(values[index]) for values in hand] for hand in edges]
        found[time_s] = [
            Box(left=row[0], top=row[1], right=row[2], bottom=row[3])
            for row in rows
            if row[0] == row[0]
        ]
    return found


def compare(
    boxes: Mapping[float, Sequence[Box]],
    labels: Mapping[float, Sequence[Label]],
    *,
    counts: Callable[[Label], bool] | None = None,
) -> Found:
    """Compare boxes with labels: a hand is found by a box with IoU of at least 0.3, one to one.

    ``counts`` chooses the labels that recall is measured on, all by default; precision looks at
    all of them.
    """
    total = Found()
    times = sorted(boxes)
    for time_s, hands in labels.items():
        nearest = min(times, key=lambda t: abs(t - time_s), default=float("inf"))
        if abs(nearest - time_s) > NEAREST_S:
            raise ValueError(f"no sample at {time_s} s; the nearest is at {nearest} s")
        seen = boxes[nearest]
        matched = match(seen, hands)
        wanted = [index for index, hand in enumerate(hands) if not counts or counts(hand)]
        whole = [index for index in wanted if hands[index].whole]
        total += Found(
            frames=bool(wanted),
            fired=bool(wanted) and bool(seen),
            frames_whole=bool(whole),
            fired_whole=bool(whole) and bool(seen),
            whole=len(whole),
            found_whole=len(matched & set(whole)),
            hands=len(wanted),
            found=len(matched & set(wanted)),
            boxes=len(seen),
        )
    return total


def match(boxes: Sequence[Box], labels: Sequence[Label]) -> set[int]:
    """Return which labels are found, best overlap first, each box for one label."""
    pairs = sorted(
        (
            (overlap(box, label.box), number, index)
            for number, box in enumerate(boxes)
            for index, label in enumerate(labels)
        ),
        reverse=True,
    )
    used: set[int] = set()
    found: set[int] = set()
    for shared, number, index in pairs:
        if shared >= SAME_HAND and number not in used and index not in found:
            used.add(number)
            found.add(index)
    return found
