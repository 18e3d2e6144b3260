import base64
import hashlib
import html
import math
import re

import pandas as pd
import pytest

from offhand.errors import StoreError
from offhand.report.page import build_page, write_report
from tests.unit.report.pages import read
from tests.unit.report.workspaces import FakeWorkspace, make_workspace

JPEG = b"\xff\xd8\xff\xe0" + bytes(6000)
NASTY = [
    """quote " and ' and <b>bold</b>.mp4""",
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "мастер 🧱 مقطع-بناء ‮gpj",
    "x" * 300,
    "https://example.org/clip",
    "&amp; &lt;",
]


def test_one_clip(tmp_path):
    workspace = make_workspace(tmp_path, ["only.mp4"], thumbnails=lambda c, s: JPEG + bytes([s]))
    text, source = read(workspace)
    assert "sharing is not observable here" in text
    assert "whether its clusters recur elsewhere cannot be observed here" in text
    assert "With one clip nothing can be shared" in text
    assert "labels that mean nothing reach 0.95" in text
    assert len(source) < 1_000_000


def test_many_clips_show_the_widest_clusters_in_some_of_them(tmp_path):
    names = [f"clip_{i:02d}" for i in range(50)]
    workspace = make_workspace(
        tmp_path, names, thumbnails=lambda c, s: JPEG + c.encode() + bytes([s]) + bytes(3000)
    )
    text, source = read(workspace)
    assert len(source) < 15_000_000
    assert "34 clips with less time in these clusters not shown" in text
    assert max(row[0].n_clips for row in build_page(workspace).modalities[0].default.rows) > 16


def test_twelve_clips_are_one_page(tmp_path):
    text, source = read(make_workspace(tmp_path, [f"clip_{i:02d}" for i in range(12)]))
    assert not (tmp_path / "report").exists()
    assert text.count("Clustered within this clip alone") == 12
    assert source.count('<details class="clip"') == 12
    assert len(re.findall(r'<details class="clip" id="clip-\d+" open>', source)) == 3


def test_five_clips_with_large_pictures_stay_in_the_budget(tmp_path):
    names = [f"clip_{i}" for i in range(5)]
    workspace = make_workspace(
        tmp_path,
        names,
        k=9,
        modalities=tuple("abcdef"),
        thumbnails=lambda c, s: JPEG + c.encode() + bytes([s]) + bytes(300_000),
    )
    text, source = read(workspace)
    assert len(source) < 15_000_000
    assert "left out to keep this file small" in text
    assert "no picture" in text


def test_a_picture_is_embedded_once(tmp_path):
    _, source = read(make_workspace(tmp_path, ["a", "b"], thumbnails=lambda c, s: JPEG))
    assert source.count("data:image/jpeg") == 1
    assert source.count('href="#t0"') > 10


def test_names_are_escaped(tmp_path):
    workspace = make_workspace(tmp_path, NASTY, failed=NASTY[:2])
    text, source = read(workspace)
    for name in NASTY:
        assert " ".join(name.split()) in text
        if html.escape(name) != name:
            assert name not in source
    assert "a proxy <stands> in" in text
    assert 'a = "<b>"' in text
    assert "cannot open <script>alert(1)</script>: moov atom not found" in text


