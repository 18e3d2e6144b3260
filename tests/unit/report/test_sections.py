"""What the page says of hands, bodies, models, modalities and their fusion."""

import math

import numpy as np
import pandas as pd
import pytest

from offhand.errors import StoreError
from offhand.report.page import build_page
from tests.unit.report.pages import read
from tests.unit.report.workspaces import ALL, make_workspace

REASON = "no weights {0} on this machine; get them: offhand weights pull {0}"
POSE, TOOLS = ("body_pose", "late_fusion"), ("tool_presence", "late_fusion")
COVERAGES = {"hands": "hand_", "pose": "pose_"}


def lose(workspace, signal, weights, modality=""):
    """Leave out a signal, and the modality that needs it, as a run without the weights does."""
    tables = workspace.tables
    reason = REASON.format(weights)
    rows = tables["signals"]["signal"] == signal
    tables["signals"].loc[rows, ["status", "reason", "weights"]] = ["absent", reason, ""]
    rows = tables["modalities"]["modality"] == modality
    absent = ["absent", f"{signal}: {reason}", ""]
    tables["modalities"].loc[rows, ["status", "reason", "signals"]] = absent
    for name in ("labels", "exemplars", "consistency", "fusion"):
        tables[name] = tables[name][tables[name]["modality"] != modality]
    workspace._features.pop(modality, None)
    for column in tables["clips"]:
        if column.startswith(COVERAGES.get(signal, "-")):
            tables["clips"][column] = math.nan


def facts_of(workspace, modality):
    (found,) = [m.default for m in build_page(workspace).modalities if m.name == modality]
    return {c.label: {f.name: plain(f.text) for f in c.facts} for c in found.clusters}


def plain(text):
    return text.replace("\u00a0", " ")


def text_of(workspace):
    return plain(read(workspace)[0])


def test_everything_computed(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b", "c"], modalities=ALL)
    text, source = read(workspace)
    page = build_page(workspace)
    names = [modality.name for modality in page.modalities]
    assert names[0] == "late_fusion"
    assert set(names) == set(ALL)
    assert {row.name for row in page.evidence.ranked} == {name.replace("_", " ") for name in ALL}
    assert all([strip.modality for strip in clip.strips] == names for clip in page.clips)
    assert [column for column, _ in page.matrix.columns] == names
    assert [step.name for step in page.steps] == names
    assert page.absent == ()
    assert "Absent in this run" not in text
    assert source.count('<details class="modality"') == len(ALL)
    assert source.count('<details class="modality" id="modality-1" open>') == 1


def test_coverage_of_each_clip(tmp_path):
    text = text_of(make_workspace(tmp_path, ["a", "b", "broken"], failed=["broken"]))
    assert "a 12 % 10 to 15 % 24 % 22 to 27 % 6 %" in text
    assert "b 13 % 11 to 16 % 26 % 24 to 29 % 6 %" in text
    assert "broken not measured not measured not measured" in text
    assert "Hands and bodies not measured in broken: the clip could not be analysed" in text
    assert "In 2 of 2 clips neither method finds a hand in half of the frames" in text
    assert (
        "12 to 13 % of the frames of a clip hold a hand that the detector finds; 24 to 26" in text
    )


@pytest.mark.parametrize(
    ("highest", "is_told"),
    [((0.4, 0.4, 0.9), True), ((0.4, 0.9, 0.9), False), ((0.4, math.nan, 0.9), False)],
)
def test_why_hands_are_not_followed_is_told_where_figures_support_it(tmp_path, highest, is_told):
    workspace = make_workspace(tmp_path, ["a", "b", "c"])
    clips = workspace.tables["clips"]
    clips["hand_coverage_tracker_high"] = highest
    lost = clips["hand_coverage_tracker_high"].isna()
    clips.loc[lost, [c for c in clips if c.startswith("hand_")]] = math.nan
    text = text_of(workspace)
    assert ("Why not follow the hands?" in text) is is_told
    assert ("Hands alone cannot tell" in text) is is_told
    assert ("Hands not measured in b: none of the frames" in text) is bool(lost.any())


def test_what_was_not_measured_is_no_zero(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=POSE)
    lose(workspace, "hands", "mediapipe_hands")
    lose(workspace, "pose", "mediapipe_pose", "body_pose")
    text, source = read(workspace)
    page = build_page(workspace)
    assert page.coverage.rows == ()
    assert "Hands not measured: no weights mediapipe_hands on this machine" in text
    assert "Bodies not measured: no weights mediapipe_pose on this machine" in text
    assert '<code class="command">offhand weights pull mediapipe_pose</code>' in source
    assert [(step.kind, step.name) for step in page.absent] == [
        ("modality", "body_pose"),
        ("signal", "hands"),
    ]
    assert "body_pose" not in {step.name for step in page.steps}
    for words in ("hold a hand", "show a body", "Why not follow"):
        assert words not in text


def test_hands_without_bodies(tmp_path):
    workspace = make_workspace(tmp_path, ["a"], modalities=POSE)
    lose(workspace, "pose", "mediapipe_pose", "body_pose")
    text = text_of(workspace)
    assert "a 12 % 10 to 15 % 24 % 22 to 27 % not measured" in text
    assert "Hands not measured" not in text
    assert "12 % of the frames hold a hand that the detector finds; 24 % one" in text


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((0.0, 0.0), "0 % of the frames of a clip show a body: nothing can be said of posture."),
        ((0.1, 0.3), "10 to 30 % of the frames of a clip show a body: posture describes the"),
        ((0.1, 0.8), "10 to 80 % of the frames of a clip show a body."),
    ],
)
def test_bodies_in_view(tmp_path, shares, words):
    workspace = make_workspace(tmp_path, ["a", "b"])
    workspace.tables["clips"]["pose_coverage"] = shares
    assert words in text_of(workspace)


