"""Runs with and without model weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from offhand.cli import main
from offhand.store.workspace import Workspace
from offhand.weights import folder

SIGNALS = {"appearance", "hands", "pose", "tools"}
MODALITIES = {"body_pose", "tool_presence", "video_embedding"}


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, arguments)])


def test_without_weights_the_rest_is_computed_and_the_reasons_are_told(
    good_clips: list[Path], tmp_path: Path
) -> None:
    result = _run(*good_clips, "-o", tmp_path / "out")
    assert result.exit_code == 0
    workspace = Workspace(tmp_path / "out")
    signals = workspace.table("signals").set_index("signal")
    assert set(signals.index[signals["status"] == "absent"]) > SIGNALS
    assert set(signals["status"][["motion", "picture"]]) == {"computed"}
    assert "offhand weights pull mediapipe_pose" in signals["reason"]["pose"]
    modalities = workspace.table("modalities").set_index("modality")
    assert set(modalities.index[modalities["status"] == "absent"]) == MODALITIES
    assert workspace.modalities() == ["ego_motion", "flow_rhythm"]
    shares = workspace.table("clips").filter(like="coverage")
    assert shares.shape == (3, 7)
    assert np.isnan(shares.to_numpy(float)).all()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "offhand weights pull mediapipe_pose" in page
    assert "not measured" in page


@pytest.mark.weights
@pytest.mark.usefixtures("with_weights")
def test_with_weights_everything_is_computed(good_clips: list[Path], tmp_path: Path) -> None:
    assert _run(*good_clips, "-o", tmp_path / "out").exit_code == 0
    workspace = Workspace(tmp_path / "out")
    signals = workspace.table("signals").set_index("signal")["status"]
    assert set(signals.index[signals == "computed"]) == SIGNALS | {"motion", "picture"}
    assert set(workspace.modalities()) > MODALITIES
    fusion = workspace.table("fusion").set_index("modality")
    assert fusion["weight"].sum() == pytest.approx(1.0)
    assert "late_fusion" in set(workspace.table("labels")["modality"])
    clips = workspace.table("clips")
    assert clips["pose_coverage"].between(0, 1).all()
    low, high = (clips[f"hand_coverage_tracker_{end}"] for end in ("low", "high"))
    assert (low <= clips["hand_coverage_tracker"]).all()
    assert (clips["hand_coverage_tracker"] <= high).all()
    assert (clips["hand_coverage_detector"] <= clips["hand_coverage_tracker"]).all()


@pytest.mark.weights
@pytest.mark.usefixtures("with_weights")
def test_weights_that_come_later_are_used_and_nothing_else_is_done_again(
    good_clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, out = folder("mediapipe_pose"), tmp_path / "out"
    monkeypatch.setenv("OFFHAND_HOME", str(tmp_path / "home"))
    assert _run(good_clips[0], "-o", out, "--hands", "off").exit_code == 0
    motion = next(out.glob("store/signals/motion@*/one.parquet"))
    before = motion.stat().st_mtime_ns
    shutil.copytree(here, folder("mediapipe_pose"))
    assert _run(good_clips[0], "-o", out, "--hands", "off").exit_code == 0
    assert motion.stat().st_mtime_ns == before
    assert "body_pose" in Workspace(out).modalities()


@pytest.mark.weights
@pytest.mark.usefixtures("with_weights")
@pytest.mark.parametrize("damage", ["flipped", "cut"])
def test_damaged_weights_stop_the_run_before_any_work(
    good_clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    here = folder("mediapipe_pose")
    monkeypatch.setenv("OFFHAND_HOME", str(tmp_path / "home"))
    shutil.copytree(here, folder("mediapipe_pose"))
    file = folder("mediapipe_pose") / "pose_detection.tflite"
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content if damage == "flipped" else content[:-100])
    result = _run(*good_clips, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert str(file) in result.output
    assert "offhand weights pull mediapipe_pose" in result.output
    assert not (tmp_path / "out" / "store").exists()


def test_hands_off_leaves_the_signal_out(good_clips: list[Path], tmp_path: Path) -> None:
    assert _run(good_clips[0], "-o", tmp_path / "out", "--hands", "off").exit_code == 0
    assert "hands" not in set(Workspace(tmp_path / "out").table("signals")["signal"])


def test_offline_and_download_exclude_each_other_by_order(
    good_clips: list[Path], tmp_path: Path
) -> None:
    given = "--set", "general.download=true", "--offline"
    assert _run(good_clips[0], "-o", tmp_path / "out", *given).exit_code == 0
    assert not (Path(folder("mediapipe_pose"))).exists()
