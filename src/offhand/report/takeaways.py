"""Take-aways: sentences written from this run's figures, each left out where it has no support."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from offhand.report.tables import Tables, numbers
from offhand.report.view import Cluster, Clustering, Modality, ScoreRow, Summary, TakeAway
from offhand.report.wording import count, duration, number, percent, plain, score

BROAD_SHARE = 0.5
NOISY_SHARE = 0.5
UNSEEN_SHARE = 0.5

LABELS = "results/labels.parquet: label"
SCORES = "results/consistency.parquet: seed_entropy"


def take_aways(
    tables: Tables,
    summary: Summary,
    modalities: tuple[Modality, ...],
    scores: tuple[ScoreRow, ...],
    random_score: float,
) -> tuple[TakeAway, ...]:
    """Return what the figures of this run support, the most useful first.

    Parameters
    ----------
    tables
        The workspace's tables, for the rhythm.
    summary, modalities, scores
        Parts of the view model.
    random_score
        Score that random labels reached, NaN where that control was not run.
    """
    defaults = [modality.default for modality in modalities]
    return (
        *_reach(summary, defaults),
        *_rhythm(tables),
        *_broad(defaults),
        *_private(summary, defaults),
        *_chance(scores, random_score),
        *_noise(defaults),
        *_unseen(modalities),
        *_failures(summary),
    )


def _reach(summary: Summary, defaults: list[Clustering]) -> Iterator[TakeAway]:
    """Name the cluster that most clips share, leaving out those too broad to mean one activity."""
    n_clips = summary.n_analysed
    if not any(c.clusters for c in defaults):
        if summary.n_segments:
            yield TakeAway(
                figure="0 clusters",
                text=f"in {count(summary.n_segments, 'segment')}: no modality grouped any of them. "
                "The run gives no evidence of repeated activities.",
                source=LABELS,
            )
        return
    if n_clips == 1:
        yield TakeAway(
            figure="1 clip",
            text="was analysed: whether its clusters recur elsewhere cannot be observed here.",
            source="results/clips.parquet: status",
        )
        return
    found = [(c, cluster) for c in defaults for cluster in c.shared if _is_narrow(cluster)]
    if not found:
        return
    clustering, widest = max(found, key=lambda pair: (pair[1].n_clips, pair[1].seconds))
    facts = [f"{fact.name} {fact.text}" for fact in widest.facts if "period" in fact.name]
    tail = f" ({facts[0]})" if facts else ""
    yield TakeAway(
        figure=f"{widest.n_clips} of {n_clips} clips",
        text=f"share cluster {widest.name} of {_name(clustering)}{tail}: "
        f"{count(widest.n_segments, 'segment')}, {duration(widest.seconds)}, "
        f"{percent(widest.time_share)} of the time. It is the widest cluster that takes less "
        "than half of the time.",
        source=LABELS,
    )


def _rhythm(tables: Tables) -> Iterator[TakeAway]:
    values = numbers(tables.rhythm["period_s"])
    periods = values[np.isfinite(values)]
    if len(values) == 0:
        return
    source = "results/rhythm.parquet: period_s"
    if len(periods) == 0:
        yield TakeAway(
            figure="Not periodic",
            text=f"in any of {len(values)} samples: no cycle time can be stated.",
            source=source,
        )
        return
    low, middle, high = (number(float(q)) for q in np.quantile(periods, (0.25, 0.5, 0.75)))
    yield TakeAway(
        figure=percent(len(periods) / len(values)),
        text=f"of the samples have a period; its median is {middle} s "
        f"(middle half {low} to {high} s).",
        source=source,
    )


def _broad(defaults: list[Clustering]) -> Iterator[TakeAway]:
    pairs = [(c, x) for c in defaults for x in c.clusters if not _is_narrow(x)]
    for clustering, cluster in pairs:
        yield TakeAway(
            figure=percent(cluster.time_share),
            text=f"of the time is one cluster, {cluster.name} of {_name(clustering)}: "
            "too broad to stand for one activity.",
            source=LABELS,
        )


def _private(summary: Summary, defaults: list[Clustering]) -> Iterator[TakeAway]:
    if summary.n_analysed < 2:
        return
    for clustering in defaults:
        private = [cluster for cluster in clustering.clusters if cluster.n_clips == 1]
        if private:
            yield TakeAway(
                figure=f"{len(private)} of {len(clustering.clusters)}",
                text=f"clusters of {_name(clustering)} lie within a single clip: they may reflect "
                "a place or a camera rather than an activity.",
                source=LABELS,
            )


def _chance(scores: tuple[ScoreRow, ...], random_score: float) -> Iterator[TakeAway]:
    real = [row for row in scores if not row.is_control and np.isfinite(row.score)]
    if not real or not np.isfinite(random_score):
        return
    below = sum(row.score <= random_score for row in real)
    if below:
        text = (
            f"is the score of random labels, and {below} of {count(len(real), 'clustering')} "
            "score no higher: for those the score is no evidence of shared activity."
        )
    else:
        who = f"all {len(real)} clusterings score" if len(real) > 1 else "the one clustering scores"
        text = (
            f"is the score of random labels; {who} higher. "
            "The score is not calibrated, so this alone proves nothing."
        )
    yield TakeAway(figure=score(random_score), text=text, source=SCORES)


def _noise(defaults: list[Clustering]) -> Iterator[TakeAway]:
    for clustering in defaults:
        if clustering.clusters and clustering.noise_share > NOISY_SHARE:
            yield TakeAway(
                figure=percent(clustering.noise_share),
                text=f"of {count(clustering.n_segments, 'segment')} are in no cluster of "
                f"{_name(clustering)}: its clusters describe the smaller part of the work.",
                source="results/consistency.parquet: noise_share",
            )


def _unseen(modalities: tuple[Modality, ...]) -> Iterator[TakeAway]:
    for modality in modalities:
        if modality.observed_share < UNSEEN_SHARE:
            yield TakeAway(
                figure=percent(1 - modality.observed_share),
                text=f"of the segments gave {plain(modality.name)} nothing to measure: "
                "not observable there.",
                source=f"results/features/{modality.name}.parquet",
            )


def _failures(summary: Summary) -> Iterator[TakeAway]:
    if summary.n_failed:
        yield TakeAway(
            figure=f"{summary.n_failed} of {summary.n_clips}",
            text="clips could not be analysed and are in no figure of this page.",
            source="results/clips.parquet: status, error",
        )


def _is_narrow(cluster: Cluster) -> bool:
    return cluster.time_share < BROAD_SHARE


def _name(clustering: Clustering) -> str:
    return f"{plain(clustering.modality)} ({clustering.clusterer})"
