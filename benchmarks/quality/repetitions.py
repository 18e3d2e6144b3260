"""How well repetitions are counted, the seed's rule beside ours, as Markdown.

    python -m benchmarks.quality.repetitions FOLDER [--real FOLDER] [--wrist watch_dataset.npy]
                                             [--variants CLIP...]

FOLDER holds clips and ``<clip>.json`` with their blocks. The folder of real clips holds
``labels.csv`` (file, countable, reps). The wrist series come with the PyPI package seglearn:
``pip download --no-deps --no-binary :all: seglearn`` and unpack.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from benchmarks.quality.counting import ours, seeds
from benchmarks.quality.series import (
    WRIST_HZ,
    WRIST_REPETITIONS,
    Series,
    aperiodic,
    synthetic,
    wrist,
)
from benchmarks.quality.variants import read_frames, variants, write_frames
from offhand.evaluation.counting import (
    SLACK_S,
    BlockScore,
    ClipScore,
    calibration_error,
    score,
)
from offhand.evaluation.truth import Block, read_truth
from offhand.records import FloatArray
from offhand.rhythm.repetitions import (
    DISAGREE,
    UNSURE,
    Repetitions,
    confidence_terms,
    count_repetitions,
)
from offhand.rhythm.witnesses import RATE_HZ, Witness
from offhand.stages.count import VideoCount, count_video

MANY = 4
"""Repetitions from which a block is one of the first row."""

TRIALS = 400
"""Synthetic series; every fifth is noise alone."""

ANCHORS = (
    ("RepNet, UCFRep", 0.43, 0.58),
    ("ESCounts re-run", 0.35, 0.60),
    ("label-free local frequency", 0.45, 0.37),
    ("untuned autocorrelation", 2.86, 0.17),
)
"""Published figures (MAE, OBO) on other footage: for the scale, no comparison."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One count whose truth is known: the terms of its confidence, and whether it is right."""

    source: str
    terms: FloatArray
    confidence: float
    accepted: bool
    right: bool


