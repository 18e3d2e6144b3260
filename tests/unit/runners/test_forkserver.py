"""Worker processes that are forked from a server."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from offhand.runners.local import LocalRunner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")

UNGUARDED = """
print("the script runs")
import operator
from offhand.runners.local import LocalRunner
from tests.unit.runners.test_forkserver import loaded

with LocalRunner(2) as runner:
    for _ in range(2):
        outcomes = runner.run(loaded, ["pandas", "sklearn.cluster", "antigravity"])
        print(*(outcome.result for outcome in outcomes))
        runner.release()
"""


def loaded(name: str, _report: object) -> str:
    """Return whether a module is there without anybody asking for it."""
    return f"{name}:{name in sys.modules}"


def variable(name: str, _report: object) -> str:
    """Return a variable of the environment."""
    return os.environ.get(name, "")


def allocator(_task: None, _report: object) -> str:
    """Return where Arrow takes its memory from."""
    return pa.default_memory_pool().backend_name


def collects(_task: None, _report: object) -> bool:
    """Return whether Python's collector is on."""
    return gc.isenabled()


def test_workers_collect_what_nobody_refers_to() -> None:
    with LocalRunner(1) as runner:
        (outcome,) = runner.run(collects, [None])
    assert outcome.result is True


def test_workers_give_back_what_arrow_frees() -> None:
    with LocalRunner(1) as runner:
        (outcome,) = runner.run(allocator, [None])
    assert outcome.result == "system"


def test_workers_see_the_environment_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for value in ("one", "two"):
        monkeypatch.setenv("OFFHAND_TEST_VARIABLE", value)
        with LocalRunner(1) as runner:
            (outcome,) = runner.run(variable, ["OFFHAND_TEST_VARIABLE"])
        seen.append(outcome.result)
    assert seen == ["one", "two"]


def test_later_workers_have_what_is_slow_to_import_and_none_runs_the_script_again(
    tmp_path: Path,
) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED, "utf-8")
    root = Path(__file__).parents[3]
    ran = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=100,
        env={"PYTHONPATH": str(root), "PATH": ""},
    )
    lines = ran.stdout.splitlines()
    assert lines[0] == "the script runs", ran.stderr
    first, second = (sorted(line.split()) for line in lines[1:])
    assert first == ["antigravity:False", "pandas:True", "sklearn.cluster:False"]
    assert second == ["antigravity:False", "pandas:True", "sklearn.cluster:True"]
