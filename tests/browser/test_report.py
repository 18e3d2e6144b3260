"""The report in a real browser, opened from a disk."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from offhand.report.page import write_report
from tests.browser.conftest import Watched
from tests.unit.report.workspaces import make_workspace

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]

PHONE = {"viewport": {"width": 375, "height": 800}, "has_touch": True, "is_mobile": True}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": PHONE,
}
GOLDEN = Path(__file__).parent / "golden"
MOST_DIFFERENT = 10.0
"""Mean difference of grey levels (0 to 255) between small blurred screenshots: fonts differ."""


@pytest.fixture(scope="module")
def report(finished: Path) -> str:
    return write_report_of(finished)


def write_report_of(out: Path) -> str:
    from offhand.store.workspace import Workspace

    return write_report(Workspace(out)).resolve().as_uri()


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_leaves_the_machine_and_nothing_is_complained_of(
    report: str, open_page: Open, look: str
) -> None:
    watched = open_page(report, **LOOKS[look])
    for fold in watched.page.locator("main details").all():
        fold.evaluate("fold => { fold.open = true }")
    watched.page.mouse.wheel(0, 20_000)
    watched.page.wait_for_timeout(300)
    assert [a for a in watched.addresses if not a.startswith(("file:", "data:", "blob:"))] == []


def test_names_are_shown_and_do_no_harm(report: str, open_page: Open) -> None:
    page = open_page(report).page
    text = page.locator("body").inner_text()
    assert "<script>window.harmed=1<_script>.mp4" in text
    assert "🧱" in text
    assert "مرحبا" in text
    assert page.locator("main script").count() == 0


def test_a_heading_sorts_its_table(report: str, open_page: Open) -> None:
    page = open_page(report).page
    heading = page.locator(".activities thead th").nth(1)
    values = "cells => cells.map(cell => Number(cell.dataset.v))"
    times = page.locator(".activities tbody td:nth-child(2)")
    heading.locator("button").click()
    falling = times.evaluate_all(values)
    assert heading.get_attribute("aria-sort") == "descending"
    heading.locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert times.evaluate_all(values) == falling[::-1] == sorted(falling)


def test_a_table_is_saved_as_csv(report: str, open_page: Open) -> None:
    page = open_page(report).page
    with page.expect_download() as waiting:
        page.locator("section:has(#repetitions) .tools button", has_text="CSV").first.click()
    text = Path(waiting.value.path()).read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert waiting.value.suggested_filename.endswith(".csv")
    assert rows[0][:3] == ["clip", "when", "repetitions"]
    assert len(rows) == 1 + page.locator(".bouts tbody tr").count()


def test_a_thumbnail_moves_while_it_has_the_focus(report: str, open_page: Open) -> None:
    page = open_page(report).page
    thumb = page.locator(".activities .thumb").first
    assert thumb.locator("img").count() == 0
    thumb.hover()
    assert thumb.locator("img").get_attribute("src", timeout=2000).startswith("data:image/webp")
    page.mouse.move(0, 0)
    assert thumb.locator("img").count() == 0
    page.keyboard.press("Tab")
    thumb.focus()
    assert thumb.locator("img").count() == 1
    page.keyboard.press("Enter")
    assert thumb.locator("img").count() == 0


def test_loops_rest_for_those_who_want_no_motion(report: str, open_page: Open) -> None:
    page = open_page(report, reduced_motion="reduce").page
    thumb = page.locator(".activities .thumb").first
    thumb.hover()
    assert thumb.locator("img").count() == 0
    thumb.click()
    assert thumb.locator("img").count() == 1


def test_the_keyboard_reaches_the_findings(report: str, open_page: Open) -> None:
    page = open_page(report).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.className.split(' ')[0]"))
    assert {"sort", "thumb"} <= reached
    strip = page.locator("details.clip[open] .strip").first
    strip.focus()
    page.keyboard.press("ArrowRight")
    assert " · " in page.locator("details.clip[open] .readout").first.inner_text()


def test_a_phone_needs_no_sideways_scroll(report: str, open_page: Open) -> None:
    page = open_page(report, **PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_it_prints_with_everything_open(report: str, open_page: Open) -> None:
    page = open_page(report).page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.clip:not([open])").count() == 0
    pdf = page.pdf(format="A4", print_background=True)
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 50_000
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.clip:not([open])").count() == 1


@pytest.fixture(scope="module")
def pages(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the finished run with a page for each clip."""
    from offhand.store.workspace import Workspace

    out = Path(shutil.copytree(finished, tmp_path_factory.mktemp("pages") / "out"))
    return write_report(Workspace(out), most_clips=1).resolve()


