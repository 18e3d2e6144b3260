"""FFmpeg's chapters, read by FFmpeg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

from offhand.exports.text import printable
from tests.unit.exports.timelines import HOSTILE, export, hostile, plain


def read(path: Path) -> list[Any]:
    with av.open(str(path), format="ffmetadata") as container:
        return [
            (
                float(one["start"] * one["time_base"]),
                float(one["end"] * one["time_base"]),
                one["metadata"].get("title", ""),
            )
            for one in container.chapters()
        ]


def test_ffmpeg_reads_it(tmp_path: Path) -> None:
    assert read(export("chapters", plain(), tmp_path)["clip.ffmetadata"]) == [
        (0.0, 10.0, "laying bricks"),
        (10.0, 12.5, "(noise)"),
        (12.5, 20.04, "C3"),
        (20.04, 25.0, "(hidden)"),
    ]


def test_names_round_trip(tmp_path: Path) -> None:
    found = read(export("chapters", hostile(), tmp_path)["names.ffmetadata"])
    expected = [printable(name) + " " * name.endswith("\\") for name in HOSTILE]
    assert [title for _, _, title in found] == expected


def test_special_characters_are_escaped(tmp_path: Path) -> None:
    text = export("chapters", hostile(), tmp_path)["names.ffmetadata"].read_text(encoding="utf-8")
    assert text.startswith(";FFMETADATA1\n")
    assert "title=[CHAPTER]\\;comment\\=1\\#\\\\ \n" in text
    assert "title=two\\\nlines\\\nand\\\na third\\\n\\\nafter a blank\n" in text
