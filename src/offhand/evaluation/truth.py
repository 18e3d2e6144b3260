"""Ground truth of clips: activities in time, and repetitions where they are known."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from offhand.errors import OffhandError
from offhand.records import FloatArray

TIER = "activity"
"""Tier of an ELAN file that holds activities; else the first one with intervals is read."""

COLUMNS = ("clip", "start_s", "stop_s", "label")
"""Columns of a CSV table."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A true interval of one activity.

    Attributes
    ----------
    activity
        Its name.
    start_s, stop_s
        Half-open.
    period_s
        Mean cycle time, NaN where it is not known.
    rep_times_s
        Times of repetitions; empty where there are none, or none are known.
    """

    activity: str
    start_s: float
    stop_s: float
    period_s: float = math.nan
    rep_times_s: FloatArray


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The truth of one clip.

    Attributes
    ----------
    blocks
        In order of time, without overlap; they need not cover the clip.
    has_repetitions
        Whether repetitions are known.
    """

    blocks: tuple[Block, ...]
    has_repetitions: bool

    @property
    def start_s(self) -> FloatArray:
        """Starts of the blocks."""
        return np.array([block.start_s for block in self.blocks], np.float64)

    @property
    def stop_s(self) -> float:
        """End of the last block."""
        return self.blocks[-1].stop_s

    @property
    def boundaries_s(self) -> FloatArray:
        """Times at which an activity starts or stops, the first and the last left out."""
        edges = {time for block in self.blocks for time in (block.start_s, block.stop_s)}
        return np.array(sorted(edges)[1:-1], np.float64)

    def at(self, time_s: FloatArray) -> npt.NDArray[np.str_]:
        """Return the activity at each time ``(n,)``, empty outside all blocks."""
        place = np.searchsorted(self.start_s, time_s, side="right") - 1
        names = np.array([block.activity for block in self.blocks], dtype=np.str_)
        stops = np.array([block.stop_s for block in self.blocks])
        inside = (place >= 0) & (time_s < stops[place.clip(0)])
        return np.where(inside, names[place.clip(0)], "")


def read_truth(path: Path) -> dict[str, Truth]:
    """Read the truth of clips, by the name of the clip.

    Parameters
    ----------
    path
        A folder with ``<clip>.json`` (``blocks`` with ``activity``, ``start_s``, ``end_s``, and
        ``reps`` where known), ``<clip>.eaf`` (ELAN) and ``*.csv`` (columns ``clip``, ``start_s``,
        ``stop_s``, ``label``); or one such file. Other JSON and CSV files are passed over.

    Raises
    ------
    OffhandError
        There is none, or a file is damaged, or blocks of a clip overlap.
    """
    readers: dict[str, Callable[[Path], dict[str, Truth]]] = {
        ".json": _read_json,
        ".csv": _read_csv,
        ".eaf": _read_elan,
    }
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found: dict[str, Truth] = {}
    for file in files:
        reader = readers.get(file.suffix.lower())
        if reader is None:
            continue
        try:
            clips = reader(file)
        except OSError as error:
            raise OffhandError(f"{file}: cannot be read ({error.strerror or error})") from error
        for clip, truth in clips.items():
            if clip in found:
                raise OffhandError(f"{file}: clip {clip!r} has its truth in another file too")
            found[clip] = truth
    if not found:
        raise OffhandError(
            f"{path}: no ground truth found; wanted: <clip>.json with blocks, <clip>.eaf, or a CSV "
            f"table with the columns {', '.join(COLUMNS)}"
        )
    return found


