"""What the segments of a cluster have in common, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from offhand.records import FloatArray
from offhand.report.tables import PLACE, TOOLS, IntArray, numbers, reader_columns, used_columns
from offhand.report.view_clusters import Fact
from offhand.report.wording import (
    NOT_OBSERVABLE,
    NOT_PERIODIC,
    SPACE,
    feature_words,
    number,
    percent,
)

MOST_FACTS = 7
MOST_TOOLS = 3
OFTEN = 0.25  # share of a cluster's segments from which a tool other than the first is worth naming
NO_BODY = "no body seen"
NO_TOOL = "none named"

HEADLINES = {
    "flow_rhythm": ("period_s",),
    "ego_motion": ("camera_speed",),
}
"""Facts of a modality that stand for it beside those of others; else its first one."""

POSTURE = (
    ("torso_lean_deg", "torso lean", f"{SPACE}°"),
    ("working_wrist_speed", "wrist speed", f"{SPACE}torso lengths/s"),
    ("bob_period_s", "bob period", f"{SPACE}s"),
    ("working_elbow_deg", "elbow", f"{SPACE}°"),
    ("knee_deg", "knee", f"{SPACE}°"),
)
"""Columns of ``body_pose``, their names for readers, and their units."""


def cluster_facts(
    kept: pd.DataFrame, features: Mapping[str, pd.DataFrame]
) -> dict[int, tuple[Fact, ...]]:
    """Return what informs the reader of each cluster, by label.

    Parameters
    ----------
    kept
        Label rows without noise, from :class:`offhand.report.tables.Tables`.
    features
        Features by modality: all facts of one, the headlines of several.
    """
    found: dict[int, list[Fact]] = {}
    place, label = (kept[name].to_numpy(np.int64) for name in (PLACE, "label"))
    for modality, table in sorted(features.items(), key=lambda pair: _place(pair[0])):
        row = np.searchsorted(table[PLACE], place)  # features are in the order of their places
        row[row == len(table)] = -1
        told = table.drop(columns=["clip_id", "segment_id"])
        usual = told[used_columns(told)].mean() if modality == TOOLS else None
        known = np.flatnonzero(table[PLACE].to_numpy()[row] == place) if len(table) else row[:0]
        for own, rows in groups(label[known]):
            facts = _facts(
                modality, told.take(row[known[rows]]), usual, is_alone=len(features) == 1
            )
            found.setdefault(own, []).extend(facts)
    return {label: tuple(facts) for label, facts in found.items()}


def groups(labels: IntArray) -> Iterator[tuple[int, IntArray]]:
    """Return each different label with its positions, both in ascending order."""
    if not len(labels):
        return
    order = np.argsort(labels, kind="stable")
    values, first = np.unique(labels[order], return_index=True)
    yield from zip(values.tolist(), np.split(order, first[1:]), strict=True)


def _place(modality: str) -> int:
    order = [*HEADLINES, "tool_presence", "body_pose"]
    return order.index(modality) if modality in order else len(order)


def _facts(
    modality: str, rows: pd.DataFrame, usual: pd.Series[float] | None, *, is_alone: bool
) -> list[Fact]:
    """Return the facts of one modality on the segments of one cluster; ``usual`` is of tools."""
    if modality == "body_pose":
        return _pose_facts(rows, is_alone=is_alone)
    if usual is not None:
        return _tool_facts(rows, usual)
    columns = reader_columns(rows)
    if not is_alone:
        columns = [c for c in HEADLINES.get(modality, columns[:1]) if c in columns]
    return [_fact(column, rows) for column in columns[:MOST_FACTS]]


def _fact(column: str, rows: pd.DataFrame) -> Fact:
    name, text = feature_words(column, _typical(numbers(rows[column])))
    return Fact(name=name, text=text)


def _pose_facts(rows: pd.DataFrame, *, is_alone: bool) -> list[Fact]:
    """Return how much of the body is in view, and the posture where that is known."""
    share = numbers(rows["body_share"])
    known = share[np.isfinite(share)]
    if len(known) == 0:
        return [Fact(name="body", text=NOT_OBSERVABLE)]
    if not known.any():
        return [Fact(name="body", text=NO_BODY)]
    facts = [Fact(name="body in view", text=percent(float(known.mean())))]
    for column, name, unit in POSTURE if is_alone else POSTURE[:2]:
        value = _typical(numbers(rows[column]))
        if np.isfinite(value):
            facts.append(Fact(name=name, text=f"{number(value, significant=2)}{unit}"))
        elif column == "bob_period_s" and len(facts) > 1:
            facts.append(Fact(name=name, text=NOT_PERIODIC))
    return facts


def named_tools(rows: pd.DataFrame) -> Counter[str]:
    """Return in how many segments each tool is named, the most frequent first.

    Parameters
    ----------
    rows
        Rows of the features of ``tool_presence``.
    """
    prompts = used_columns(rows)  # their order tells what the positions in best_tool mean
    places = np.concatenate([numbers(rows[column]) for column in ("best_tool", "second_tool")])
    named, sizes = np.unique(places[np.isfinite(places)].astype(np.int64), return_counts=True)
    found = Counter({prompts[k]: n for k, n in zip(named.tolist(), sizes.tolist(), strict=True)})
    return Counter(dict(found.most_common()))


def _tool_facts(rows: pd.DataFrame, usual: pd.Series[float]) -> list[Fact]:
    """Return the tools named most often, and those with higher scores than in other segments."""
    best = _typical(numbers(rows["best_score"]))
    if not np.isfinite(best):
        return [Fact(name="tools", text=NOT_OBSERVABLE)]
    named = named_tools(rows).most_common(MOST_TOOLS)
    shown = [pair for pair in named if pair == named[0] or pair[1] >= OFTEN * len(rows)]
    each = ", ".join(f"{tool} ({n} of {len(rows)})" for tool, n in shown)
    none = f"{NO_TOOL} (best score {number(best, significant=2)})"
    facts = [Fact(name="tools", text=each or none)]
    raised = (rows[usual.index].mean() - usual).sort_values(ascending=False)
    more = [str(prompt) for prompt in raised.index[:2] if raised[prompt] > 0]
    if more:
        facts.append(Fact(name="raised scores", text=", ".join(more)))
    return facts


def _typical(values: FloatArray) -> float:
    """Return the median, NaN where fewer than half of the values are finite."""
    finite = values[np.isfinite(values)]
    if len(finite) == 0 or 2 * len(finite) < len(values):
        return float("nan")
    return float(np.median(finite))
