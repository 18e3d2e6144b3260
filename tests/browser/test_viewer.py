"""The viewer in a real browser: what is clicked plays, what is edited stays."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.browser.conftest import PATIENCE_S, Watched
from tests.browser.test_report import serious

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]

WIDE = {"width": 1600, "height": 1000}
VIDEO = "document.querySelector('.player video')"
PLAYING = f"{VIDEO}.currentTime > 0 && !{VIDEO}.paused"
COUNT_LOOPS = """(video => {
  let last = 0;
  window.loops = 0;
  video.addEventListener('timeupdate', () => {
    if (video.currentTime < last - 0.5) window.loops++;
    last = video.currentTime;
  });
})"""
NAME = '<img src=x onerror="window.harmed=1"> "hammering" 🔨 مرحبا'


@pytest.fixture
def seen(viewer: str, out: Path, open_page: Open) -> Watched:
    watched = open_page(viewer, viewport=WIDE)
    watched.page.wait_for_selector(".player[data-ready]")
    return watched


def _edits(out: Path) -> list[dict[str, Any]]:
    path = out / "annotations.json"
    return json.loads(path.read_text("utf-8"))["edits"] if path.exists() else []


def _play(seen: Watched) -> None:
    seen.page.locator(".activities .thumb").first.click()
    seen.until(PLAYING)
    seen.page.wait_for_selector(".player-form")


def test_nothing_leaves_the_machine(viewer: str, seen: Watched) -> None:
    _play(seen)
    host = viewer.split("/")[2]
    assert {a.split("/")[2] for a in seen.addresses if a.startswith("http")} == {host}


@pytest.mark.parametrize(
    "what",
    [
        ".activities .thumb",
        "details.clip[open] .strip i",
        "details.map[open] circle",
        ".bouts button.when",
        "details.modality[open] .gallery .thumb[data-from]",
    ],
)
def test_what_is_clicked_plays(seen: Watched, what: str) -> None:
    one = seen.page.locator(what).first
    one.scroll_into_view_if_needed()
    one.click()
    seen.until(PLAYING)
    assert seen.page.locator(".player-clip").inner_text()


def test_it_loops_steps_and_changes_speed(seen: Watched) -> None:
    _play(seen)
    page = seen.page
    page.evaluate(f"{COUNT_LOOPS}({VIDEO})")
    page.get_by_label("Speed").select_option("4")
    seen.until("window.loops > 0")
    page.get_by_label("Pause").click()
    before = page.evaluate(f"{VIDEO}.currentTime")
    page.get_by_label("One frame on").click()
    seen.until(f"{VIDEO}.currentTime > {before} + 0.01")
    after = page.evaluate(f"{VIDEO}.currentTime")
    assert after - before < 0.2
    line = page.locator("details.clip[open] .cursor.playing").first
    assert line.count() == 1


def test_the_rhythm_strip_is_a_picture(seen: Watched) -> None:
    _play(seen)
    seen.until("document.querySelector('.rhythm').naturalWidth > 16")


def test_a_name_is_saved_at_once_and_survives_undo_redo_and_reload(
    seen: Watched, out: Path
) -> None:
    _play(seen)
    page = seen.page
    page.locator(".player-form input[type=text]").fill(NAME)
    page.get_by_role("button", name="Name", exact=True).click()
    seen.until("document.querySelector('.activities .called')")
    assert page.locator(".activities .called").inner_text() == NAME
    assert [edit["name"] for edit in _edits(out)] == [NAME]
    page.get_by_role("button", name="Undo").click()
    seen.until("!document.querySelector('.activities .called')")
    assert _edits(out) == []
    page.get_by_role("button", name="Redo").click()
    seen.until("document.querySelector('.activities .called')")
    page.reload()
    page.wait_for_selector(".player[data-ready]")
    assert page.locator(".activities .called").inner_text() == NAME


def test_edits_reach_the_report_and_the_table(seen: Watched, out: Path) -> None:
    _play(seen)
    page = seen.page
    page.locator(".player-form input[type=text]").fill("laying bricks")
    page.get_by_role("button", name="Name", exact=True).click()
    seen.until("document.querySelector('.activities .called')")
    end = time.monotonic() + PATIENCE_S
    while "laying bricks" not in (out / "report.html").read_text("utf-8"):
        assert time.monotonic() < end
        time.sleep(0.1)
    table = pd.read_parquet(out / "results" / "activities.parquet")
    assert "laying bricks" in set(table["activity"])


def test_clusters_merge_and_come_apart_again(seen: Watched, out: Path) -> None:
    n = seen.page.locator(".activities tbody tr").count()
    assert n > 1
    _play(seen)
    seen.page.get_by_role("button", name="Merge into").click()
    seen.until(f"document.querySelectorAll('.activities tbody tr').length === {n - 1}")
    assert [edit["kind"] for edit in _edits(out)] == ["merge"]
    seen.page.get_by_role("button", name="Undo").click()
    seen.until(f"document.querySelectorAll('.activities tbody tr').length === {n}")


def test_a_segment_is_split_off_side_by_side(seen: Watched, out: Path) -> None:
    _play(seen)
    page = seen.page
    n = page.locator(".activities tbody tr").count()
    page.get_by_role("button", name="All clips side by side").click()
    seen.until("[...document.querySelectorAll('.grid video')].every(v => v.readyState > 1)")
    assert page.locator(".grid figure").count() > 1
    page.locator(".grid input[type=checkbox]").first.check()
    page.get_by_label("Name of the new cluster").fill("apart")
    page.locator(".grid-foot button").click()
    seen.until(f"document.querySelectorAll('.activities tbody tr').length === {n + 1}")
    assert _edits(out)[0]["name"] == "apart"


def test_a_cluster_is_marked_as_no_work_and_hidden(seen: Watched, out: Path) -> None:
    _play(seen)
    n = seen.page.locator(".activities").first.locator("tbody tr").count()
    seen.page.get_by_role("button", name="Not work").click()
    first = "document.querySelector('.activities').tBodies[0].rows.length"
    seen.until(f"{first} === {n - 1}")
    seen.page.get_by_role("button", name="Hide", exact=True).click()
    seen.until(
        "document.querySelector('#answer').parentElement.textContent.includes('1 cluster hidden')"
    )
    assert [edit["status"] for edit in _edits(out)] == ["not work", "hidden"]


def test_a_boundary_moves_and_an_impossible_one_is_refused(seen: Watched, out: Path) -> None:
    page = seen.page
    blocks = page.locator("details.clip[open] .tracks[data-clip] .strip").first.locator("i")
    blocks.nth(1).click()
    seen.until(PLAYING)
    page.get_by_label("Pause").click()
    start = page.evaluate(f"{VIDEO}.currentTime")
    page.get_by_role("button", name="starts here").click()
    seen.until("document.querySelector('.player-history').textContent.includes('boundary')")
    edit = _edits(out)[0]
    assert edit["kind"] == "boundary"
    assert abs(edit["to_s"] - start) < 0.2
    page.evaluate(f"{VIDEO}.currentTime = 0")
    page.wait_for_timeout(500)
    page.get_by_role("button", name="ends here").click()
    alarm = "document.querySelector('.player-alarm').textContent"
    seen.until(f"{alarm}.includes('must stay between')")
    assert len(_edits(out)) == 1


def test_a_count_is_corrected(seen: Watched, out: Path) -> None:
    page = seen.page
    page.locator(".bouts button.when").first.click()
    seen.until(PLAYING)
    page.wait_for_selector(".player-form input[type=number]")
    page.locator(".player-form input[type=number]").fill("42")
    page.get_by_role("button", name="Correct").click()
    seen.until("document.querySelector('.bouts').textContent.includes('by hand')")
    assert _edits(out)[0]["count"] == 42


def test_a_clip_that_no_browser_plays_is_copied_once(seen: Watched, out: Path) -> None:
    page = seen.page
    page.locator(".tracks[data-clip^=old] .strip i").first.evaluate(
        "one => { one.closest('details').open = true }"
    )
    page.locator(".tracks[data-clip^=old] .strip i").first.click()
    seen.until(PLAYING)
    assert page.locator(".player-clip").inner_text().startswith("old")
    assert len(list((out / "proxies").glob("old*.webm"))) == 1
    assert [a for a in seen.addresses if "/proxy/" in a]


def test_a_sample_is_checked(seen: Watched, out: Path) -> None:
    page = seen.page
    check = page.locator(".player-audit")
    check.locator("summary").click()
    check.locator("input").fill("1000")
    check.get_by_role("button", name="Draw a sample").click()
    check.get_by_role("button", name="Go on").click()
    seen.until(PLAYING)
    assert not page.locator(".player-lines").is_visible()
    kinds = set()
    for _ in range(1000):
        if not check.locator(".player-segment").count():
            break
        before = check.locator("p").first.inner_text()
        if check.locator("input[type=number]").count():
            kinds.add("count")
            check.locator("input[type=number]").fill("3")
            check.get_by_role("button", name="Save", exact=True).click()
        else:
            kinds.add("member")
            check.get_by_role("button", name="No", exact=True).click()
        seen.until(
            "document.querySelector('.player-audit p').textContent.trim()"
            f" !== {json.dumps(before.strip())}"
        )
    assert kinds == {"count", "member"}
    items = json.loads((out / "audit.json").read_text("utf-8"))["items"]
    assert {item["answer"] for item in items} == {3, "no"}
    assert "segments of another activity: 100.0 %" in check.inner_text()
    assert page.locator(".player-lines").is_visible()


def test_axe_finds_nothing_serious(viewer: str, open_page: Open, axe: str) -> None:
    watched = open_page(viewer, viewport=WIDE, bypass_csp=True)
    watched.page.wait_for_selector(".player[data-ready]")
    _play(watched)
    assert serious(watched.page, axe) == []


def test_the_page_of_a_clip_plays_and_is_corrected(viewer_of_pages: str, open_page: Open) -> None:
    watched = open_page(viewer_of_pages, viewport=WIDE)
    page = watched.page
    page.wait_for_selector(".player[data-ready]")
    page.locator(".clips tbody th a").first.click()
    page.wait_for_selector(".player[data-ready]")
    assert page.url.startswith(f"{viewer_of_pages}report/")
    page.locator(".typical .thumb").first.click()
    watched.until(PLAYING)
    page.wait_for_selector(".player-form")
    watched.until("document.querySelector('.rhythm').naturalWidth > 16")
    page.locator(".player-form input[type=text]").fill("laying bricks")
    page.get_by_role("button", name="Name", exact=True).click()
    watched.until("document.querySelector('.typical .called')")
    page.get_by_role("link", name="All clips").click()
    page.wait_for_selector(".player[data-ready]")
    assert page.url == f"{viewer_of_pages}#clips"
    assert "laying bricks" in page.locator(".activities .called").all_inner_texts()
    host = viewer_of_pages.split("/")[2]
    assert {a.split("/")[2] for a in watched.addresses if a.startswith("http")} == {host}
