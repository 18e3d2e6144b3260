"""Runs of many clips: an overview that stays small, and a page of each clip."""

import json
import os
import re
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from offhand.report.bounds import MOST_ROWS, evenly, largest, some
from offhand.report.page import write_report
from offhand.report.pages import MOST_TYPICAL, Report, file_names
from offhand.report.rendering import render, render_clip
from offhand.report.repetitions import MOST_BOUTS
from offhand.report.strips import MOST_BLOCKS
from offhand.store.workspace import Workspace
from tests.unit.report.pages import checked, read, read_clips
from tests.unit.report.test_page import JPEG, NASTY
from tests.unit.report.test_sections import repeat
from tests.unit.report.workspaces import FakeWorkspace, make_workspace
from tests.unit.viewer.saved import save


def test_each_clip_has_a_page_and_links_lead_both_ways(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b", "c"])
    text, overview = read(workspace, most_clips=2)
    assert "Each clip has a page of its own" in text
    assert "Clustered within this clip alone" not in text
    for name in "abc":
        assert overview.count(f'href="report/{name}.html"') > 3
    pages = read_clips(workspace)
    assert list(pages) == ["a.html", "b.html", "c.html"]
    for text, source in pages.values():
        assert source.count('href="../report.html#clips"') == 1
        assert "Clustered within this clip alone" in text
        assert "Activities in this clip" in text
    for name, before, after in (("a", "", "b"), ("b", "a", "c"), ("c", "b", "")):
        links = dict(re.findall(r'<a rel="(\w+)" href="(\w+)\.html">', pages[f"{name}.html"][1]))
        assert (links.get("prev", ""), links.get("next", "")) == (before, after)


def pages_of(folder):
    write_report(Workspace(folder))
    return {path.name: path.read_bytes() for path in (folder / "report").iterdir()}


def render_after(folder, name):
    """Make the overview, but not before a second process has begun a page."""

    def render_late(page):
        until = time.monotonic() + 60
        while not [*folder.glob(f".report.*/{name}")]:
            assert time.monotonic() < until, "the second process writes nothing"
            time.sleep(0.01)
        return render(page)

    return render_late


def test_a_second_process_writes_the_same_pages(tmp_path, monkeypatch):
    folder = save(tmp_path / "out", [f"clip_{place:02d}" for place in range(20)])
    expected = pages_of(folder)
    assert len(expected) == 20

    monkeypatch.setattr("offhand.report.page.WORTH_A_PROCESS", 20)
    monkeypatch.setattr("offhand.report.page.render", render_after(folder, "clip_19.html"))
    assert pages_of(folder) == expected


def test_a_second_process_that_is_killed_loses_nothing(tmp_path, monkeypatch):
    folder = save(tmp_path / "out", [f"clip_{place:02d}" for place in range(15)])
    expected = pages_of(folder)

    def killed(_workspace, pages):
        (Path(pages) / "clip_13.html").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("offhand.report.page.WORTH_A_PROCESS", 15)
    monkeypatch.setattr("offhand.report.page._write_from_the_end", killed)
    monkeypatch.setattr("offhand.report.page.render", render_after(folder, "clip_13.html"))
    assert pages_of(folder) == expected


def test_a_run_with_many_segments_is_split_too(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"])
    assert Report(workspace).clip_of == {}
    assert Report(workspace, most_segments=23).clip_of == {"a.html": "a", "b.html": "b"}


def test_pages_say_what_the_sections_of_one_page_say(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b", "broken"], failed=["broken"])
    repeat(workspace, "a", seed_count=7)
    whole = Report(workspace)
    split = Report(workspace, most_clips=1)
    assert split.overview.clips == ()
    for panel in whole.overview.clips:
        own = split.clip_page(panel.name.clip_id).clip
        assert own.name.page == f"{panel.name.clip_id}.html"
        same = replace(own, name=panel.name, bouts=()), replace(panel, bouts=())
        assert repr(same[0]) == repr(same[1])  # NaN is not equal to itself
        assert [b.marks for b in own.bouts] == [b.marks for b in panel.bouts]
    failed = render_clip(split.clip_page("broken")).decode()
    assert "Not analysed" in failed
    assert "moov atom not found" in failed


def test_rows_of_the_overview_have_the_figures_of_the_clips(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"])
    repeat(workspace, "a")
    first, second = Report(workspace, most_clips=1).overview.rows
    assert (first.n_bouts, first.n_repetitions, first.n_segments) == (1, 4, 12)
    assert (second.n_bouts, second.n_repetitions) == (0, 0)
    labels = workspace.tables["labels"].query(
        "scope == 'pooled' and clusterer == 'ward' and modality == 'flow_rhythm' and label >= 0"
    )
    own = labels[labels["clip_id"] == "a"]["label"].value_counts() / 12
    assert sorted(part.share for part in first.parts) == pytest.approx(sorted(own))


def test_pages_of_an_earlier_run_do_not_stay(tmp_path):
    write_report(make_workspace(tmp_path, ["a", "gone"]), most_clips=1)
    assert (tmp_path / "report" / "gone.html").is_file()
    write_report(make_workspace(tmp_path, ["a", "b"]), most_clips=1)
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["a.html", "b.html"]
    write_report(make_workspace(tmp_path, ["a", "b"]))
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_report_that_fails_leaves_the_earlier_one(tmp_path):
    write_report(make_workspace(tmp_path, ["a", "b"]), most_clips=1)
    workspace = make_workspace(tmp_path, ["c", "d"])
    workspace.of_clip = lambda name, clip_id: {"c": None}[clip_id]
    with pytest.raises(KeyError):
        write_report(workspace, most_clips=1)
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["a.html", "b.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report", "report.html"]


def test_hostile_names_make_harmless_files(tmp_path):
    names = [*NASTY, "..", ".", "CLIP", "clip", "ü"]
    workspace = make_workspace(tmp_path, names)
    read(workspace, most_clips=1)
    pages = read_clips(workspace)
    assert len(pages) == len(names) == len({name.casefold() for name in pages})
    assert {"CLIP.html", "ü.html"} <= set(pages)
    for name, clip_id in Report(workspace, most_clips=1).clip_of.items():
        text, source = pages[name]
        assert " ".join(clip_id.split()) in text
        assert "<script>alert" not in source
        assert len(name.encode()) < 255


def test_the_name_of_a_file_does_not_depend_on_the_other_clips():
    assert file_names(["x y", "b"])["x y"] == file_names(["x y"])["x y"]
    assert file_names(["dev_02"]) == {"dev_02": "dev_02.html"}
    assert len(set(file_names(["x y", "x_y", "X_Y", "x/y"]).values())) == 4
    assert not any("/" in name for name in file_names(["a/../../b", "../x", "\\"]).values())


def test_a_page_has_the_pictures_of_its_clip(tmp_path):
    workspace = make_workspace(
        tmp_path,
        ["a", "b"],
        k=3,
        noise=0.0,
        thumbnails=lambda c, s: JPEG + c.encode() + bytes([s]),
        previews=lambda c, s: f"RIFF{c}{s}".encode(),
    )
    report = Report(workspace, most_clips=1)
    page = report.clip_page("b")
    strip = page.clip.strips[0]
    assert [one.portion for one in page.typical] == [*strip.legend]
    source = render_clip(page).decode()
    loops = json.loads(re.search(r'id="previews">(.*?)</script>', source, re.DOTALL).group(1))
    assert loops
    assert all(key.startswith("b/") for key in loops)
    assert 0 < source.count("data:image/jpeg") == len(page.images) <= MOST_TYPICAL


def test_a_page_of_a_clip_keeps_its_budget(tmp_path):
    workspace = make_workspace(
        tmp_path,
        ["a", "b"],
        k=9,
        thumbnails=lambda c, s: JPEG + c.encode() + bytes([s]) + bytes(2_000_000),
        previews=lambda c, s: f"RIFF{c}{s}".encode() + bytes(3_000_000),
    )
    page = Report(workspace, most_clips=1).clip_page("a")
    assert page.n_images_left_out > 0
    source = render_clip(page).decode()
    assert len(source) < 15_000_000
    assert "left out to keep this file small" in source


def test_a_long_clip_is_shown_in_joined_blocks(tmp_path):
    workspace = make_workspace(tmp_path, ["a"], n_segments=5 * MOST_BLOCKS, length_s=2.0)
    labels = workspace.tables["labels"]
    rows = (labels["modality"] == "flow_rhythm") & (labels["scope"] == "pooled")
    labels.loc[rows, "label"] = labels.loc[rows, "segment_id"] // 10 % 2
    assert len(read(workspace)[1]) < 1_000_000
    ((fine, rough), *_) = [panel.strips for panel in map(Report(workspace)._clips.panel, "a")]
    assert fine.modality == "flow_rhythm"
    assert fine.n_joined == len(fine.blocks) == MOST_BLOCKS / 2
    assert sum(block.width for block in fine.blocks) == pytest.approx(100)
    assert {block.stop_s - block.start_s for block in fine.blocks} == {20.0}
    assert rough.n_joined > len(rough.blocks) == MOST_BLOCKS
    starts = [block.start_s for block in rough.blocks]
    assert starts == sorted(starts)
    (page,) = [text for text, _ in read_clips(workspace).values()]
    assert f"the {MOST_BLOCKS} longest of {rough.n_joined} blocks shown" in page


def test_long_tables_of_the_overview_are_bounded_and_say_so(tmp_path):
    n_clips = MOST_ROWS + 50
    names = [f"clip_{place:03d}" for place in range(n_clips)]
    workspace = make_workspace(tmp_path, names, n_segments=2)
    bouts = pd.DataFrame(
        {
            "clip_id": np.repeat(names, 5),
            "segment_id": 0,
            "start_s": np.tile(np.arange(5.0), n_clips),
            "stop_s": np.tile(np.arange(5.0) + 1, n_clips),
            "period_s": 0.5,
            "count": 2,
            "confidence": 0.9,
            "accepted": True,
            "reason": "",
            "seed_count": None,
        }
    )
    workspace.tables["repetitions"] = bouts.assign(rep_times_s=[[0.5, 1.0]] * len(bouts))
    text, source = read(workspace)
    assert f"{MOST_ROWS} of {n_clips} clips shown, evenly chosen" in text
    assert f"{MOST_BOUTS} of {len(bouts)} bouts shown" in text
    assert f"{2 * len(bouts)} in" in text
    assert source.count("data-bout=") == MOST_BOUTS
    page = Report(workspace).overview
    assert len(page.matrix.rows) == len(page.coverage.rows) == MOST_ROWS
    assert len(page.rows) == n_clips
    assert all(f'href="report/{name}.html"' in source for name in names)
    assert len(page.coverage.detector) == n_clips


def test_an_even_choice():
    assert evenly(3, 5) == [0, 1, 2]
    assert evenly(10, 5) == [0, 2, 4, 6, 8]
    chosen = evenly(1_000_003, 1500)
    assert len(set(chosen)) == 1500
    assert chosen[0] == 0
    assert set(np.diff(chosen)) <= {666, 667}
    assert some("abcdef", 3) == ("a", "c", "e")
    assert largest([1, 5, 5, 0, 7], 3) == [1, 2, 4]
    assert largest([2, 2, 2], 2) == [0, 1]


def test_the_same_tables_give_the_same_pages(tmp_path):
    workspace = make_workspace(tmp_path, ["a", "b"], thumbnails=lambda c, s: JPEG)
    found = []
    for _ in range(2):
        read(workspace, most_clips=1)
        found.append(read_clips(workspace))
    assert found[0] == found[1]


def test_without_results_there_are_pages_all_the_same(tmp_path):
    whole = make_workspace(tmp_path, ["a", "b"])
    bare = FakeWorkspace(tmp_path, {"clips": whole.tables["clips"]}, {})
    read(bare, most_clips=1)
    text, _ = checked(tmp_path / "report" / "a.html")
    assert "No cluster: this clip has no labels." in text
