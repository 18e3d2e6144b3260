"""The manifest is sound, and the documentation shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from offhand.weights import MANIFEST, Hub, Weights, Wheel

DOCUMENT = Path(__file__).parents[3] / "docs" / "weights.md"


def table(first: str) -> list[list[str]]:
    """Return the cells below the heading row that starts with a word."""
    lines = iter(DOCUMENT.read_text(encoding="utf-8").splitlines())
    next(line for line in lines if line.startswith(f"| {first} |"))
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip(" `") for cell in line.strip("|").split("|")])
    return rows


def test_the_table_of_the_documentation() -> None:
    assert table("name") == [
        [
            entry.name,
            str(entry.source),
            entry.licence,
            f"{entry.size / 1e6:.1f} MB",
            entry.extra or "default",
            ", ".join(entry.needed_by),
        ]
        for entry in MANIFEST.values()
    ]


def test_the_checksums_of_the_documentation() -> None:
    assert table("file") == [
        [f"{entry.name}/{file.name}", str(file.size), file.sha256]
        for entry in MANIFEST.values()
        for file in entry.files
    ]


@pytest.mark.parametrize("entry", MANIFEST.values(), ids=lambda entry: entry.name)
def test_an_entry(entry: Weights) -> None:
    assert entry.needed_by
    assert len({file.name for file in entry.files}) == len(entry.files) > 0
    for file in entry.files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.size > 0
        assert Path(file.name).name == file.name
        assert file.address == "" or file.address.startswith("https://")
    if isinstance(entry.source, Hub):
        assert re.fullmatch(r"[0-9a-f]{40}", entry.source.revision)
        assert entry.version == entry.source.revision[:7]
        names = {file.name for file in entry.files}
        assert {"config.json", "model.safetensors"} <= names
        assert {Path(name).suffix for name in names} <= {".json", ".txt", ".safetensors"}


def test_files_of_one_source_do_not_collide() -> None:
    for source in {entry.source for entry in MANIFEST.values()}:
        names = [f.name for e in MANIFEST.values() if e.source == source for f in e.files]
        assert len(set(names)) == len(names)
        if isinstance(source, Wheel):
            members = {f.member for e in MANIFEST.values() if e.source == source for f in e.files}
            assert len(members) == len(names)