def rendered(folder: Path) -> tuple[list[str], list[Answer]]:
    """Score the blocks of clips; return table lines, and the answers."""
    mine, seed, answers = [], [], []
    strict: dict[float, list[ClipScore]] = {level: [] for level in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)}
    for truth in sorted(folder.glob("*.json")):
        video = next(
            path for path in truth.parent.glob(f"{truth.stem}.*") if path.suffix in (".mp4", ".mkv")
        )
        blocks, found = read_truth(truth)[truth.stem].blocks, count_video(video)
        mine.append(score(blocks, ours(found.count.bouts)))
        seed.append(score(blocks, seeds(found.signals, found.segments)))
        for level, scores in strict.items():
            scores.append(score(blocks, ours(found.count.bouts, least_confidence=level)))
        answers += _answers("rendered", found.count.bouts, blocks)
    lines = [
        "| method | blocks | answered | MAE | OBO | idle time counted | F1 of times |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, scores in (("offhand", mine), ("seed's rule", seed)):
        for least, which in ((MANY, f"of {MANY} repetitions or more"), (1, "all")):
            lines.append(f"| {name} | {which}: {_blocks(scores, least)} | {_shared(scores)} |")
    lines += [f"| {name} | other footage | | {mae} | {obo} | | |" for name, mae, obo in ANCHORS]
    lines += ["", "By activity (offhand):", "", "| activity | blocks | answered | MAE | OBO |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for activity in sorted({block.activity for one in mine for block in one.blocks}):
        own = [block for one in mine for block in one.blocks if block.activity == activity]
        lines.append(f"| {activity} | {_figures(own)} |")
    lines += ["", "Risk and coverage: blocks answered with at least so much confidence.", ""]
    lines += ["| confidence | blocks | answered | MAE | OBO |", "| --- | --- | --- | --- | --- |"]
    for level, scores in strict.items():
        every = [block for one in scores for block in one.blocks]
        lines.append(f"| {level:g} | {_figures(every)} |")
    return lines, answers


def _blocks(scores: Sequence[ClipScore], least: int) -> str:
    return _figures([block for one in scores for block in one.blocks if block.true >= least])


def _figures(blocks: Sequence[BlockScore]) -> str:
    """Return number, share answered, and the errors of those answered, as cells."""
    answered = [block for block in blocks if block.answered]
    share = len(answered) / max(len(blocks), 1)
    if not answered:
        return f"{len(blocks)} | {share:.2f} | | "
    mae = np.mean([block.error for block in answered])
    obo = np.mean([abs(block.counted - block.true) <= 1 for block in answered])
    return f"{len(blocks)} | {share:.2f} | {mae:.3f} | {obo:.2f}"


def _shared(scores: Sequence[ClipScore]) -> str:
    """Return the share of idle time counted, and F1 of the repetitions' times, as cells."""
    idle = sum(one.idle_counted_s for one in scores) / max(sum(one.idle_s for one in scores), 1e-9)
    both = sum(one.counted + one.true for one in scores)
    return f"{idle:.3f} | {2 * sum(one.matched for one in scores) / max(both, 1):.3f}"


def _answers(
    source: str, bouts: Sequence[Repetitions], blocks: Sequence[Block]
) -> Iterator[Answer]:
    """Yield the bouts that were judged by their confidence, refused ones too."""
    times = np.concatenate([np.empty(0), *(block.rep_times_s for block in blocks)])
    for bout in bouts:
        if bout.reason in ("", DISAGREE, UNSURE) and np.isfinite(bout.confidence):
            reach = bout.period_s / 4 + SLACK_S
            inside = (times > bout.start_s - reach) & (times < bout.stop_s + reach)
            yield Answer(
                source=source,
                terms=confidence_terms(bout),
                confidence=bout.confidence,
                accepted=bout.accepted,
                right=bool(abs(int(inside.sum()) - bout.count) <= 1),
            )


def synthetics() -> tuple[list[str], list[Answer]]:
    """Count synthetic series and noise; return table lines, and the answers."""
    rng = np.random.default_rng(1)
    levels = (0.2, 0.5, 1.0, 1.5, 2.0, 3.0)
    lines = ["| noise / amplitude | answered | within 1 | exact |", "| --- | --- | --- | --- |"]
    answers = []
    for noise in levels:
        errors, trials = [], TRIALS * 4 // 5 // len(levels)
        for _ in range(trials):
            series = synthetic(rng, noise=noise)
            found = _count(series.witnesses)
            answers += _answers("synthetic", found, [_as_block(series)])
            accepted = [bout.count for bout in found if bout.accepted]
            if accepted:
                errors.append(abs(sum(accepted) - len(series.rep_times_s)))
        share, near, exact = (
            len(errors) / trials,
            np.mean(np.array(errors) <= 1) if errors else np.nan,
            np.mean(np.array(errors) == 0) if errors else np.nan,
        )
        lines.append(f"| {noise:g} | {share:.2f} | {near:.2f} | {exact:.2f} |")
    alarms = 0
    for _ in range(TRIALS // 5):
        found = _count(aperiodic(rng).witnesses)
        answers += _answers("synthetic", found, [])
        alarms += any(bout.accepted for bout in found)
    lines.append(f"| noise alone | {alarms / (TRIALS // 5):.2f} | | |")
    return lines, answers


def _count(witnesses: list[Witness]) -> list[Repetitions]:
    return count_repetitions(witnesses, frame_rate=RATE_HZ, least_excursion=0.0)


def _as_block(series: Series) -> Block:
    return Block(
        activity="",
        start_s=0.0,
        stop_s=np.inf,
        period_s=series.period_s,
        rep_times_s=series.rep_times_s,
    )


def wrists(path: Path) -> tuple[list[str], list[Answer]]:
    """Count the wrist series, each a recording cut to its repetitions."""
    errors, answers = [], []
    for witnesses in wrist(path):
        found = count_repetitions(witnesses, frame_rate=WRIST_HZ, least_excursion=0.0, trimmed=True)
        accepted = [bout for bout in found if bout.accepted]
        if accepted:
            main = max(accepted, key=lambda bout: bout.count)
            errors.append(sum(bout.count for bout in accepted) - WRIST_REPETITIONS)
            answers.append(
                Answer(
                    source="wrist",
                    terms=confidence_terms(main),
                    confidence=main.confidence,
                    accepted=True,
                    right=abs(errors[-1]) <= 1,
                )
            )
        else:
            errors.append(-WRIST_REPETITIONS)
    error = np.array(errors)
    return [
        f"{len(error)} series of {WRIST_REPETITIONS}: within 1 in {np.mean(abs(error) <= 1):.3f}"
        f" (refused ones count as wrong), exact in {np.mean(error == 0):.3f}, median error"
        f" {np.median(error):g}, answered {len(answers) / len(error):.3f}."
    ], answers


def real(folder: Path) -> list[str]:
    """Count labelled real clips."""
    lines = ["| clip | true | counted | repetitions at (s) |", "| --- | --- | --- | --- |"]
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found = count_video(folder / row["file"]).count
            true = row["reps"] if row["countable"] == "yes" else "refuse"
            reasons = ", ".join(dict.fromkeys(bout.reason for bout in found.bouts if bout.reason))
            counted = f"refused: {reasons}" if found.total is None else str(found.total)
            times = [time for bout in found.bouts if bout.accepted for time in bout.rep_times_s]
            listed = ", ".join(f"{time:.1f}" for time in times)
            lines.append(f"| {row['file']} | {true} | {counted} | {listed} |")
    return lines


def robust(paths: Sequence[Path]) -> list[str]:
    """Count variants of recordings; each repetition of the original should be found again."""
    lines = ["| clip | variant | counted | original | period, relative |"]
    lines.append("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            before, frames = count_video(path), read_frames(path)
            for variant in variants(before.info.frame_rate):
                other = Path(folder) / "variant.mp4"
                write_frames(other, variant.change(frames))
                after = count_video(other)
                lines.append(
                    f"| {path.name} | {variant.name} | {after.count.total} | {before.count.total} "
                    f"| {_period(after) / _period(before) / variant.slower:.2f} |"
                )
    return lines


def _period(found: VideoCount) -> float:
    """Return the median period of the accepted bouts."""
    periods = [bout.period_s for bout in found.count.bouts if bout.accepted]
    return float(np.median(periods)) if periods else float("nan")


def calibration(answers: Sequence[Answer]) -> list[str]:
    """Fit the confidence with each source left out in turn; return table lines."""
    sources = sorted({answer.source for answer in answers})
    left_out = np.full(len(answers), np.nan)
    source_of = np.array([answer.source for answer in answers])
    for source in sources:
        own = source_of == source
        others = [answer for answer in answers if answer.source != source]
        if others:
            terms = np.array([a.terms for a in answers if a.source == source])
            left_out[own] = _fitted(others).predict_proba(terms)[:, 1]
    accepted = np.array([answer.accepted for answer in answers])
    right = np.array([answer.right for answer in answers])
    lines = [
        "| source left out of the fit | answers | right within 1 | mean confidence | ECE |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in (*sources, "all"):
        own = accepted & ((source_of == name) | (name == "all"))
        error = calibration_error(left_out[own], right[own])
        lines.append(
            f"| {name} | {own.sum()} | {right[own].mean():.3f} | {left_out[own].mean():.3f} "
            f"| {error:.3f} |"
        )
    shipped = np.array([answer.confidence for answer in answers])[accepted]
    model = _fitted(answers)
    weights = ", ".join(f"{weight:.2f}" for weight in model.coef_[0])
    return [
        *lines,
        "",
        f"As shipped: ECE {calibration_error(shipped, right[accepted]):.3f}. Fitted to all: "
        f"constant {model.intercept_[0]:.2f}, weights {weights}.",
    ]


def _fitted(answers: Sequence[Answer]) -> LogisticRegression:
    """Fit whether answers are right, every source weighing as much."""
    source_of = np.array([answer.source for answer in answers])
    sizes = {source: (source_of == source).sum() for source in set(source_of.tolist())}
    weight: npt.NDArray[np.float64] = np.array([len(answers) / sizes[s] for s in source_of])
    return LogisticRegression(C=10.0).fit(
        np.array([answer.terms for answer in answers]),
        np.array([answer.right for answer in answers]),
        sample_weight=weight / len(sizes),
    )


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="clips with <clip>.json beside each")
    parser.add_argument("--real", type=Path, help="folder of clips with labels.csv")
    parser.add_argument("--wrist", type=Path, help="watch_dataset.npy of the package seglearn")
    parser.add_argument("--variants", type=Path, nargs="+", default=[], help="clips to change")
    options = parser.parse_args()
    print("# Repetitions\n\nWritten by `python -m benchmarks.quality.repetitions FOLDER ...`.\n")
    lines, answers = rendered(options.folder)
    print("## Clips with true blocks\n", *lines, sep="\n")
    if options.real:
        print("\n## Real clips\n", *real(options.real), sep="\n")
    if options.wrist:
        lines, found = wrists(options.wrist)
        answers += found
        print("\n## Wrist sensor\n", *lines, sep="\n")
    lines, found = synthetics()
    answers += found
    print("\n## Synthetic series\n", *lines, sep="\n")
    print("\n## Calibration of the confidence\n", *calibration(answers), sep="\n")
    if options.variants:
        print("\n## The same recordings otherwise\n", *robust(options.variants), sep="\n")


if __name__ == "__main__":
    main()
