"""The examples in README and CONTRIBUTING run as printed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

import offhand
from offhand.cli import main
from offhand.modalities.base import Modality
from offhand.records import ClipInfo, Segments, Signal
from offhand.signals.tools import Tools
from offhand.store import signal_files
from offhand.synthetic.render import render
from offhand.synthetic.script import write_script
from offhand.video.encode import write_video

ROOT = Path(__file__).parents[2]


def python_blocks(document: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return [dedent(code) for code in re.findall(r"^ *```python\n(.*?)^ *```", text, re.M | re.S)]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short clips."""
    folder = tmp_path_factory.mktemp("samples")
    for index, name in enumerate(("dev_02", "other")):
        script = write_script(index, clip=name, duration_s=20.0)
        write_video(folder / f"{name}.mp4", render(script), rate=script.rate)
    return folder


@pytest.fixture
def sample_folder(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like a clone's, with short clips in samples/."""
    shutil.copytree(samples, tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_readme_example_runs(sample_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = python_blocks("README.md")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    workspace = names["workspace"]
    assert isinstance(workspace, offhand.Workspace)
    assert (sample_folder / "out" / "report.html").is_file()
    assert "ego_motion" in capsys.readouterr().out
    assert len(names["clusters"].label) == names["described"].sum()  # type: ignore[attr-defined]


def test_recipe_for_a_modality_gives_usable_features(tmp_path: Path) -> None:
    (code,) = python_blocks("CONTRIBUTING.md")
    names: dict[str, object] = {}
    exec(compile(code, "CONTRIBUTING.md", "exec"), names)
    modality: Modality = names["Steadiness"]()  # type: ignore[operator]
    time_s = np.arange(0, 10, 1 / 15)
    speed = np.where(time_s < 5, 0.001, 0.5)
    signal = Signal(name="motion", time_s=time_s, channels=("camera_speed",), values=speed[:, None])
    with signal_files.writer(tmp_path / "motion", "motion") as writer:
        writer.write(signal)
        writer.close("key", ClipInfo())
    segments = Segments(clip_id="clip", start_s=np.array([0.0, 5.0]), stop_s=np.array([5.0, 10.0]))
    features = modality.describe(
        {"motion": signal_files.StoredSignal(tmp_path / "motion")}, segments
    )
    still = features.values[:, features.columns.index("still_share")]
    assert still == pytest.approx([1.0, 0.0], abs=0.05)


def test_commands_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shell = "".join(re.findall(r"```sh\n(.*?)```", text, re.S))
    used = set(re.findall(r"^offhand (\w+)", shell, re.M))
    assert used == {
        "run",
        "view",
        "export",
        "clip",
        "count",
        "evaluate",
        "audit",
        "info",
        "config",
        "synth",
        "weights",
    }
    assert used <= set(main.commands)


@pytest.mark.weights
@pytest.mark.usefixtures("with_weights")
def test_formats_lists_every_column_of_every_table(sample_folder: Path) -> None:
    workspace = offhand.run("samples", "out")
    assert len(workspace.modalities()) == 5
    prompts = set(Tools().prompts)
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    for name in workspace.tables():
        if name.startswith("features/"):
            every = [re.sub(r"_\d{3}$", "_000", c) for c in workspace.table(name).columns]
            ends = ("hz", "_mean", "_spread")
            columns = [c for c in every if not c.endswith(ends) and c not in prompts]
        else:
            columns = list(workspace.table(name).columns)
        missing = [column for column in dict.fromkeys(columns) if f"`{column}`" not in text]
        assert not missing, f"{name}: {missing} not documented"


def test_links_between_documents_lead_somewhere() -> None:
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https://)([^)#]+)", text):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