@pytest.mark.parametrize("look", LOOKS)
def test_links_lead_to_the_pages_of_clips_and_back(pages: Path, open_page: Open, look: str) -> None:
    watched = open_page(pages.as_uri(), **LOOKS[look])
    page = watched.page
    assert page.locator("details.clip").count() == 0
    links = page.locator(".clips tbody th a")
    names = links.all_inner_texts()
    assert len(names) == 4
    seen = []
    links.first.click()
    for name in names:
        assert page.locator("h1").inner_text() == name
        assert page.locator("main .strip").count() > 1
        assert page.locator(".typical .thumb svg").count() > 0
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
        seen.append(page.url)
        if name != names[-1]:
            page.locator("a[rel=next]").click()
    assert len(set(seen)) == len(names)
    page.locator("a[rel=prev]").click()
    assert page.url == seen[-2]
    page.get_by_role("link", name="All clips").click()
    assert page.url == f"{pages.as_uri()}#clips"
    assert [a for a in watched.addresses if not a.startswith(("file:", "data:", "blob:"))] == []


def test_a_page_of_a_clip_works_like_its_section(pages: Path, open_page: Open) -> None:
    page = open_page(pages.as_uri()).page
    page.locator(".gallery thead a").first.click()
    thumb = page.locator(".typical .thumb[data-preview]").first
    thumb.hover()
    assert thumb.locator("img").get_attribute("src", timeout=2000).startswith("data:image/webp")
    strip = page.locator(".strip[tabindex]").first
    strip.focus()
    page.keyboard.press("ArrowRight")
    assert " · " in page.locator(".readout").first.inner_text()


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_serious_in_the_page_of_a_clip(
    pages: Path, open_page: Open, axe: str, look: str
) -> None:
    page = open_page(pages.as_uri(), bypass_csp=True, **LOOKS[look]).page
    assert serious(page, axe) == []
    page.locator(".clips tbody th a").first.click()
    assert serious(page, axe) == []


def test_a_clip_is_found_by_its_name(open_page: Open, tmp_path: Path) -> None:
    names = [f"clip_{place:02d}" for place in range(20)]
    page = open_page(write_report(make_workspace(tmp_path, names)).resolve().as_uri()).page
    rows = page.locator("table.clips tbody tr:visible")
    tools = page.locator(".scroll:has(table.clips) + .tools")
    assert rows.count() == 15
    tools.get_by_role("searchbox").fill("P_19")
    assert rows.count() == 1
    with page.expect_download() as waiting:
        tools.get_by_role("button", name="Save as CSV").click()
    saved = list(csv.reader(io.StringIO(Path(waiting.value.path()).read_text("utf-8-sig"))))
    assert len(saved) == 21
    assert all(re.match(r"C\d+ \d+", row[1]) for row in saved[1:])
    rows.first.locator("a").click()
    assert page.locator("h1").inner_text() == "clip_19"


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_serious(report: str, open_page: Open, axe: str, look: str) -> None:
    page = open_page(report, bypass_csp=True, **LOOKS[look]).page
    assert serious(page, axe) == []


def serious(page: Any, axe: str) -> list[str]:
    """Return what axe-core calls serious or critical on a page."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("look", LOOKS)
def test_it_looks_as_it_did(
    look: str, open_page: Open, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Compare small blurred screenshots of a made-up run; `--look-again` writes new ones."""
    pictures = {name: _picture(name) for name in ("first", "second", "third")}
    workspace = make_workspace(
        tmp_path, [*pictures], thumbnails=lambda clip_id, segment_id: pictures[clip_id]
    )
    address = write_report(workspace).resolve().as_uri()
    page = open_page(address, **LOOKS[look]).page
    page.evaluate("document.fonts.ready")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    png = page.screenshot(animations="disabled")
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    small = cv2.resize(image, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    path = GOLDEN / f"{look}.png"
    if request.config.getoption("--look-again"):
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), small)
    golden = cv2.imread(str(path))
    assert golden.shape == small.shape
    blurred = [cv2.GaussianBlur(one, (0, 0), 3).astype(float) for one in (small, golden)]
    assert np.abs(blurred[0] - blurred[1]).mean() < MOST_DIFFERENT


def _picture(name: str) -> bytes:
    """Return a JPEG of one colour, another for each name."""
    colour = [(40 + 67 * ord(letter)) % 256 for letter in name[:3]]
    image = np.full((120, 160, 3), colour, np.uint8)
    return bytes(cv2.imencode(".jpg", image)[1])
