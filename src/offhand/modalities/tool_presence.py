"""Which tools are seen how often: a histogram of prompts.

A segment's histogram holds each prompt's mean score over that in the whole clip, as scores of
different prompts and of different sites have different levels. Its logarithm, scaled to unit
length, is clustered, so that Euclidean distance between rows is cosine distance between histograms.
Prompts that the model cannot score stay NaN and count nothing.

A segment in which no score is high is described all the same: even low scores order frames by what
is in view. The column ``best_score`` tells how strong the evidence is, and no tool is named on less
than ``min_score``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offhand.modalities.base import tabulate
from offhand.records import Features, FloatArray, LongSignal, Segments, option

INFORMATIVE = ("best_tool", "best_score", "second_tool", "second_score")
NOTES = ("model", "unsupported")
"""Notes of the signal that a reader of the modality must know too."""

LEVEL = 1e-4
"""Added to a prompt's mean score in the clip: the level of a score that means nothing."""


@dataclass(frozen=True, kw_only=True)
class ToolPresence:
    """Log-normed histogram of prompts.

    The columns are the prompts. For readers there are ``best_tool`` and ``second_tool``, the
    positions of the prompts with the highest scores (their 95th percentile over the segment) among
    the channels of the signal, NaN below ``min_score``; and these scores.

    Attributes
    ----------
    min_score
        Score from which a tool is named.
    relative
        Whether segments are compared with the rest of their clip.
    """

    name: ClassVar[str] = "tool_presence"
    version: ClassVar[int] = 1
    signals: ClassVar[tuple[str, ...]] = ("tools",)
    optional_signals: ClassVar[tuple[str, ...]] = ()

    min_score: float = option(0.1, "score, 0 to 1, from which a tool is named")
    relative: bool = option(
        True, "divide scores by their mean in the clip, so that the site does not decide"
    )

    def __post_init__(self) -> None:
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score is {self.min_score}, must lie in 0..1")

    def describe(self, signals: Mapping[str, LongSignal], segments: Segments) -> Features:
        """Describe each segment by its tools; see :class:`offhand.records.Features`."""
        tools = signals["tools"].whole()
        level = (
            _means(tools.values) + LEVEL if self.relative else np.full(len(tools.channels), LEVEL)
        )
        rows = []
        for start_s, stop_s in zip(segments.start_s, segments.stop_s, strict=True):
            scores = tools.values[(tools.time_s >= start_s) & (tools.time_s < stop_s)]
            histogram = unit(np.log1p(_means(scores) / level))
            row = dict(zip(tools.channels, histogram.tolist(), strict=True))
            rows.append(row | self._named(scores))
        notes = {name: text for name, text in tools.notes.items() if name in NOTES}
        return tabulate(
            self.name,
            segments,
            rows,
            informative=INFORMATIVE,
            columns=tools.channels,
            notes=notes,
        )

    def _named(self, scores: FloatArray) -> dict[str, float]:
        """Return the best two tools of a segment, as far as there are any."""
        found: dict[str, float] = {}
        supported = np.flatnonzero(~np.isnan(_means(scores)))
        if len(supported):
            high = np.nanpercentile(scores[:, supported], 95, axis=0)
            best = np.argsort(-high, kind="stable")[:2]
            for place, column in zip(("best", "second"), best, strict=False):
                found[f"{place}_score"] = float(high[column])
                if high[column] >= self.min_score:
                    found[f"{place}_tool"] = float(supported[column])
        return found


def unit(histogram: FloatArray) -> FloatArray:
    """Return a vector scaled to length 1, its NaN left out; all NaN if there is nothing in it."""
    length = np.sqrt(np.nansum(histogram**2))
    return histogram / length if length > 0 else np.full(len(histogram), np.nan)


def _means(scores: FloatArray) -> FloatArray:
    """Return the mean of each column over the rows that are known, NaN where there are none."""
    known = ~np.isnan(scores)
    count = known.sum(axis=0)
    total = np.where(known, scores, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
