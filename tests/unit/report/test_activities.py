"""The first screen: whose bouts are whose, how fast, and what a person said."""

import math

import numpy as np
import pandas as pd
import pytest

from offhand.annotations.edits import LONGEST_NAME, parse_edit, read_log, update_log
from offhand.report.activities import bouts_by_label, weighted_quantiles
from offhand.report.page import build_page
from offhand.report.tables import read_tables
from tests.unit.report.pages import read
from tests.unit.report.workspaces import make_workspace


def bouts(*rows):
    columns = ["clip_id", "start_s", "stop_s", "count", "period_s", "accepted"]
    return pd.DataFrame(rows, columns=columns)


def test_a_bout_belongs_to_the_cluster_of_most_of_its_time():
    labels = pd.DataFrame(
        {
            "clip_id": ["a", "a", "a"],
            "start_s": [0.0, 10.0, 14.0],
            "stop_s": [10.0, 14.0, 20.0],
            "label": [0, 1, 0],
        }
    )
    table = bouts(
        ("a", 8.0, 13.0, 3, 1.0, True),
        ("a", 9.0, 16.0, 3, 1.0, True),
        ("a", 2.0, 5.0, 3, 1.0, False),
        ("b", 2.0, 5.0, 3, 1.0, True),
        ("a", 30.0, 35.0, 3, 1.0, True),
    )
    found = bouts_by_label(table, labels)
    assert {label: own["start_s"].tolist() for label, own in found.items()} == {1: [8.0, 9.0]}


def test_two_stretches_of_a_cluster_count_together():
    labels = pd.DataFrame(
        {
            "clip_id": ["a", "a", "a"],
            "start_s": [0.0, 4.0, 7.0],
            "stop_s": [4.0, 7.0, 20.0],
            "label": [0, 1, 0],
        }
    )
    assert list(bouts_by_label(bouts(("a", 2.0, 9.0, 3, 1.0, True)), labels)) == [0]


@pytest.mark.parametrize(
    ("values", "weights", "expected"),
    [
        ([1.0, 2.0, 3.0], [1, 1, 1], 2.0),
        ([1.0, 2.0, 3.0], [1, 1, 8], 3.0),
        ([3.0, 1.0], [1, 5], 1.0),
        ([math.nan, 2.0], [9, 1], 2.0),
        ([1.0, 2.0], [0, 1], 2.0),
    ],
)
def test_the_median_is_over_repetitions(values, weights, expected):
    assert weighted_quantiles(np.array(values), np.array(weights, float), (0.5,)) == (expected,)


def test_without_a_repetition_there_is_no_tempo():
    assert all(math.isnan(q) for q in weighted_quantiles(np.empty(0), np.empty(0), (0.5, 0.9)))


def say(workspace, content):
    log = read_log(workspace.path)
    edit = read_tables(workspace).corrections.anchored(parse_edit(content))
    assert update_log(workspace.path, lambda _: log.added(edit)).edits


def ref(workspace, label=0):
    page = build_page(workspace)
    lead = page.modalities[0].default
    return {"modality": lead.modality, "clusterer": lead.clusterer, "label": label}


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '"it\'s"', "مرحبا", "🧱", "x" * LONGEST_NAME, "@previews@"],
)
def test_names_are_shown_and_escaped(tmp_path, name):
    workspace = make_workspace(tmp_path, ["a", "b"])
    say(workspace, {"kind": "name", "cluster": ref(workspace), "name": name})
    text, _ = read(workspace)
    assert text.count(name) >= 3
    assert "1 correction by hand is applied to this page" in text


def test_what_is_no_work_or_hidden_is_no_activity(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"])
    every = {row.cluster.label for row in build_page(workspace).activities.rows}
    for label, status in ((0, "not work"), (1, "hidden")):
        say(workspace, {"kind": "mark", "cluster": ref(workspace, label), "status": status})
    view = build_page(workspace).activities
    assert {row.cluster.label for row in view.rows} == every - {0, 1}
    assert [row.cluster.label for row in view.not_work] == [0]
    assert view.n_hidden == 1
    text, _ = read(workspace)
    assert "1 cluster marked as no work" in text
    assert "1 cluster hidden" in text


def test_a_cluster_that_was_changed_is_judged_no_more(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"])
    before = {row.cluster.label: row.cluster for row in build_page(workspace).activities.rows}
    assert before[0].p == before[0].p
    say(workspace, {"kind": "merge", "cluster": ref(workspace, 1), "into": ref(workspace, 0)})
    after = {row.cluster.label: row.cluster for row in build_page(workspace).activities.rows}
    assert set(after) == set(before) - {1}
    assert after[0].seconds == pytest.approx(before[0].seconds + before[1].seconds)
    assert after[0].p != after[0].p
    assert not after[0].is_confirmed
    assert "changed by hand, not judged" in read(workspace)[0]


def test_conflicts_are_shown(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"])
    say(workspace, {"kind": "name", "cluster": ref(workspace), "name": "<lost>"})
    workspace.tables["labels"] = workspace.tables["labels"].assign(label=-1)
    text, _ = read(workspace)
    assert "Corrections that do not fit these results" in text
    assert "“<lost>”: no cluster of these results holds most of its exemplars" in text