def _read_json(file: Path) -> dict[str, Truth]:
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise OffhandError(f"{file}: not valid JSON ({error})") from error
    entries = tree.get("blocks") if isinstance(tree, dict) else None
    if not entries:
        return {}
    blocks = []
    for number, entry in enumerate(entries):
        try:
            blocks.append(
                Block(
                    activity=str(entry["activity"]),
                    start_s=float(entry["start_s"]),
                    stop_s=float(entry["end_s"]),
                    period_s=float(entry.get("period_s_mean") or math.nan),
                    rep_times_s=np.asarray(entry.get("reps", []), np.float64),
                )
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise OffhandError(
                f"{file}: block {number} needs activity, start_s and end_s ({error!r})"
            ) from error
    counted = any("reps" in entry for entry in entries)
    return {file.stem: _truth(file, file.stem, blocks, has_repetitions=counted)}


def _read_csv(file: Path) -> dict[str, Truth]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream)
            if not set(COLUMNS) <= set(table.fieldnames or ()):
                return {}
            rows = list(table)
    except (UnicodeDecodeError, csv.Error) as error:
        raise OffhandError(f"{file}: not a CSV table in UTF-8 ({error})") from error
    clips: dict[str, list[Block]] = {}
    for number, row in enumerate(rows, start=2):
        try:
            block = _block(str(row["label"]), float(row["start_s"]), float(row["stop_s"]))
        except (TypeError, ValueError) as error:
            raise OffhandError(
                f"{file}, line {number}: start_s and stop_s must be numbers ({error})"
            ) from error
        clips.setdefault(Path(str(row["clip"])).stem, []).append(block)
    return {clip: _truth(file, clip, blocks) for clip, blocks in clips.items()}


def _read_elan(file: Path) -> dict[str, Truth]:
    """Read time-aligned annotations (ELAN Annotation Format 3.0)."""
    text = file.read_bytes()
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise OffhandError(f"{file}: document types and entities are not read, for safety")
    try:
        root = ET.fromstring(text)  # neither entities nor document types get here
    except ET.ParseError as error:
        raise OffhandError(f"{file}: not valid XML ({error})") from error
    at_s = {
        slot.get("TIME_SLOT_ID", ""): float(slot.get("TIME_VALUE", "nan")) / 1000
        for slot in root.iter("TIME_SLOT")
    }
    tiers = {tier.get("TIER_ID", ""): _annotations(tier, at_s) for tier in root.iter("TIER")}
    filled = {name: blocks for name, blocks in tiers.items() if blocks}
    if not filled:
        raise OffhandError(f"{file}: no tier has annotations with a start and a stop")
    chosen = TIER if TIER in filled else next(iter(filled))
    return {file.stem: _truth(file, file.stem, filled[chosen])}


def _annotations(tier: ET.Element, at_s: dict[str, float]) -> list[Block]:
    found = []
    for one in tier.iter("ALIGNABLE_ANNOTATION"):
        start_s, stop_s = (at_s.get(one.get(f"TIME_SLOT_REF{end}", ""), math.nan) for end in (1, 2))
        label = (one.findtext("ANNOTATION_VALUE") or "").strip()
        if label and math.isfinite(start_s) and math.isfinite(stop_s):
            found.append(_block(label, start_s, stop_s))
    return found


def _block(activity: str, start_s: float, stop_s: float) -> Block:
    return Block(activity=activity.strip(), start_s=start_s, stop_s=stop_s, rep_times_s=np.empty(0))


def _truth(
    file: Path, clip: str, blocks: Sequence[Block], *, has_repetitions: bool = False
) -> Truth:
    ordered = tuple(sorted(blocks, key=lambda block: block.start_s))
    for block in ordered:
        if not (math.isfinite(block.start_s) and block.stop_s > block.start_s):
            raise OffhandError(
                f"{file}: {clip!r} has {block.activity!r} from {block.start_s:g} to "
                f"{block.stop_s:g} s; a block must end after it starts"
            )
    for one, other in itertools.pairwise(ordered):
        if other.start_s < one.stop_s - 1e-6:
            raise OffhandError(
                f"{file}: {clip!r} has {one.activity!r} until {one.stop_s:g} s and "
                f"{other.activity!r} from {other.start_s:g} s; blocks must not overlap"
            )
    return Truth(blocks=ordered, has_repetitions=has_repetitions)


def instants(truth: Truth, *, step_s: float) -> tuple[FloatArray, npt.NDArray[np.str_]]:
    """Return times every ``step_s`` seconds that lie in a block, and the activity at each."""
    time_s = np.arange(step_s / 2, truth.stop_s, step_s)
    activity = truth.at(time_s)
    return time_s[activity != ""], activity[activity != ""]
