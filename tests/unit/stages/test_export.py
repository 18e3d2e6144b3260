"""Results as people corrected them, and stretches of video as files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from offhand.annotations.edits import Log, parse_edit, update_log
from offhand.cli import main
from offhand.errors import ExportError, StoreError
from offhand.exports.formats import FORMATS
from offhand.records import Clip
from offhand.stages.activities import corrected_results, timelines, write_activities
from offhand.stages.export import cut_activity, export
from offhand.stages.results import JOINED, stacked
from offhand.store import parquet
from offhand.store.workspace import Workspace
from offhand.video.decode import FrameReader
from tests.fixtures.videos import even_times, marked, write
from tests.unit.viewer.saved import save

MODALITY = "flow_rhythm"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Two clips of 60 s on paper, and of 12 s on disk; one bout of four repetitions in clip a."""
    videos = tmp_path / "videos"
    videos.mkdir()
    for place, name in enumerate(("a", "b")):
        write(videos / f"{name}.mp4", marked(even_times(180), seed=place))
    workspace = Workspace(save(tmp_path / "out", ["a", "b", "gone"], videos=videos))
    bout = {
        "clip_id": "a",
        "bout_id": 0,
        "segment_id": 0,
        "start_s": 0.5,
        "stop_s": 4.5,
        "period_s": 1.0,
        "count": 4,
        "rep_times_s": np.array([1.5, 2.5, 3.5, 4.5]),
        "n_strokes": 8,
        "confidence": 0.9,
        "accepted": True,
        "reason": "",
        "witnesses": "",
        "likeness": 0.5,
        "seed_accepted": False,
        "seed_count": 0,
    }
    table = stacked([pd.DataFrame([bout])], JOINED["repetitions"])
    parquet.write_frame(workspace.table_path("repetitions"), table)
    return workspace


def name_first(workspace: Workspace, name: str) -> int:
    """Name the cluster of the first segment that has one; return its label."""
    line = timelines(workspace, MODALITY)[0]
    label = next(one.label for one in line.intervals if one.label >= 0)
    labels = workspace.table("labels")
    clusterer = labels[labels["is_default"] & (labels["modality"] == MODALITY)]["clusterer"]
    ref = {"modality": MODALITY, "clusterer": clusterer.iloc[0], "label": label}
    edit = parse_edit({"kind": "name", "cluster": ref, "name": name})
    edit = corrected_results(workspace).anchored(edit)
    update_log(workspace.path, lambda log: Log(edits=(*log.edits, edit)))
    return label


def _first(workspace: Workspace) -> int:
    line = timelines(workspace, MODALITY)[0]
    return next(one.label for one in line.intervals if one.label >= 0)


def test_timelines_carry_names_and_trusted_counts(workspace: Workspace) -> None:
    label = name_first(workspace, "hammering")
    first, second, third = timelines(workspace, MODALITY)
    assert [first.clip_id, second.clip_id, third.clip_id] == ["a", "b", "gone"]
    assert {one.activity for one in first.intervals if one.label == label} == {"hammering"}
    noise = [one for one in first.intervals if one.label < 0]
    assert all(one.status in ("noise", "not described") and not one.activity for one in noise)
    starts = [one.start_s for one in first.intervals]
    assert starts == sorted(starts)
    (bout,) = first.bouts
    assert (bout.count, bout.by_hand, len(bout.rep_times_s)) == (4, False, 4)


def test_the_table_of_activities(workspace: Workspace) -> None:
    name_first(workspace, "hammering")
    write_activities(workspace)
    table = workspace.table("activities")
    labels = workspace.table("labels")
    wanted = labels[(labels["scope"] == "pooled") & labels["is_default"]]
    assert len(table) == len(wanted)
    assert set(table.loc[table["activity"] == "hammering", "modality"]) == {MODALITY}
    assert set(table.loc[table["label"] < 0, "activity"]) <= {""}


def test_a_count_by_hand_is_exported_as_such(workspace: Workspace) -> None:
    stretch = {"clip_id": "a", "start_s": 0.5, "stop_s": 4.5}
    edit = parse_edit({"kind": "count", "stretch": stretch, "count": 9})
    update_log(workspace.path, lambda log: log.added(edit))
    (bout,) = timelines(workspace, MODALITY)[0].bouts
    assert (bout.count, bout.by_hand, bout.rep_times_s) == (9, True, ())
    assert math.isnan(bout.confidence)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "rerun"])
def test_every_format_is_written(workspace: Workspace, name: str) -> None:
    name_first(workspace, '<b>"hammering" 🔨 مرحبا')
    folder = export(str(workspace.path), name, modality=MODALITY)
    assert folder == workspace.path / "exports" / name
    files = [path for path in folder.iterdir() if path.is_file()]
    assert files
    assert all(path.stat().st_size > 0 for path in files)


def test_another_modality_is_told(workspace: Workspace) -> None:
    with pytest.raises(StoreError, match="no clusters of nothing; there are: flow_rhythm"):
        export(str(workspace.path), "csv", modality="nothing")


def frames_of(path: Path) -> int:
    reader = FrameReader(Clip(clip_id="x", path=str(path)), [])
    assert not list(reader)
    assert reader.info.codec == "vp9"
    return reader.info.n_frames


