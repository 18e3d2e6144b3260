"""Rerun recordings."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from offhand.errors import ExportError
from offhand.exports.formats import FORMATS
from tests.unit.exports.timelines import export, plain


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(ExportError, match=r"pip install 'offhand\[rerun\]'"):
        FORMATS["rerun"].write(plain(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def column(path: Path, entity: str, name: str) -> list[tuple[float, Any]]:
    """Return the times (s) and the values of a column."""
    chunk = pytest.importorskip("rerun.chunk")
    found = []
    for one in chunk.RrdReader(path).stream():
        if one.entity_path == entity and not one.is_static:
            table = one.to_record_batch().to_pydict()
            for time, values in zip(table["recording"], table[name], strict=True):
                found.append((time.total_seconds(), values[0] if values else None))
    return sorted(found)


def test_read_back(tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    files = export("rerun", plain(), tmp_path)
    assert sorted(files) == ["cam.1.rrd", "clip.rrd"]
    file = files["clip.rrd"]
    names = [(0.0, "laying bricks"), (10.0, "(noise)"), (12.5, "C3"), (20.04, "(hidden)")]
    assert column(file, "/activity", "TextLog:text") == names
    assert column(file, "/activity/state", "StateChange:state") == [*names, (25.0, None)]
    assert column(file, "/repetitions", "TextLog:text") == [
        (1.0, "4 repetitions, one every 2.0 s"),
        (11.0, "3 repetitions"),
    ]
    counts = column(file, "/repetitions/count", "Scalars:scalars")
    assert counts[:5] == [(1.0, 0.0), (3.0, 1.0), (5.0, 2.0), (7.0, 3.0), (9.0, 4.0)]
    assert counts[5:] == [(11.0, 0.0), (16.0, 3.0)]


def test_no_connection_is_opened(tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    process = psutil.Process(os.getpid())
    before = process.net_connections()
    export("rerun", plain(), tmp_path)
    assert process.net_connections() == before