def test_models_stand_beside_the_modalities_that_read_them(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=ALL)
    signals = workspace.tables["signals"]
    signals.loc[signals["signal"] == "pose", "weights"] = "/home/someone/models/my pose"
    text, source = read(workspace)
    assert "pose my pose" in text
    assert "/home/someone" not in source
    assert "tools lite0" in text
    assert "motion no model" in text


def test_notes_are_told_once(tmp_path):
    text = text_of(make_workspace(tmp_path, ["a", "b"], modalities=TOOLS))
    assert text.count("motion lens: none") == 1
    assert text.count("hands look: only a") == 1
    assert text.count("unsupported: brick") == 1
    assert "pose model" not in text


def test_fusion_weights(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=ALL)
    steps = {step.name: step for step in build_page(workspace).steps}
    fusion = workspace.tables["fusion"]
    for row in fusion.to_dict("records"):
        step = steps[row["modality"]]
        assert (step.weight, step.agreement) == (row["weight"], row["agreement"])
    assert math.isnan(steps["late_fusion"].weight)
    text = text_of(workspace)
    assert "33 % of late fusion is video embedding" in text
    assert "flow rhythm counts least, 7 %" in text
    assert "chosen without labels: the more of its view" in text
    assert "Nothing could be compared" not in text
    fusion["agreement"] = math.nan
    text = text_of(workspace)
    assert "of late fusion is" not in text
    assert text.count("not known") == len(fusion)
    assert "Nothing could be compared in this run" in text


def test_modalities_that_count_alike(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=ALL)
    workspace.tables["fusion"]["weight"] = 0.2
    text = text_of(workspace)
    assert "20 % of late fusion is each of 5 modalities" in text
    assert "counts least" not in text


def test_modalities_that_do_not_agree(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=ALL)
    workspace.tables["fusion"]["agreement"] = -0.1
    text = text_of(workspace)
    assert "5 modalities do not agree on which segments are alike" in text
    assert "−0.10" in text


def test_nothing_is_fused(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=("flow_rhythm", "late_fusion"))
    lose(workspace, "", "", "late_fusion")
    rows = workspace.tables["modalities"]["modality"] == "late_fusion"
    workspace.tables["modalities"].loc[rows, "reason"] = "there are fewer than two to fuse"
    workspace.tables["fusion"] = workspace.tables["fusion"].iloc[:0]
    text = text_of(workspace)
    assert "counts in the fusion" not in text
    assert "there are fewer than two to fuse" in text
    assert [strip.modality for strip in build_page(workspace).clips[0].strips] == ["flow_rhythm"]


