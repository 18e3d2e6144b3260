"""Labelled footage as the benchmarks of clusters see it: segments, features, truth."""

from __future__ import annotations

import argparse
import csv
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

import offhand
from offhand.clustering.alignment import Alignment, align
from offhand.clustering.space import EVENNESS, MAX_DIMENSIONS, feature_space
from offhand.evaluation.agreement import PairScore, cross_clip_pairs
from offhand.evaluation.truth import Truth, read_truth
from offhand.records import FloatArray, IntArray, Segments, Signal
from offhand.segments.base import Segmenter
from offhand.selection.sight import Sight, fusion_weights, see
from offhand.stages.evaluate import Instants, look

Row = dict[str, str | float]
FUSED = "late_fusion"


@dataclass(frozen=True, kw_only=True)
class Described:
    """Segments of all clips, described by every modality, and the truth.

    Attributes
    ----------
    name
        Of the segmentation.
    segments
        One row a segment.
    features
        Modality to values ``(n, d)``, weights ``(d,)`` and names of the columns.
    sources
        Modality to the signals it was made from.
    seen
        The labelled instants.
    """

    name: str
    segments: pd.DataFrame
    features: dict[str, tuple[FloatArray, FloatArray, tuple[str, ...]]]
    sources: dict[str, tuple[str, ...]]
    seen: Instants

    @property
    def clip_id(self) -> npt.NDArray[np.str_]:
        """Clip of each segment."""
        return self.segments["clip_id"].to_numpy(np.str_)

    def sight(
        self,
        *,
        max_dimensions: int = MAX_DIMENSIONS,
        evenness: float = EVENNESS,
        alignment: Alignment = "none",
    ) -> Sight:
        """Return how the modalities see the segments."""
        clip = np.unique(self.clip_id, return_inverse=True)[1].astype(np.int64)
        spaces = {}
        for modality, (values, weights, _) in self.features.items():
            space, described = feature_space(
                values, weights, max_dimensions=max_dimensions, evenness=evenness
            )
            spaces[modality] = align(space, clip[described], alignment), described
        return see(spaces, self.sources, self.clip_id)

    def without(self, modality: str, *prefixes: str) -> Described:
        """Return the same with columns of a modality left out: those with one of the prefixes."""
        values, weights, columns = self.features[modality]
        kept = np.array([not column.startswith(prefixes) for column in columns])
        part = values[:, kept], weights[kept], tuple(np.array(columns)[kept].tolist())
        return replace(self, features=self.features | {modality: part})

    def at_instants(self, label: IntArray) -> IntArray:
        """Return the label at each instant of labels of segments; -1 outside all of them."""
        return np.append(label, -1)[self.seen.segment]

    def pairs(self, label: IntArray) -> PairScore:
        """Compare labels of segments with the truth, over pairs of instants."""
        return cross_clip_pairs(self.seen.clip, self.at_instants(label), self.seen.activity)


@dataclass(frozen=True, kw_only=True)
class Footage:
    """A folder of labelled clips, measured.

    Attributes
    ----------
    workspace
        Of a finished run with default options.
    truth
        By clip.
    sites
        Clip to its site; a site of its own where it is not known.
    """

    workspace: offhand.Workspace
    truth: dict[str, Truth]
    sites: dict[str, str]

    def described(self, segmenter: Segmenter | None) -> Described:
        """Cut and describe all clips; ``None`` cuts at the true boundaries."""
        config = offhand.load_config()
        table = self.workspace.table("modalities").set_index("modality")["status"]
        modalities = [one for one in config.used_modalities if table[one.name] == "computed"]
        names = set().union(*((*m.signals, *m.optional_signals) for m in modalities))
        rows, parts = [], []
        for clip, truth in self.truth.items():
            signals = self._signals(clip, names)
            cut = true_segments(clip, truth)
            if segmenter is not None:
                length = {"start_s": 0.0, "stop_s": truth.stop_s}
                cut = segmenter.cut(clip, signals, **length)
            rows.append(
                pd.DataFrame({"clip_id": clip, "start_s": cut.start_s, "stop_s": cut.stop_s})
            )
            parts.append([modality.describe(signals, cut) for modality in modalities])
        segments = pd.concat(rows, ignore_index=True)
        features = {}
        for place, modality in enumerate(modalities):
            own = [part[place] for part in parts]
            values = np.concatenate([one.values for one in own])
            features[modality.name] = values, own[0].weights, own[0].columns
        return Described(
            name=segmenter.name if segmenter else "true blocks",
            segments=segments,
            features=features,
            sources={modality.name: modality.signals for modality in modalities},
            seen=look(segments, self.truth),
        )

    def _signals(self, clip: str, names: set[str]) -> dict[str, Signal]:
        table = self.workspace.table("signals")
        computed = set(table["signal"][table["status"] == "computed"])
        return {name: self.workspace.signal(name, clip) for name in names & computed}


def true_segments(clip: str, truth: Truth) -> Segments:
    """Return the true blocks of a clip as segments."""
    return Segments(
        clip_id=clip,
        start_s=truth.start_s,
        stop_s=np.array([block.stop_s for block in truth.blocks], np.float64),
    )


@contextmanager
def measured(folder: Path, *, groups: Path | None = None) -> Iterator[Footage]:
    """Run offhand on a folder of clips with ground truth, in a folder that is deleted again."""
    truth = {
        clip: one for clip, one in read_truth(folder).items() if any(folder.glob(f"{clip}.m[pk]*"))
    }
    sites = {clip: clip for clip in truth}
    if groups is not None:
        with groups.open(encoding="utf-8", newline="") as file:
            sites |= {row["clip"]: row["site"] for row in csv.DictReader(file)}
    with tempfile.TemporaryDirectory() as scratch:
        workspace = offhand.run(folder, scratch, groups=groups)
        yield Footage(workspace=workspace, truth=truth, sites=sites)


def reliable(sight: Sight) -> Mapping[str, float]:
    """Return the default weights of late fusion."""
    return {name: one.weight for name, one in fusion_weights(sight).items()}


def print_report(doc: str | None, report: Callable[[Footage], list[str]]) -> None:
    """Measure the folder that the command line names, and print the report on it."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="clips with ground truth beside each")
    parser.add_argument("--groups", type=Path, help="CSV with columns clip and site")
    given = parser.parse_args()
    with measured(given.folder, groups=given.groups) as footage:
        print("\n".join(report(footage)))


def as_lines(rows: Sequence[Mapping[str, str | float]]) -> list[str]:
    """Return rows as a Markdown table."""
    return [
        "| " + " | ".join(rows[0]) + " |",
        "|" + " --- |" * len(rows[0]),
        *("| " + " | ".join(cell(value) for value in row.values()) + " |" for row in rows),
    ]


def cell(value: str | float) -> str:
    """Return a table cell."""
    if isinstance(value, str):
        return value
    return "" if np.isnan(value) else f"{value:.3f}".removesuffix(".000")


def paragraph(text: str) -> list[str]:
    """Return a text in lines."""
    return textwrap.wrap(" ".join(text.split()), 96, break_on_hyphens=False)
