"""Edits applied to results, and found again in the results of another run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from offhand.annotations.corrected import (
    BY_HAND,
    ConflictError,
    Corrected,
    corrected,
)
from offhand.annotations.edits import Log, parse_edit

KEY = ("late_fusion", "ward")
TABLES = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]


def tables(labels: dict[str, list[int]], *, length_s: float = 10.0, shift_s: float = 0.0) -> TABLES:
    """Return segments of equal length with labels, the first of each label an exemplar."""
    rows = [
        {
            "clip_id": clip,
            "segment_id": place,
            "start_s": max(0.0, place * length_s + shift_s),
            "stop_s": (place + 1) * length_s + (shift_s if place + 1 < len(own) else 0.0),
            "label": label,
        }
        for clip, own in labels.items()
        for place, label in enumerate(own)
    ]
    table = pd.DataFrame(rows)
    what = {"modality": KEY[0], "clusterer": KEY[1], "scope": "pooled"}
    segments = table[["clip_id", "segment_id", "start_s", "stop_s"]]
    labelled = table[["clip_id", "segment_id", "label"]].assign(
        **what, is_default=True, probability=1.0
    )
    other = labelled.assign(scope="clip")
    shown = labelled[labelled["label"] >= 0].drop_duplicates(["clip_id", "label"])
    exemplars = shown[["clip_id", "segment_id", "label"]].assign(**what, is_medoid=False)
    exemplars.loc[~exemplars.duplicated("label"), "is_medoid"] = True
    bouts = pd.DataFrame(
        {
            "clip_id": ["a", "a"],
            "start_s": [1.0, 11.0],
            "stop_s": [9.0, 19.0],
            "count": [8, 3],
            "period_s": [1.0, 2.5],
            "confidence": [0.9, 0.3],
            "accepted": [True, False],
            "reason": ["", "low confidence"],
            "rep_times_s": [np.arange(2.0, 10.0), np.array([13.0, 15.5, 18.0])],
        }
    )
    return segments, pd.concat([labelled, other], ignore_index=True), exemplars, bouts


LABELS = {"a": [0, 1, 0, 2], "b": [1, 1, -1, 2]}


def apply(log: Log, made: TABLES) -> Corrected:
    segments, labels, exemplars, repetitions = made
    return corrected(
        log, segments=segments, labels=labels, exemplars=exemplars, repetitions=repetitions
    )


def said(*edits: dict[str, Any], to: TABLES | None = None) -> Log:
    """Return the log of edits that a person makes one after the other, as the viewer saves them."""
    log, made = Log(), to or tables(LABELS)
    for content in edits:
        log = log.added(apply(log, made).anchored(parse_edit(content)))
    return log


def ref(label: int) -> dict[str, Any]:
    return {"modality": KEY[0], "clusterer": KEY[1], "label": label}


def name(label: int, text: str) -> dict[str, Any]:
    return {"kind": "name", "cluster": ref(label), "name": text}


def pooled(found: Corrected) -> dict[str, list[int]]:
    rows = found.labels[found.labels["scope"] == "pooled"]
    return {str(clip): own["label"].tolist() for clip, own in rows.groupby("clip_id")}


def test_a_name_is_found_again_under_another_number() -> None:
    log = said(name(1, "hammering"), name(2, "sawing"))
    again = apply(log, tables({"a": [2, 0, 2, 1], "b": [0, 0, -1, 1]}, shift_s=1.5))
    assert again.names == {(*KEY, 0): "hammering", (*KEY, 1): "sawing"}
    assert again.conflicts == ()


def test_a_name_whose_cluster_is_gone_is_a_conflict_and_names_nothing() -> None:
    log = said(name(1, "hammering"))
    again = apply(log, tables({"a": [0, 1, 0, 2], "b": [2, 3, -1, 2]}))
    assert again.names == {}
    (conflict,) = again.conflicts
    assert conflict.edit == 0
    assert "hammering" in conflict.text


def test_a_cluster_that_became_noise_is_a_conflict() -> None:
    again = apply(said(name(2, "sawing")), tables({"a": [0, 1, 0, -1], "b": [1, 1, -1, -1]}))
    assert again.names == {}
    assert len(again.conflicts) == 1


def test_two_names_that_meet_in_one_cluster_are_a_conflict_until_named_anew() -> None:
    log = said(name(0, "digging"), name(2, "sawing"))
    one = tables({"a": [0, 1, 0, 0], "b": [1, 1, -1, 0]})
    again = apply(log, one)
    assert again.names == {(*KEY, 0): "sawing"}
    (conflict,) = again.conflicts
    assert "digging" in conflict.text
    settled = log.added(again.anchored(parse_edit(name(0, "both"))))
    assert apply(settled, one).names == {(*KEY, 0): "both"}
    assert apply(settled, one).conflicts == ()


def test_naming_again_is_no_conflict_and_an_empty_name_takes_it_away() -> None:
    found = apply(said(name(1, "hammering"), name(1, "pounding")), tables(LABELS))
    assert found.names == {(*KEY, 1): "pounding"}
    assert found.conflicts == ()
    found = apply(said(name(1, "hammering"), name(1, " ")), tables(LABELS))
    assert found.names == {}


def test_marks() -> None:
    mark = {"kind": "mark", "cluster": ref(0), "status": "hidden"}
    assert apply(said(mark), tables(LABELS)).statuses == {(*KEY, 0): "hidden"}
    back = mark | {"status": "activity"}
    assert apply(said(mark, back), tables(LABELS)).statuses == {}


def test_a_merge_moves_all_and_keeps_one_exemplar_a_clip() -> None:
    merge = {"kind": "merge", "cluster": ref(0), "into": ref(1)}
    found = apply(said(name(0, "digging"), merge), tables(LABELS))
    assert pooled(found) == {"a": [1, 1, 1, 2], "b": [1, 1, -1, 2]}
    own = found.exemplars[found.exemplars["label"] == 1]
    assert sorted(own["clip_id"]) == ["a", "b"]
    assert own["is_medoid"].sum() == 1
    assert found.names == {(*KEY, 1): "digging"}
    assert found.edited == {(*KEY, 1)}
    alone = found.labels[found.labels["scope"] == "clip"]
    assert alone["label"].tolist() == [0, 1, 0, 2, 1, 1, -1, 2]


def test_a_merge_of_what_is_one_already_is_a_conflict() -> None:
    merge = {"kind": "merge", "cluster": ref(0), "into": ref(1)}
    again = apply(said(merge), tables({"a": [0, 0, 0, 2], "b": [0, 0, -1, 2]}))
    assert len(again.conflicts) == 1
    assert pooled(again)["a"] == [0, 0, 0, 2]


def test_a_split_makes_a_cluster_that_can_be_named_and_merged() -> None:
    stretch = {"clip_id": "b", "start_s": 10.0, "stop_s": 20.0}
    split = {"kind": "split", "cluster": ref(1), "segments": [stretch], "name": "special"}
    found = apply(said(split), tables(LABELS))
    assert pooled(found) == {"a": [0, 1, 0, 2], "b": [1, 3, -1, 2]}
    assert found.names == {(*KEY, 3): "special"}
    more = said(split, name(3, "other"), {"kind": "merge", "cluster": ref(3), "into": ref(0)})
    assert pooled(apply(more, tables(LABELS)))["b"] == [1, 0, -1, 2]


def test_a_split_of_everything_or_of_what_is_elsewhere_is_a_conflict() -> None:
    whole = [
        {"clip_id": "a", "start_s": 30.0, "stop_s": 40.0},
        {"clip_id": "b", "start_s": 30.0, "stop_s": 40.0},
    ]
    split = {"kind": "split", "cluster": ref(2), "segments": whole}
    assert "all of its segments" in apply(said(split), tables(LABELS)).conflicts[0].text
    split |= {"segments": [{"clip_id": "a", "start_s": 0.0, "stop_s": 10.0}]}
    assert "not in the cluster" in apply(said(split), tables(LABELS)).conflicts[0].text


@pytest.mark.parametrize(("from_s", "to_s"), [(10.0, 12.0), (10.4, 12.0)])
def test_a_boundary_moves_for_both_its_segments(from_s: float, to_s: float) -> None:
    move = {"kind": "boundary", "clip_id": "a", "from_s": from_s, "to_s": to_s}
    found = apply(said(move), tables(LABELS))
    own = found.segments[found.segments["clip_id"] == "a"]
    assert own["stop_s"].tolist() == [12.0, 20.0, 30.0, 40.0]
    assert own["start_s"].tolist() == [0.0, 12.0, 20.0, 30.0]
    assert found.segments[found.segments["clip_id"] == "b"]["start_s"].tolist()[1] == 10.0


@pytest.mark.parametrize(("from_s", "to_s"), [(15.0, 16.0), (10.0, 0.0), (10.0, 25.0), (0.0, 1.0)])
def test_an_impossible_boundary_is_a_conflict(from_s: float, to_s: float) -> None:
    move = {"kind": "boundary", "clip_id": "a", "from_s": from_s, "to_s": to_s}
    found = apply(said(move), tables(LABELS))
    assert len(found.conflicts) == 1
    assert found.segments["start_s"].tolist()[:4] == [0.0, 10.0, 20.0, 30.0]


def test_a_count_replaces_what_was_measured() -> None:
    count = {
        "kind": "count",
        "stretch": {"clip_id": "a", "start_s": 10.5, "stop_s": 19.0},
        "count": 4,
    }
    found = apply(said(count), tables(LABELS)).repetitions
    assert found["count"].tolist() == [8, 4]
    assert found["accepted"].tolist() == [True, True]
    assert found["by_hand"].tolist() == [False, True]
    assert np.isnan(found["period_s"][1])
    assert len(found["rep_times_s"][1]) == 0
    assert len(found["rep_times_s"][0]) == 8


def test_a_count_can_be_rejected() -> None:
    count = {
        "kind": "count",
        "stretch": {"clip_id": "a", "start_s": 1.0, "stop_s": 9.0},
        "count": None,
    }
    found = apply(said(count), tables(LABELS)).repetitions
    assert found["accepted"].tolist() == [False, False]
    assert found["reason"].tolist() == [BY_HAND, "low confidence"]


def test_a_count_of_another_stretch_is_a_conflict() -> None:
    count = {
        "kind": "count",
        "stretch": {"clip_id": "a", "start_s": 20.0, "stop_s": 29.0},
        "count": 4,
    }
    found = apply(said(count), tables(LABELS))
    assert len(found.conflicts) == 1
    assert found.repetitions["count"].tolist() == [8, 3]


def test_what_is_put_in_stays_as_it_was() -> None:
    made = tables(LABELS)
    before = [table.copy(deep=True) for table in made]
    merge = {"kind": "merge", "cluster": ref(0), "into": ref(1)}
    move = {"kind": "boundary", "clip_id": "a", "from_s": 10.0, "to_s": 12.0}
    stretch = {"clip_id": "a", "start_s": 1.0, "stop_s": 9.0}
    apply(said(merge, move, {"kind": "count", "stretch": stretch, "count": 1}), made)
    for was, table in zip(before, made, strict=True):
        pd.testing.assert_frame_equal(was, table)


def test_a_cluster_that_is_not_there_cannot_be_named() -> None:
    with pytest.raises(ConflictError, match="no cluster C9"):
        said(name(9, "nothing"))


def test_without_exemplars_nothing_is_found() -> None:
    found = apply(Log().added(parse_edit(name(1, "hammering"))), tables(LABELS))
    assert found.names == {}
    assert "exemplar" in found.conflicts[0].text