def test_facts_of_a_fused_cluster_come_from_every_modality(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=ALL, k=1, noise=0)
    (facts,) = facts_of(workspace, "late_fusion").values()
    assert list(facts)[:4] == ["period", "tools", "body in view", "torso lean"]
    assert facts["tools"] == "hammer (24 of 24)"
    assert facts["body in view"] == "25 %"
    assert facts["torso lean"] == "12 °"
    assert facts["period"] == "1.37 s"
    assert [facts] == list(facts_of(workspace, "video_embedding").values())
    (alone,) = facts_of(workspace, "body_pose").values()
    assert alone["bob period"] == "0.25 s"


def test_no_body_is_no_zero(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=POSE, k=1, noise=0)
    table = workspace.features("body_pose")
    table.loc[:, [c for c in table if c not in ("clip_id", "segment_id")]] = math.nan
    for share, words in ((math.nan, "not observable here"), (0.0, "no body seen")):
        table["body_share"] = share
        (facts,) = facts_of(workspace, "late_fusion").values()
        assert facts["body"] == words
        assert "torso lean" not in facts
        assert "body in view" not in facts


def test_a_body_that_does_not_bob(tmp_path):
    workspace = make_workspace(tmp_path, ["a"], modalities=POSE, k=1, noise=0)
    workspace.features("body_pose")["bob_period_s"] = math.nan
    (facts,) = facts_of(workspace, "body_pose").values()
    assert facts["bob period"] == "not periodic"


def test_tools_are_named_from_their_positions(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=TOOLS, k=1, noise=0)
    table = workspace.features("tool_presence")
    table.loc[table.index[:20], "second_tool"] = 2.0
    table.loc[table.index[:6], "best_tool"] = math.nan
    (facts,) = facts_of(workspace, "tool_presence").values()
    assert facts["tools"] == "hand <saw> (20 of 24), hammer (18 of 24)"
    assert "75 % of the segments have a tool that can be named: hand <saw>" in text_of(workspace)
    table["best_tool"] = table["second_tool"] = math.nan
    table["best_score"] = 0.04
    (facts,) = facts_of(workspace, "late_fusion").values()
    assert facts["tools"] == "none named (best score 0.04)"
    assert "No tool is seen clearly enough" in text_of(workspace)
    table["best_score"] = math.nan
    (facts,) = facts_of(workspace, "late_fusion").values()
    assert facts["tools"] == "not observable here"
    assert "seen clearly enough" not in text_of(workspace)


def test_what_a_cluster_holds_more_of_than_others(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=TOOLS, k=2, noise=0)
    own = workspace.tables["labels"].query(
        "modality == 'tool_presence' and clusterer == 'ward' and scope == 'pooled'"
    )
    table = workspace.features("tool_presence")
    assert (own["segment_id"].to_numpy() == table["segment_id"].to_numpy()).all()
    table["hammer"] = (own["label"] == 1).to_numpy(float)
    facts = facts_of(workspace, "tool_presence")
    assert facts[1]["raised scores"] == "hammer"
    assert "hammer" not in facts[0].get("raised scores", "")


def test_undescribed_segments_are_not_noise(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=POSE, noise=0.3)
    table = workspace.features("body_pose")
    workspace.hide("body_pose", (table["segment_id"] % 2 == 0).to_numpy())
    page = build_page(workspace)
    (modality,) = [m for m in page.modalities if m.name == "body_pose"]
    labels = workspace.tables["labels"].query("modality == 'body_pose' and scope == 'pooled'")
    for clustering in (modality.default, *modality.others):
        rows = labels[labels["clusterer"] == clustering.clusterer]
        assert clustering.unseen_share == pytest.approx(0.5)
        assert clustering.noise_share == pytest.approx((rows["label"] < 0).mean() - 0.5)
        assert clustering.unseen_time_share == pytest.approx(0.5)
    (strip,) = [s for s in page.clips[0].strips if s.modality == "body_pose"]
    assert [block.name == "not observable here" for block in strip.blocks] == [True, False] * 6
    (step,) = [s for s in page.steps if s.name == "body_pose"]
    assert step.described_share == pytest.approx(0.5)
    assert read(workspace)[1].count('<i class="ku"') > 10


