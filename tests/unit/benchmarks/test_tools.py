from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tools.__main__ import HEADER, precision, row
from benchmarks.tools.truth import in_view, read_tools
from tests.fixtures.looks import tools_signal

NAN = float("nan")


def test_intervals_are_half_open_and_joined(tmp_path: Path) -> None:
    tools = [
        {"name": "shovel", "start_s": 1.0, "end_s": 2.0},
        {"name": "shovel", "start_s": 1.5, "end_s": 3.0},
    ]
    (tmp_path / "a.json").write_text(json.dumps({"tools": tools}))
    (tmp_path / "b.json").write_text(json.dumps({"tools": []}))
    truth = read_tools(tmp_path)
    assert truth == {"a": {"shovel": [(1.0, 2.0), (1.5, 3.0)]}}
    seen = in_view(truth["a"]["shovel"], np.array([0.9, 1.0, 2.5, 3.0]))
    assert seen.tolist() == [False, True, True, False]


def test_a_perfect_score_and_a_worthless_one() -> None:
    draw = np.random.default_rng(0)
    seen = [np.repeat([True, False, False, False], 50), np.repeat([False, True], 100)]
    perfect = precision(seen, [part + 0.1 for part in seen])
    assert perfect.value == perfect.top == 1
    assert perfect.prevalence == pytest.approx(0.375)
    assert perfect.shuffled == pytest.approx(0.375, abs=0.02)
    assert perfect.shuffled < perfect.shifted < 1
    np.testing.assert_allclose(perfect.lifts, [0.75, 0.5])
    worthless = precision(seen, [draw.random(200) for _ in seen])
    assert worthless.value == pytest.approx(0.375, abs=0.08)
    assert worthless.value < worthless.shifted


def test_a_clip_that_always_shows_the_tool_has_no_lift() -> None:
    seen = [np.ones(20, bool), np.arange(20) < 5]
    assert len(precision(seen, [np.arange(20.0)] * 2).lifts) == 1


def test_rows() -> None:
    prompts = ("brick", "shovel")
    signals = {"a": tools_signal([(5.0, (NAN, 0.2)), (15.0, (NAN, 0.1))], prompts=prompts)}
    truth = {"a": {"shovel": [(0.0, 5.0)]}}
    assert row("brick", signals, truth)[:3] == ["brick", "brick", "unsupported"]
    cells = row("shovel", signals, truth)
    assert cells[:4] == ["shovel", "shovel", "0.25", "1.00"]
    assert cells[-2:] == ["+0.75", "1 of 1"]
    assert len(cells) == len(row("brick", signals, truth)) == len(HEADER)
