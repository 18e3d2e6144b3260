"""Evidence and evaluation, through the commands."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import offhand
from offhand.cli import main
from offhand.stages.evaluate import evaluate
from offhand.store.workspace import Workspace


def _offhand(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four synthetic clips with their truth, and a table of what stands above them."""
    folder = tmp_path_factory.mktemp("clips")
    offhand.synthesise(folder, n_clips=4, duration_s=30.0, seed=3)
    rows = [f"synthetic_0{i + 1},site_{i // 2}" for i in range(4)]
    (folder / "groups.csv").write_text("\n".join(["clip,site", *rows]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished") / "out"
    result = _offhand("run", folder, "-o", out, "--jobs", "1", "--groups", folder / "groups.csv")
    assert result.exit_code == 0, result.output
    return out


def test_every_clustering_and_control_is_scored_at_every_level(finished: Path) -> None:
    table = Workspace(finished).table("evidence")
    for level, n_groups in (("clip", 4), ("site", 2)):
        rows = table[table["level"] == level]
        assert set(rows["n_groups"]) == {n_groups}
        assert set(zip(rows["modality"], rows["clusterer"], strict=True)) >= {
            *(("ego_motion", "ward"), ("late_fusion", "hdbscan"), ("control:random", "none")),
            *(("control:one_cluster", "none"), ("control:time_blocks", "none")),
        }
    controls = table[table["modality"].isin(["control:one_cluster", "control:clip_identity"])]
    known = controls["score"].dropna()
    assert np.all(known == 0)
    clusters = Workspace(finished).table("clusters")
    labels = Workspace(finished).table("labels").query("scope == 'pooled' and label >= 0")
    sizes = labels.groupby(["modality", "clusterer", "label"]).size()
    stored = clusters.set_index(["modality", "clusterer", "label"])["n_segments"]
    assert stored.sort_index().to_dict() == sizes.to_dict()
    assert not (clusters["is_confirmed"] & ~clusters["is_judged"]).any()
    report = (finished / "report.html").read_text(encoding="utf-8")
    assert "Above clips: site" in report


def test_modalities_of_one_signal_cannot_confirm_each_other(finished: Path) -> None:
    """Without model weights, motion is all there is: no score, and the report says so."""
    table = Workspace(finished).table("evidence").set_index(["modality", "clusterer", "level"])
    computed = Workspace(finished).table("modalities").query("status == 'computed'")["modality"]
    assert set(computed) == {"ego_motion", "flow_rhythm", "late_fusion"}
    assert math.isnan(table.loc[("ego_motion", "ward", "clip"), "score"])
    assert "not observable here" in (finished / "report.html").read_text(encoding="utf-8")


def test_a_run_is_compared_with_its_truth(finished: Path, folder: Path) -> None:
    result = _offhand("evaluate", finished, "--truth", folder)
    assert result.exit_code == 0, result.output
    for said in ("4 clips compared", "boundaries within", "late_fusion ward *", "repetitions:"):
        assert said in result.output
    printed = _offhand("evaluate", finished, "--truth", folder, "--json")
    figures: dict[str, Any] = json.loads(printed.output, parse_constant=pytest.fail)
    found = evaluate(finished, folder)
    assert figures["clips"] == list(found.clips)
    assert figures["labelled_share"] == pytest.approx(1.0, abs=0.02)
    assert [one["tolerance_s"] for one in figures["boundaries"]] == [0.5, 1.0, 2.0]
    for one, other in zip(figures["clusterings"], found.clusterings, strict=True):
        assert one["pairs"]["f1"] == other.pairs.f1
        assert one["matched"]["mof"] <= 1
    assert figures["repetitions"]["n_blocks"] > 0
    assert figures["spearman"] is None  # no score, no rank


def test_the_truth_in_a_table_says_the_same(finished: Path, folder: Path, tmp_path: Path) -> None:
    lines = ["clip,start_s,stop_s,label"]
    for path in sorted(folder.glob("*.json")):
        for block in json.loads(path.read_text(encoding="utf-8"))["blocks"]:
            lines.append(f"{path.stem},{block['start_s']},{block['end_s']},{block['activity']}")
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    one, other = evaluate(finished, folder), evaluate(finished, tmp_path / "labels.csv")
    assert one.clusterings[0].pairs == other.clusterings[0].pairs
    assert one.boundaries == other.boundaries
    assert other.repetitions is None


def test_clips_without_truth_and_truth_without_clip_are_told(
    finished: Path, folder: Path, tmp_path: Path
) -> None:
    shutil.copy(folder / "synthetic_01.json", tmp_path / "synthetic_01.json")
    shutil.copy(folder / "synthetic_02.json", tmp_path / "other.json")
    found = evaluate(finished, tmp_path)
    assert found.clips == ("synthetic_01",)
    assert found.clips_without_truth == ("synthetic_02", "synthetic_03", "synthetic_04")
    assert found.truth_without_clip == ("other",)
    output = " ".join(_offhand("evaluate", finished, "--truth", tmp_path).output.split())
    assert "no ground truth for: synthetic_02" in output
    (tmp_path / "synthetic_01.json").unlink()
    result = _offhand("evaluate", finished, "--truth", tmp_path)
    assert result.exit_code != 0
    assert "names must be equal" in result.output


def test_a_remedy_is_chosen_by_what_others_confirm(
    finished: Path, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    option = "general.alignment=auto"
    assert _offhand("run", folder, "-o", out, "--jobs", "1", "--set", option).exit_code == 0
    table = Workspace(out).table("alignment")
    assert (table.groupby("modality")["is_chosen"].sum() == 1).all()
    refused = _offhand("run", folder, "-o", out, "--set", "general.alignment=rotate")
    assert "allowed: none, centre, covariance, auto" in refused.output