def test_a_clusterer_that_refuses_leaves_noise(tmp_path):
    workspace = make_workspace(tmp_path, ["a"], noise=0)
    workspace.tables["labels"][["label", "probability"]] = -1, math.nan
    page = build_page(workspace)
    assert {(m.default.unseen_share, m.default.noise_share) for m in page.modalities} == {(0, 1)}


def test_a_modality_that_describes_nothing(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], modalities=POSE)
    workspace.hide("body_pose", [True] * 24)
    rows = workspace.tables["exemplars"]["modality"] == "body_pose"
    workspace.tables["exemplars"] = workspace.tables["exemplars"][~rows]
    text = text_of(workspace)
    assert "Posture and its rhythm, where a body is in view. Not observable here." in text
    assert "100 % of the segments gave body pose (ward) nothing to measure" in text


def test_take_aways_do_not_repeat_themselves_for_each_modality(tmp_path):
    few, many = (
        build_page(make_workspace(tmp_path, ["a", "b", "c"], modalities=modalities, noise=0.6))
        for modalities in (("flow_rhythm", "ego_motion"), ALL)
    )
    assert len(many.take_aways) <= len(few.take_aways) + 2


def test_a_workspace_of_another_version(tmp_path):
    workspace = make_workspace(tmp_path, ["a"])
    workspace.tables["clips"] = workspace.tables["clips"].drop(columns="pose_coverage")
    with pytest.raises(StoreError, match="no column pose_coverage: another version of offhand"):
        build_page(workspace)
    workspace = make_workspace(tmp_path, ["a"])
    workspace.tables["signals"] = pd.DataFrame({"signal": ["motion"]})
    with pytest.raises(StoreError, match="table 'signals' has no column status, reason, weights"):
        build_page(workspace)


def repeat(workspace, clip_id, *, seed_count=None):
    """Add counts as a run leaves them: one bout accepted, one refused, one matrix."""
    common = {"clip_id": clip_id, "seed_count": seed_count}
    bouts = [
        {
            **common,
            "segment_id": 0,
            "start_s": 0.5,
            "stop_s": 4.5,
            "period_s": 1.0,
            "count": 4,
            "rep_times_s": [1.0, 2.0, 3.0, 4.0],
            "confidence": 0.93,
            "accepted": True,
            "reason": "",
        },
        {
            **common,
            "segment_id": None,
            "start_s": 6.0,
            "stop_s": 9.0,
            "period_s": math.nan,
            "count": 0,
            "rep_times_s": [],
            "confidence": math.nan,
            "accepted": False,
            "reason": "witnesses <disagree>",
        },
    ]
    levels = np.full((20, 20), 50, np.int8)
    matrix = {
        "clip_id": clip_id,
        "segment_id": 0,
        "size": 20,
        "similarity": levels.tobytes(),
        "seed_accepted": seed_count is not None,
    }
    workspace.tables["repetitions"] = pd.DataFrame(bouts)
    workspace.tables["similarity"] = pd.DataFrame([matrix])


def test_repetitions_are_shown(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"])
    repeat(workspace, "a", seed_count=7)
    text, source = read(workspace)
    text = plain(text)
    assert "4 repetitions in 1 bout" in " ".join(text.split())
    assert "witnesses <disagree> 1× (3 s)" in text
    assert "93 %" in text
    assert source.count('class="rep"') == 4
    assert "self-similarity from 0:00 to 0:05" in source
    page = build_page(workspace)
    assert page.repetitions.bouts[0].seed == "7"
    assert [len(clip.bouts) for clip in page.clips] == [2, 0]


def test_nothing_is_counted(tmp_path):
    text = text_of(make_workspace(tmp_path, ["a"]))
    assert "Nothing is counted" in text
