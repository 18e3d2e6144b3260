"""``offhand weights``: what a user sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from offhand.cli import main
from offhand.weights import MANIFEST, folder, pull
from tests.unit.weights.conftest import Index


def offhand(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["weights", *arguments])


def row(output: str, name: str) -> str:
    (line,) = [line for line in output.splitlines() if line.startswith(name + " ")]
    return line


def test_list(index: Index) -> None:
    before = offhand("list")
    assert before.exit_code == 0
    for name, entry in MANIFEST.items():
        line = row(before.output, name)
        assert line.split()[1:3] == [entry.version, entry.licence]
        assert f"{entry.size / 1e6:.1f} MB" in line
        assert ", ".join(entry.needed_by) in line
        assert line.endswith("missing")
    pull(["toy"])
    assert row(offhand("list").output, "toy").endswith("ready")
    (folder("toy") / "detector.tflite").write_bytes(b"")
    assert row(offhand("list").output, "toy").endswith("damaged")


def test_pull(index: Index, cache: Path) -> None:
    done = offhand("pull", "toy")
    assert done.exit_code == 0
    assert "fetched: toy\n" in done.output
    assert f"folder: {cache / 'weights'}\n" in done.output
    assert "toy-models 1.2, MB: 1 done" in done.stderr
    again = offhand("pull", "toy")
    assert again.exit_code == 0
    assert "fetched: nothing, all of it is here\n" in again.output
    assert again.stderr == ""


def test_pull_that_fails(index: Index) -> None:
    index.output = "ERROR: No matching distribution found"
    failed = offhand("pull", "toy")
    assert failed.exit_code == 1
    assert failed.stderr.startswith("offhand: toy-models 1.2 cannot be fetched: the package index")
    unknown = offhand("pull", "tou")
    assert unknown.exit_code == 1
    assert unknown.stderr.startswith("offhand: tou: neither a folder nor known weights (mediapipe")


@pytest.mark.parametrize("content", [b"", b"detector " * 2500, b"tampered " * 5000])
def test_verify(index: Index, content: bytes) -> None:
    assert offhand("verify").exit_code == 0
    assert row(offhand("verify").output, "toy").endswith("missing")
    pull(["toy"])
    good = offhand("verify")
    assert good.exit_code == 0
    assert row(good.output, "toy").endswith("ready")
    path = folder("toy") / "detector.tflite"
    path.write_bytes(content)
    bad = offhand("verify")
    assert bad.exit_code == 1
    assert f"damaged: {path}: checksum" in row(bad.output, "toy")
    assert row(bad.output, "toy").endswith("get it again: offhand weights pull toy")


def test_path(cache: Path) -> None:
    assert offhand("path").output == f"{cache}\n"
    pose = offhand("path", "mediapipe_pose").output
    assert pose == f"{cache / 'weights' / 'mediapipe_pose' / '0.10.21'}\n"
    unknown = offhand("path", "toy")
    assert unknown.exit_code == 2
    assert "no weights toy; known: mediapipe_hands," in unknown.stderr
