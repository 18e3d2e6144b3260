"""Loops of the page: embedded once, within a budget, whatever clips are called."""

import base64
import json
import re

import pytest

from offhand.report.page import build_page
from offhand.report.rendering import render
from offhand.report.thumbnails import PAGE_BYTES
from tests.unit.report.pages import read
from tests.unit.report.workspaces import make_workspace

JPEG = b"\xff\xd8\xff\xe0" + bytes(6000)


def loops_of(source):
    """The loops that a page holds, by key, in order."""
    (text,) = re.findall(
        r'<script type="application/json" id="previews">(.*?)</script>', source, re.DOTALL
    )
    return json.loads(text)


def loop(clip_id, segment_id, *, n=3000):
    return f"RIFF{clip_id}/{segment_id}".encode().ljust(n, b"\0")


def test_loops_are_embedded_once_where_there_are_pictures(tmp_path):
    workspace = make_workspace(
        tmp_path,
        ["a", "b"],
        thumbnails=lambda c, s: JPEG + c.encode() + bytes([s]),
        previews=lambda c, s: loop(c, s) if c == "a" else None,
    )
    source = read(workspace)[1]
    loops = loops_of(source)
    assert loops
    assert set(re.findall('data-preview="([^"]*)"', source)) == set(loops)
    assert all(key.startswith("a/") for key in loops)
    for key, uri in loops.items():
        head, _, text = uri.partition(",")
        assert head == "data:image/webp;base64"
        assert base64.b64decode(text) == loop(*key.split("/"))
        assert source.count(text) == 1


@pytest.mark.parametrize("name", ["a", "мастер 🧱", "<b>&</b>" * 20])
def test_a_page_never_exceeds_its_budget_and_drops_the_last_loops_first(tmp_path, name):
    names = [f"{name} {i}" for i in range(6)]
    workspace = make_workspace(tmp_path, names, previews=loop, thumbnails=lambda c, s: JPEG)
    page = build_page(workspace)
    order = [image.key for image in page.previews]
    assert len(order) > 30

    def size(most):
        source = render(page, most_bytes=most).decode()
        kept = list(loops_of(source))
        assert kept == order[: len(kept)]
        return len(source.encode()), len(kept)

    bare, none_kept = size(0)
    assert none_kept == 0
    whole, all_kept = size(10_000_000)
    assert all_kept == len(order)
    for most in (bare, bare + 4000, bare + 5000, (bare + whole) // 2, whole - 1, whole + 200):
        written, n_kept = size(most)
        assert written <= most
        assert n_kept == len(order) or most - written < 6000


def test_loops_never_make_a_page_larger_than_its_budget(tmp_path):
    workspace = make_workspace(
        tmp_path,
        [f"clip_{i}" for i in range(5)],
        k=6,
        thumbnails=lambda c, s: JPEG + c.encode() + bytes([s]) + bytes(20_000),
        previews=lambda c, s: loop(c, s, n=600_000),
    )
    source = read(workspace)[1]
    assert 0 < len(loops_of(source)) < len(build_page(workspace).previews)
    assert PAGE_BYTES - 900_000 < len(source.encode()) <= PAGE_BYTES < 15_000_000


def test_a_clip_named_like_a_placeholder_is_harmless(tmp_path):
    names = ["@previews@", "</script><script>alert(1)</script>"]
    workspace = make_workspace(
        tmp_path, names, thumbnails=lambda c, s: JPEG, previews=lambda c, s: b"RIFF" + c.encode()
    )
    text, source = read(workspace)
    assert "@previews@" in text
    assert {key.rpartition("/")[0] for key in loops_of(source)} == set(names)
    assert "<script>alert" not in source
