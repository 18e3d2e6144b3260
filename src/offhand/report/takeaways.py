"""Take-aways: sentences written from this run's figures, each left out where it has no support."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from offhand.report.facts import named_tools
from offhand.report.tables import FUSED, Tables, numbers
from offhand.report.view import Coverage, Step, Summary, TakeAway
from offhand.report.view_clusters import Cluster, Clustering, Modality
from offhand.report.view_evidence import EvidenceView
from offhand.report.wording import count, duration, number, p_value, percent, plain, score, span

BROAD_SHARE = 0.5
NOISY_SHARE = 0.5
UNSEEN_SHARE = 0.5
ALIKE = 0.01

LABELS = "results/labels.parquet: label"
SCORES = "results/evidence.parquet: score, low, high, p"


def take_aways(
    tables: Tables,
    summary: Summary,
    coverage: Coverage,
    steps: tuple[Step, ...],
    modalities: tuple[Modality, ...],
    evidence: EvidenceView,
) -> tuple[TakeAway, ...]:
    """Return what the figures of this run support, the most useful first.

    Parameters
    ----------
    tables
        The workspace's tables, for the rhythm.
    summary, coverage, steps, modalities, evidence
        Parts of the view model.
    """
    defaults = [modality.default for modality in modalities]
    return (
        *_proof(summary, evidence),
        *_confirmed(summary, defaults),
        *_reach(summary, defaults),
        *_hands(coverage),
        *_rhythm(tables),
        *_bodies(coverage),
        *_tools(tables),
        *_fusion(steps),
        *_broad(defaults),
        *_private(summary, defaults),
        *_fingerprints(evidence),
        *_noise(defaults),
        *_unseen(defaults),
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
    fused = [pair for pair in found if pair[0].modality == FUSED]
    found = fused or found
    clustering, widest = max(found, key=lambda pair: (pair[1].n_clips, pair[1].seconds))
    facts = [f"{fact.name} {fact.text}" for fact in widest.facts if fact.name == "period"]
    tail = f" ({facts[0]})" if facts else ""
    yield TakeAway(
        figure=f"{widest.n_clips} of {n_clips} clips",
        text=f"share cluster {widest.name} of {_name(clustering)}{tail}: "
        f"{count(widest.n_segments, 'segment')}, {duration(widest.seconds)}, "
        f"{percent(widest.time_share)} of the time. It is the widest "
        f"{'of its clusters' if fused else 'cluster'} that takes less than half of the time.",
        source=LABELS,
    )


def _rhythm(tables: Tables) -> Iterator[TakeAway]:
    values = tables.periods_s
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


def _hands(coverage: Coverage) -> Iterator[TakeAway]:
    shares = {
        "the detector finds": coverage.detector,
        "the tracker holds": coverage.tracker,
    }
    known = {what: found for what, found in shares.items() if found}
    if not known:
        return
    (first, values), *rest = known.items()
    text = f"of the frames{' of a clip' if len(values) > 1 else ''} hold a hand that {first}"
    text += "".join(f"; {span(others)} one that {what}" for what, others in rest)
    if coverage.is_low:
        text += ". Hands alone cannot tell what is done in the rest"
    yield TakeAway(
        figure=span(values),
        text=f"{text}.",
        source="results/clips.parquet: hand_coverage_detector, hand_coverage_tracker",
    )


def _bodies(coverage: Coverage) -> Iterator[TakeAway]:
    values = coverage.pose
    if values:
        tail = ": posture describes the smaller part of the work"
        if max(values) == 0:
            tail = ": nothing can be said of posture"
        elif max(values) >= UNSEEN_SHARE:
            tail = ""
        yield TakeAway(
            figure=span(values),
            text=f"of the frames{' of a clip' if len(values) > 1 else ''} show a body{tail}.",
            source="results/clips.parquet: pose_coverage",
        )


def _tools(tables: Tables) -> Iterator[TakeAway]:
    table = tables.features.get("tool_presence")
    if table is None or not len(table):
        return
    scored = np.isfinite(numbers(table["best_score"]))
    named = np.isfinite(numbers(table["best_tool"]))
    source = "results/features/tool_presence.parquet: best_tool, best_score"
    if not scored.any():
        return
    if not named.any():
        yield TakeAway(
            figure="No tool",
            text=f"is seen clearly enough to be named in any of {count(len(table), 'segment')}.",
            source=source,
        )
        return
    top = named_tools(table).most_common(3)
    each = ", ".join(f"{tool} in {count(n, 'segment')}" for tool, n in top)
    yield TakeAway(
        figure=percent(float(named.mean())),
        text=f"of the segments have a tool that can be named: {each}.",
        source=source,
    )


def _fusion(steps: tuple[Step, ...]) -> Iterator[TakeAway]:
    """Tell what the fusion rests on, if the modalities agree at all."""
    known = [step for step in steps if np.isfinite(step.weight) and np.isfinite(step.agreement)]
    if len(known) < 2:
        return
    source = "results/fusion.parquet: weight, agreement"
    if max(step.agreement for step in known) <= 0:
        yield TakeAway(
            figure=f"{len(known)} modalities",
            text="do not agree on which segments are alike: nothing supports their fusion.",
            source=source,
        )
        return
    top, *_, least = sorted(known, key=lambda step: -step.weight)
    if top.weight - least.weight < ALIKE:
        agreement = number(float(np.mean([step.agreement for step in known])), significant=2)
        yield TakeAway(
            figure=percent(top.weight),
            text=f"of late fusion is each of {len(known)} modalities: all count alike. Their views "
            f"of which segments are alike correlate with {agreement} on average.",
            source=source,
        )
        return
    yield TakeAway(
        figure=percent(top.weight),
        text=f"of late fusion is {plain(top.name)}, whose view of which segments are alike "
        f"correlates with the others' with {number(top.agreement, significant=2)} on average; "
        f"{plain(least.name)} counts least, {percent(least.weight)} "
        f"({number(least.agreement, significant=2)}).",
        source=source,
    )


def _broad(defaults: list[Clustering]) -> Iterator[TakeAway]:
    pairs = [(c, x) for c in defaults for x in c.clusters if not _is_narrow(x)]
    if pairs:
        each = [f"{x.name} of {_name(c)}, {percent(x.time_share)}" for c, x in pairs]
        yield TakeAway(
            figure=count(len(pairs), "broad cluster"),
            text=f"{'takes' if len(pairs) == 1 else 'take'} half of the time or more: "
            f"{'; '.join(each)}. That is too broad to stand for one activity.",
            source=LABELS,
        )


def _private(summary: Summary, defaults: list[Clustering]) -> Iterator[TakeAway]:
    if summary.n_analysed < 2:
        return
    found = [(c, sum(x.n_clips == 1 for x in c.clusters)) for c in defaults]
    each = [f"{_name(c)} {n} of {len(c.clusters)}" for c, n in found if n]
    if each:
        yield TakeAway(
            figure=f"{sum(n for _, n in found)} of {sum(len(c.clusters) for c, _ in found)}",
            text=f"clusters lie within a single clip ({'; '.join(each)}): they may reflect a place "
            "or a camera rather than an activity.",
            source=LABELS,
        )


def _proof(summary: Summary, evidence: EvidenceView) -> Iterator[TakeAway]:
    """Tell whether anything recurs across clips, and whether the ranking can be trusted."""
    leading = [row for row in evidence.ranked if row.is_default]
    if summary.n_analysed < 2 or not evidence.rows:
        return
    if not leading:
        yield TakeAway(
            figure="No score",
            text="could be given: too few segments, or no two modalities made from different "
            "signals. The run gives no evidence that clips share activities.",
            source=SCORES,
        )
        return
    best, control = leading[0], evidence.best_control
    if evidence.proven:
        text = (
            f"({score(best.low)} to {score(best.high)}) is the score of {best.name}, the highest: "
            "its clusters are shared across clips and seen by other modalities too "
            f"({p_value(best.p)})."
        )
    else:
        text = (
            f"({score(best.low)} to {score(best.high)}) is the highest score, of {best.name}: no "
            "modality shows activities that clips share."
        )
    if control:
        text += f" The best worthless labelling, {control.name}, scores {score(control.score)}."
    yield TakeAway(figure=score(best.score), text=text, source=SCORES)
    if evidence.beaten and control:
        yield TakeAway(
            figure=f"{len(evidence.beaten)} of {len(evidence.ranked)}",
            text=f"clusterings score no higher than {control.name}, which means nothing: for them "
            "the score is no evidence of shared activity.",
            source=SCORES,
        )


def _confirmed(summary: Summary, defaults: list[Clustering]) -> Iterator[TakeAway]:
    """Tell how many clusters of the fusion other modalities confirm."""
    if summary.n_analysed < 2:
        return
    for clustering in defaults:
        if clustering.modality != FUSED or not clustering.clusters:
            continue
        found = [cluster for cluster in clustering.clusters if cluster.is_confirmed]
        time_share = sum(cluster.time_share for cluster in found)
        yield TakeAway(
            figure=f"{len(found)} of {len(clustering.clusters)}",
            text=f"clusters of {_name(clustering)} are confirmed across clips by modalities that "
            f"had no part in them (corrected p < 0.05): {percent(time_share)} of the time.",
            source="results/clusters.parquet: p, is_confirmed",
        )


def _fingerprints(evidence: EvidenceView) -> Iterator[TakeAway]:
    known = [probe for probe in evidence.probes if np.isfinite(probe.accuracy)]
    found = [probe for probe in known if probe.is_fingerprint]
    if not known:
        return
    source = "results/fingerprint.parquet: accuracy, low, chance"
    if found:
        worst = max(found, key=lambda probe: probe.accuracy)
        yield TakeAway(
            figure=percent(worst.accuracy),
            text=f"of the segments give their clip away to {worst.name} (chance: "
            f"{percent(worst.chance)}): it tells clips apart, so its clusters may too.",
            source=source,
        )
        return
    yield TakeAway(
        figure=f"0 of {len(known)}",
        text="modalities tell the clip of a segment better than chance "
        f"({percent(known[0].chance)}): none of them is a fingerprint of the clips.",
        source=source,
    )


def _noise(defaults: list[Clustering]) -> Iterator[TakeAway]:
    found = [c for c in defaults if c.clusters and c.noise_share > NOISY_SHARE]
    if found:
        yield TakeAway(
            figure=span([c.noise_share for c in found]),
            text=f"of the segments are noise to {_listed(found)}: the clusters describe the "
            "smaller part of the work.",
            source=LABELS,
        )


def _unseen(defaults: list[Clustering]) -> Iterator[TakeAway]:
    found = [c for c in defaults if c.unseen_share > UNSEEN_SHARE]
    if found:
        yield TakeAway(
            figure=span([c.unseen_share for c in found]),
            text=f"of the segments gave {_listed(found)} nothing to measure: not observable there.",
            source=LABELS,
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


def _listed(clusterings: list[Clustering]) -> str:
    *most, last = (_name(clustering) for clustering in clusterings)
    return f"{', '.join(most)} and {last}" if most else last
