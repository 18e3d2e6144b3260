"""``offhand audit``: what a user sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from offhand.cli import main
from offhand.stages.audit import read_audit
from tests.fixtures.audits import finished


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return finished(tmp_path / "out").path


def audit(out: Path, *options: str, said: str | None = None) -> Result:
    runner = CliRunner(env={"COLUMNS": "120"})
    return runner.invoke(main, ["audit", str(out), *options], input=said)


def test_a_sample_is_listed_without_what_was_counted(out: Path) -> None:
    result = audit(out, "--sample", "10")
    assert result.exit_code == 0
    rows = [line.split("│")[1:-1] for line in result.output.splitlines() if "  to " not in line]
    numbers = [row[0].strip() for row in rows if len(row) == 6]
    assert [number for number in numbers if number] == [str(n) for n in range(1, 11)]
    assert "[b]" in result.output
    assert "0:01.0 to 0:10.0" in result.output or "0:21.0 to 0:30.0" in result.output
    assert "How many repetitions do you see?" in result.output
    assert "Is this the same activity as a " in result.output
    assert "confidence" not in result.output


def test_questions_are_asked_and_answers_saved_at_once(out: Path) -> None:
    audit(out, "--sample", "10")
    result = audit(out, "--ask", said="7\nn\n?\nno idea\nb\n3\nq\n")
    assert result.exit_code == 0
    assert "10 open" in result.output
    assert "'no idea' is no answer: a whole number or 'cannot tell'" in result.output
    assert [item.answer for item in read_audit(out).items[:4]] == [7, 0, 3, None]
    rest = audit(out, "--ask", said="5\n5\ny\nn\n?\n")  # and the terminal is closed
    assert rest.exit_code == 0
    answers = [item.answer for item in read_audit(out).items]
    assert answers == [7, 0, 3, 5, 5, "yes", "no", "cannot tell", None, None]
    assert "members: nobody can tell for 1, 33.3 % of the answers" in rest.output


def test_rates_so_far(out: Path) -> None:
    audit(out, "--sample", "30")
    nothing = audit(out)
    assert "0 counts off by more than one │ 0 of 12 │ -" in nothing.output
    count = read_audit(out).items[0]
    assert count.kind == "count"
    audit(out, "--ask", said=f"{count.count}\nq\n")
    result = audit(out)
    assert "1 of 12 │ 0.0 %" in result.output
    assert "counts: exact 100.0 %, within one 100.0 %, mean relative error 0.000" in result.output
    assert "counts: the rate speaks for 33.3 % of them" in result.output
    finished(out, more=1)
    assert "counts: 12 stale and left out" in audit(out).output
    assert "members" in audit(out, "--ask", said="q\n").output


def test_figures_as_json(out: Path) -> None:
    drawn = json.loads(audit(out, "--sample", "10", "--seed", "2", "--json").output)
    assert (drawn["n"], drawn["seed"], drawn["modality"]) == (10, 2, "late_fusion")
    assert drawn["counts"]["error"]["rate"] is None
    assert drawn["members"]["n_open"] == 5
    audit(out, "--ask", said="0\nq\n")
    figures = json.loads(audit(out, "--json").output)
    assert figures["counts"]["error"]["rate"] == 1.0
    assert figures["counts"]["cannot_tell"] == 0.0
    assert figures["relative_error"] is None


def test_mistakes_are_told(out: Path, tmp_path: Path) -> None:
    none = audit(out)
    assert none.exit_code == 1
    assert f"draw one with: offhand audit {out} --sample 50" in none.output
    for option in (("--seed", "1"), ("--modality", "ego_motion"), ("--again",)):
        result = audit(out, *option)
        assert result.exit_code == 2
        assert f"{option[0]} goes with --sample" in result.output
    assert "not an offhand workspace" in audit(tmp_path, "--sample", "10").output
    audit(out, "--sample", "10")
    audit(out, "--ask", said="1\nq\n")
    refused = audit(out, "--sample", "12")
    assert refused.exit_code == 1
    assert "--again draws another one" in refused.output
    assert audit(out, "--sample", "12", "--again").exit_code == 0


def test_help_teaches() -> None:
    text = CliRunner().invoke(main, ["audit", "--help"]).output
    assert text.count("offhand audit out") == 3
    assert "audit.json" in text