def test_repetitions_are_cut_one_by_one(workspace: Workspace) -> None:
    label = next(
        one.label for one in timelines(workspace, MODALITY)[0].intervals if one.segment_id == 0
    )
    if label < 0:
        pytest.fail("the made-up run has noise where the bout lies")
    files, failures = cut_activity(
        str(workspace.path), f"C{label}", what="repetitions", modality=MODALITY
    )
    assert failures == []
    assert len(files) == 4
    assert [frames_of(path) for path in files] == [15, 15, 15, 15]


def test_a_stretch_that_cannot_be_read_costs_the_others_nothing(workspace: Workspace) -> None:
    label = name_first(workspace, "hammering")
    files, failures = cut_activity(
        str(workspace.path), "Hammering", what="segments", modality=MODALITY
    )
    assert files
    assert all(path.name.startswith("hammering_") for path in files)
    assert any("gone" in reason or "no frame" in reason for reason in failures)
    assert label >= 0


def test_an_unknown_activity_is_told_with_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(ExportError, match="no activity C99; there are: C0"):
        cut_activity(str(workspace.path), "C99", modality=MODALITY)


def test_a_number_goes_before_a_name(workspace: Workspace) -> None:
    label = name_first(workspace, "C1" if _first(workspace) != 1 else "C0")
    other = 1 if label != 1 else 0
    files, _ = cut_activity(str(workspace.path), str(other), what="segments", modality=MODALITY)
    starts = {
        (line.clip_id, f"{one.start_s:07.2f}")
        for line in timelines(workspace, MODALITY)
        for one in line.intervals
        if one.label == other
    }
    cut = {tuple(path.stem.rpartition("-")[0].split("_")[-2:]) for path in files}
    assert cut
    assert cut <= starts


def test_exemplars_are_those_of_the_default_clusterer(workspace: Workspace) -> None:
    line = timelines(workspace, MODALITY)[0]
    label = _first(workspace)
    own = [one for one in line.intervals if one.label == label]
    labels = workspace.table("labels")
    leading = labels[labels["is_default"] & (labels["modality"] == MODALITY)]["clusterer"].iloc[0]
    table = workspace.table("exemplars")
    mine = (table["modality"] == MODALITY) & (table["label"] == label) & (table["clip_id"] == "a")
    table = table[~mine]
    rows = [
        {"clusterer": clusterer, "segment_id": one.segment_id}
        for clusterer, one in ((leading, own[-1]), ("another", own[0]))
    ]
    added = pd.DataFrame(rows).assign(
        modality=MODALITY, scope="pooled", label=label, clip_id="a", is_medoid=False
    )
    both = pd.concat([table, added], ignore_index=True)[list(table.columns)]
    parquet.write_frame(workspace.table_path("exemplars"), both)
    files, _ = cut_activity(str(workspace.path), f"C{label}", modality=MODALITY)
    starts = [path.stem.rpartition("-")[0].split("_")[-2:] for path in files]
    assert len(own) > 1
    assert ["a", f"{own[0].start_s:07.2f}"] not in starts


def test_counts_by_hand_have_no_repetitions_to_cut(workspace: Workspace) -> None:
    stretch = {"clip_id": "a", "start_s": 0.5, "stop_s": 4.5}
    edit = parse_edit({"kind": "count", "stretch": stretch, "count": 9})
    update_log(workspace.path, lambda log: log.added(edit))
    label = next(
        one.label for one in timelines(workspace, MODALITY)[0].intervals if one.segment_id == 0
    )
    with pytest.raises(ExportError, match="no repetitions of"):
        cut_activity(str(workspace.path), f"C{label}", what="repetitions", modality=MODALITY)


def test_a_name_that_two_clusters_have_is_asked_for_by_number(workspace: Workspace) -> None:
    first = name_first(workspace, "twice")
    found = corrected_results(workspace)
    (modality, clusterer, _), *_ = found.names
    ref = {"modality": modality, "clusterer": clusterer, "label": 1 if first == 0 else 0}
    edit = found.anchored(parse_edit({"kind": "name", "cluster": ref, "name": "TWICE"}))
    update_log(workspace.path, lambda log: log.added(edit))
    with pytest.raises(ExportError, match="name one by its number"):
        cut_activity(str(workspace.path), "twice", modality=MODALITY)


def test_the_command_line(workspace: Workspace, tmp_path: Path) -> None:
    def ask(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, [*arguments])
        return result.exit_code, result.output

    out = str(workspace.path)
    code, said = ask(
        "export", out, "--to", "csv", "--modality", MODALITY, "-o", str(tmp_path / "x")
    )
    assert (code, said.strip()) == (0, str(tmp_path / "x"))
    assert (tmp_path / "x" / "activities.csv").is_file()
    code, said = ask("export", out, "--to", "word")
    assert code == 2
    assert "csv, jsonl, elan" in said
    code, said = ask("clip", out, "C99", "--modality", MODALITY)
    assert code == 1
    assert "no activity C99" in said
    code, said = ask("export", str(tmp_path), "--to", "csv")
    assert code == 1
    assert "not an offhand workspace" in said
