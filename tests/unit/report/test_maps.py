"""Maps: the colours are those of the strips, the figures those of the points."""

import numpy as np
import pandas as pd
import pytest

from offhand.report.maps import MOST_POINTS
from offhand.report.page import build_page
from tests.unit.report.pages import read
from tests.unit.report.workspaces import make_workspace


def with_map(tmp_path, names, place, **options):
    """A run whose segments lie where ``place(clip number, label)`` says, and a little beside."""
    workspace = make_workspace(tmp_path, names, noise=0.0, **options)
    labels = workspace.tables["labels"]
    own = labels[(labels["scope"] == "pooled") & (labels["modality"] == "flow_rhythm")]
    own = own[own["is_default"].astype(bool)]
    rng = np.random.default_rng(0)
    xy = [
        place(names.index(clip_id), label)
        for clip_id, label in zip(own["clip_id"], own["label"], strict=True)
    ]
    workspace.tables["map"] = pd.DataFrame(
        {
            "modality": "flow_rhythm",
            "clip_id": own["clip_id"].to_numpy(),
            "segment_id": own["segment_id"].to_numpy(),
            "x": np.array(xy)[:, 0] + rng.normal(scale=0.005, size=len(own)),
            "y": np.array(xy)[:, 1] + rng.normal(scale=0.005, size=len(own)),
            "method": "t-SNE",
        }
    )
    return workspace


def shown(workspace):
    page = build_page(workspace)
    return next(m for m in page.modalities if m.name == "flow_rhythm")


def test_clips_that_lie_apart_are_a_fingerprint(tmp_path):
    names = ["a", "b", "c"]
    found = shown(with_map(tmp_path, names, lambda clip, label: (0.1 + 0.4 * clip, 0.5))).map
    assert found.same_clip == 1.0
    assert found.by_chance[0] == pytest.approx(11 / 35)


def test_clusters_that_lie_apart_are_an_activity(tmp_path):
    names = ["a", "b", "c"]
    modality = shown(with_map(tmp_path, names, lambda clip, label: (0.1 + 0.2 * label, 0.5)))
    assert modality.map.same_cluster == 1.0
    assert modality.map.same_clip < 0.8
    colours = {cluster.label: cluster.colour for cluster in modality.default.clusters}
    assert {point.colour for point in modality.map.points} <= set(colours.values())
    assert all(0 <= point.x <= 1000 for point in modality.map.points)


def test_a_map_of_many_points_is_thinned_and_says_so(tmp_path):
    workspace = with_map(
        tmp_path, ["a", "b"], lambda clip, label: (0.1 + 0.2 * label, 0.5), n_segments=MOST_POINTS
    )
    found = shown(workspace).map
    assert len(found.points) == MOST_POINTS
    assert found.n_left_out == MOST_POINTS
    assert f"{MOST_POINTS} segments not shown" in read(workspace)[0]


def test_without_the_table_there_is_no_map(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"])
    assert shown(workspace).map is None
    assert "Map of the segments" not in read(workspace)[0]
