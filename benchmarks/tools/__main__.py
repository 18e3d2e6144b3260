"""Average precision of the signal ``tools`` for each tool of footage with ground truth.

    python -m benchmarks.tools FOLDER [--model efficientnet_lite0]

FOLDER holds clips and, for each, ``<clip>.json`` with the times at which tools are in view.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from benchmarks.tools.truth import PROMPT_OF_TOOL, Intervals, in_view, read_tools
from offhand.records import FloatArray, Signal
from offhand.signals.tools import Tools
from offhand.stages.measure import measure_signals

SHIFTS = 200
"""Draws of the control in which scores are shifted in time within each clip."""

TOP_SHARE = 0.02
"""Share of the frames, those with the highest scores, whose precision is shown."""

HEADER = tuple("tool|prompt|prevalence|AP|shuffled|shifted, 95 %|top 2 %|lift|clips".split("|"))


@dataclass(frozen=True, kw_only=True)
class Precision:
    """How well one prompt's score finds one tool.

    Attributes
    ----------
    prevalence
        Share of the frames that show the tool: the average precision of a random score.
    value
        Average precision over the frames of all clips.
    shuffled
        The same for the scores in random order, mean over draws.
    shifted
        The same for scores shifted in time within each clip, 95th percentile over draws.
    top
        Share that shows the tool of the frames with the highest scores.
    lifts
        Average precision less prevalence in each clip that shows the tool at times.
    """

    prevalence: float
    value: float
    shuffled: float
    shifted: float
    top: float
    lifts: FloatArray


def precision(
    seen: list[npt.NDArray[np.bool_]], scores: list[FloatArray], *, seed: int = 0
) -> Precision:
    """Compare scores with the truth, clip by clip ``(frames,)``."""
    draw = np.random.default_rng(seed)
    truth, score = np.concatenate(seen), np.concatenate(scores)
    shuffled = [_average(truth, draw.permutation(score)) for _ in range(SHIFTS)]
    shifted = [
        _average(truth, np.concatenate([np.roll(s, draw.integers(len(s))) for s in scores]))
        for _ in range(SHIFTS)
    ]
    lifts = [
        _average(own, part) - own.mean()
        for own, part in zip(seen, scores, strict=True)
        if 0 < own.mean() < 1
    ]
    highest = np.argsort(-score, kind="stable")[: max(1, round(TOP_SHARE * len(score)))]
    return Precision(
        prevalence=float(truth.mean()),
        value=_average(truth, score),
        shuffled=float(np.mean(shuffled)),
        shifted=float(np.percentile(shifted, 95)),
        top=float(truth[highest].mean()),
        lifts=np.array(lifts),
    )


def row(tool: str, signals: dict[str, Signal], truth: dict[str, Intervals]) -> list[str]:
    """Return the cells of one tool; a prompt without a score says so."""
    prompt = PROMPT_OF_TOOL[tool]
    scores = [signal.channel(prompt) for signal in signals.values()]
    if np.isnan(np.concatenate(scores)).any():
        return [tool, prompt, *["unsupported"] + [""] * (len(HEADER) - 3)]
    seen = [in_view(truth[clip].get(tool, []), signal.time_s) for clip, signal in signals.items()]
    found = precision(seen, scores)
    figures = (found.prevalence, found.value, found.shuffled, found.shifted, found.top)
    return [
        tool,
        prompt,
        *(f"{figure:.2f}" for figure in figures),
        f"{found.lifts.mean():+.2f}",
        f"{(found.lifts > 0).sum()} of {len(found.lifts)}",
    ]


def report(folder: Path, truth: dict[str, Intervals], model: str) -> list[str]:
    """Score every clip; return the lines of a Markdown document."""
    signals, spent_s, length_s = {}, 0.0, 0.0
    for clip in truth:
        path = next(path for path in sorted(folder.glob(f"{clip}.*")) if path.suffix != ".json")
        began = time.perf_counter()
        found, info = measure_signals(path, [Tools(model=model)])
        spent_s += time.perf_counter() - began
        length_s += info.duration_s
        signals[clip] = found["tools"]
    rows = [row(tool, signals, truth) for tool in PROMPT_OF_TOOL]
    return [
        f"# Tools: {model}",
        "",
        f"{len(truth)} clips, {length_s:.0f} s. AP: average precision over all frames.",
        "Prevalence: that of a random score. Shuffled: of the scores in random order. Shifted,",
        "95 %: what scores shifted in time within their clips stay below in 95 of 100 draws. Top",
        "2 %: share that shows the tool of the frames with the highest scores. Lift: AP less",
        "prevalence within a clip, mean over clips. Clips: in how many of them it is above 0.",
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + " --- |" * len(HEADER),
        *("| " + " | ".join(cells) + " |" for cells in rows),
        "",
        f"Decoding and scoring took {spent_s / length_s * 1e3:.0f} ms per second of video.",
    ]


def _average(truth: npt.NDArray[np.bool_], score: FloatArray) -> float:
    """Return average precision, NaN where the tool is never in view."""
    return float(average_precision_score(truth, score)) if truth.any() else float("nan")


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="clips with <clip>.json beside each")
    parser.add_argument("--model", default="efficientnet_lite0", help="as in the option of tools")
    arguments = parser.parse_args()
    truth = read_tools(arguments.folder)
    if not truth:
        parser.error(f"{arguments.folder}: no <clip>.json that lists tools")
    print("\n".join(report(arguments.folder, truth, arguments.model)))


if __name__ == "__main__":
    main()