def test_figures_are_those_of_the_tables(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b", "c", "broken"], failed=["broken"], noise=0.4)
    text, _ = read(workspace)
    page = build_page(workspace)
    assert "clips analysed, 3.0 min; 1 failed 3 of 4" in text
    assert "36 segments, 5 s on average" in text
    assert page.summary.segments_s == 180.0
    assert "cannot open broken: moov atom not found" in text
    for row in workspace.tables["consistency"].to_dict("records"):
        assert f"{row['seed_entropy']:.2f}" in text
    for row in workspace.tables["evidence"].to_dict("records"):
        shown = f"{row['low']:.2f} to {row['high']:.2f}".replace("-", "−")
        assert f"{row['score']:.2f} {shown} {row['p']:.3f}" in text
    labels = workspace.tables["labels"]
    for modality in page.modalities:
        for clustering in (modality.default, *modality.others):
            rows = labels[
                (labels["modality"] == modality.name)
                & (labels["clusterer"] == clustering.clusterer)
                & (labels["scope"] == "pooled")
            ]
            assert clustering.noise_share == pytest.approx((rows["label"] < 0).mean())
            assert f"noise {100 * clustering.noise_share:.0f} % of 36 segments" in text
            for cluster in clustering.clusters:
                own = rows[rows["label"] == cluster.label]
                assert (cluster.n_segments, cluster.n_clips) == (len(own), own["clip_id"].nunique())
                assert cluster.seconds == pytest.approx(5.0 * len(own))
            counts = [c.n_segments for cells in clustering.rows for c in cells[1]]
            assert sum(counts) == (rows["label"] >= 0).sum()
    own = labels[labels["scope"] == "clip"]
    for name, n, cells in page.matrix.rows:
        assert n == 12
        for (modality, clusterer), cell in zip(page.matrix.columns, cells, strict=True):
            rows = own[
                (own["clip_id"] == name.clip_id)
                & (own["modality"] == modality)
                & (own["clusterer"] == clusterer)
            ]
            assert cell.noise_share == pytest.approx((rows["label"] < 0).mean())
            assert cell.n_clusters == rows.loc[rows["label"] >= 0, "label"].nunique()


def test_strips_follow_the_segments(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"])
    panel = build_page(workspace).clips[1]
    labels = workspace.tables["labels"]
    for strip in panel.strips:
        assert [block.start_s for block in strip.blocks] == [5.0 * i for i in range(12)]
        assert sum(block.width for block in strip.blocks) == pytest.approx(100)
        rows = labels[
            (labels["clip_id"] == "b")
            & (labels["modality"] == strip.modality)
            & (labels["clusterer"] == "ward")
            & (labels["scope"] == "pooled")
        ].sort_values("segment_id")
        expected = [f"C{label}" if label >= 0 else "noise" for label in rows["label"]]
        assert [block.name for block in strip.blocks] == expected


def test_a_colour_is_one_cluster_in_every_clip(tmp_path):
    page = build_page(make_workspace(tmp_path, ["a", "b", "c"], k=6))
    for place in range(2):
        seen = {}
        for clip in page.clips:
            for block in clip.strips[place].blocks:
                assert seen.setdefault(block.name, block.colour) == block.colour


def test_all_noise(tmp_path):
    text, source = read(make_workspace(tmp_path, ["a", "b"], noise=1))
    assert "No cluster in 24 segments." in text
    assert "0 clusters in 24 segments: no modality grouped any of them" in text
    assert "no cluster" in text
    assert 'class="gallery"' not in source


def test_nothing_but_failed_clips(tmp_path):
    text, _ = read(make_workspace(tmp_path, ["a", "b"], failed=["a", "b"]))
    assert "clips analysed, 0 s; 2 failed 0 of 2" in text
    assert "2 of 2 clips could not be analysed" in text
    assert "cannot open b: moov atom not found" in text


def test_only_the_table_of_clips(tmp_path):
    whole = make_workspace(tmp_path, ["a"])
    text, _ = read(FakeWorkspace(tmp_path, {"clips": whole.tables["clips"]}, {}))
    assert "this run holds no labels" in text
    assert "Rhythm: not observable here." in text
    with pytest.raises(StoreError):
        write_report(FakeWorkspace(tmp_path, {}, {}))


def test_a_modality_that_saw_nothing(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"])
    table = workspace.features("ego_motion")
    table.loc[:, "period_s"] = math.nan
    workspace.hide("ego_motion", (table["clip_id"] == "b").to_numpy())
    text, _ = read(workspace)
    matrix = build_page(workspace).matrix
    places = [i for i, (modality, _) in enumerate(matrix.columns) if modality == "ego_motion"]
    assert all(matrix.rows[1][2][i].empty == "not observable here" for i in places)
    assert all(matrix.rows[0][2][i].empty == "" for i in places)
    assert "motion no model 50 % of the segments" in text.replace("\u00a0", " ")
    (strip,) = [s for s in build_page(workspace).clips[1].strips if s.modality == "ego_motion"]
    assert strip.blocks == ()
    assert "period not periodic" in text


def test_no_periodic_sample(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"])
    workspace.tables["rhythm"]["period_s"] = math.nan
    text, _ = read(workspace)
    assert "not periodic in this clip" in text
    assert "no cycle time can be stated" in text


def test_take_aways_hold_only_what_figures_support(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b", "c"])
    page = build_page(workspace)
    assert all(item.source.startswith("results/") for item in page.take_aways)
    (best,) = (item for item in page.take_aways if "is the score of" in item.text)
    assert best.figure == "0.62"
    assert "(0.52 to 0.72)" in best.text
    assert "random, scores 0.01" in best.text
    evidence = workspace.tables["evidence"]
    evidence.loc[evidence["clusterer"] == "hdbscan", "score"] = 0.005
    (worse,) = (i for i in build_page(workspace).take_aways if "no higher than random" in i.text)
    assert worse.figure == "2 of 4"
    evidence["p"] = 0.3
    texts = [item.text for item in build_page(workspace).take_aways]
    assert any("no modality shows activities that clips share" in text for text in texts)
    del workspace.tables["evidence"]
    texts = [item.text for item in build_page(workspace).take_aways]
    assert not any("random" in text for text in texts)


def test_the_ranking_says_whether_the_controls_lose(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b", "c"])
    text, _ = read(workspace)
    assert "The controls lose:" in text
    assert "scores 0.01, below every clustering" in text
    rows = build_page(workspace).evidence.rows
    assert [row.score for row in rows] == sorted((row.score for row in rows), reverse=True)
    table = workspace.tables["evidence"]
    table.loc[table["modality"] == "control:random", "score"] = 0.9
    text, _ = read(workspace)
    assert "Read with care: 4 of 4 clusterings score no higher than" in text
    assert "No leading clustering is beyond chance" in text


def test_a_run_without_any_score_says_so(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b", "c"])
    workspace.tables["evidence"][["score", "low", "high", "p"]] = math.nan
    text, _ = read(workspace)
    assert "Nothing could be compared in this run" in text
    assert "No score could be given" in text
    assert "The controls lose" not in text


def test_clusters_are_confirmed_or_not(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b", "c"])
    text, _ = read(workspace)
    assert "confirmed across clips, p = 0.004" in text
    assert "not confirmed, p = 0.300" in text
    assert "too few segments or clips to judge" in text


def test_groups_and_fingerprints_are_shown(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b", "c"])
    assert "Above clips" not in read(workspace)[0]
    table = workspace.tables["evidence"]
    above = table.assign(level="<b>site</b>", n_groups=2, score=0.3456)
    workspace.tables["evidence"] = pd.concat([table, above])
    fingerprint = workspace.tables["fingerprint"]
    fingerprint.loc[0, "low"] = 0.34
    workspace.tables["alignment"] = pd.DataFrame(
        {
            "modality": fingerprint["modality"].iloc[0],
            "alignment": ["none", "centre"],
            "concordance": [0.1, 0.456],
            "is_chosen": [False, True],
        }
    )
    text, source = read(workspace)
    assert "Above clips: <b>site</b>" in text
    assert "<b>site</b>" not in source
    assert "0.35" in text
    name = fingerprint["modality"].iloc[0].replace("_", " ")
    assert f"Fingerprints: {name} tells clips apart" in text
    assert "none 0.10 · centre 0.46" in text


def test_a_long_clip_stays_light(tmp_path):
    short, long = (
        make_workspace(tmp_path, ["a"], n_segments=40, length_s=length_s)
        for length_s in (5.0, 400.0)
    )
    assert len(long.tables["rhythm"]) > 30_000
    assert len(read(long)[1]) < len(read(short)[1]) + 120_000


def test_the_same_tables_give_the_same_bytes(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], thumbnails=lambda c, s: JPEG)
    assert read(workspace)[1] == read(workspace)[1]


def test_the_policy_lets_this_script_run_and_no_other(tmp_path):
    _, source = read(make_workspace(tmp_path, ["a", "b"]))
    script = re.search(r"<script>(.*?)</script>", source, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', source).group(1)
    assert f"script-src 'sha256-{digest}';" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1]
