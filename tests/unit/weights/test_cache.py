"""What is here, whether it is right, and checkpoints of one's own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from offhand.errors import WeightsError, WeightsMissing
from offhand.weights import MANIFEST, cache, check, folder, home, identity, locate, missing, pull
from tests.unit.weights.conftest import CONTENT, Index, sha256, toy_hub


def checkpoint(path: Path, model: bytes = b"tensors") -> Path:
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    (path / "model.safetensors").write_bytes(model)
    return path


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFFHAND_HOME", "some/where")
    assert home() == tmp_path / "some" / "where"
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("OFFHAND_HOME", "~/models")
    assert home() == tmp_path / "me" / "models"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OFFHAND_HOME", "")
    assert home() == tmp_path / "cache" / "offhand"
    monkeypatch.delenv("OFFHAND_HOME")
    assert home() == tmp_path / "cache" / "offhand"


def test_what_is_not_here(cache: Path) -> None:
    assert missing("mediapipe_pose").endswith("offhand weights pull mediapipe_pose")
    assert check("mediapipe_pose")[0] == "missing"
    with pytest.raises(WeightsMissing, match="offhand weights pull mediapipe_pose"):
        locate("mediapipe_pose")
    assert not cache.exists()


def test_every_load_hashes_every_file(index: Index, cache: Path) -> None:
    pull(["toy"])
    assert missing("toy") == ""
    assert locate("toy") == folder("toy") == cache / "weights" / "toy" / "1.2"
    for name, content in CONTENT.items():
        path = folder("toy") / name
        status = path.stat()
        path.write_bytes(content[:-1] + b"!")  # tampered with: the same length and time
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        with pytest.raises(WeightsError, match=rf"{name}: .*offhand weights pull toy") as raised:
            locate("toy")
        assert not isinstance(raised.value, WeightsMissing)
        path.write_bytes(content[: len(content) // 2])  # truncated
        assert check("toy")[0] == "damaged"
        path.write_bytes(content)
        assert check("toy") == ("ready", "")
        path.unlink()
        assert check("toy")[0] == "missing"
        path.write_bytes(content)


def test_missing_reads_no_content(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    pull(["toy"])

    def read(path: Path) -> str:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(cache, "sha256", read)
    assert missing("toy") == ""


def test_a_file_that_cannot_be_read(index: Index) -> None:
    pull(["toy"])
    path = folder("toy") / "detector.tflite"
    path.unlink()
    path.symlink_to(path.name)  # a loop
    assert missing("toy")
    path.unlink()
    path.symlink_to("/proc/self/mem")
    assert check("toy")[0] == "damaged"
    assert "cannot be read" in check("toy")[1]


def test_a_cache_of_links_is_fine(index: Index, tmp_path: Path) -> None:
    pull(["toy"])
    shared = tmp_path / "shared"
    shutil.move(folder("toy"), shared)
    folder("toy").mkdir()
    for path in shared.iterdir():
        (folder("toy") / path.name).symlink_to(path)
    assert check("toy")[0] == "ready"
    (shared / "detector.tflite").write_bytes(b"other")
    assert check("toy")[0] == "damaged"
    assert pull(["toy"]) == ("toy",)
    assert check("toy")[0] == "ready"
    assert (shared / "detector.tflite").read_bytes() == b"other"


def test_identity_of_known_weights() -> None:
    found = [identity(name) for name in MANIFEST]
    assert len(set(found)) == len(found)
    assert found == [identity(name) for name in MANIFEST]


def test_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = checkpoint(tmp_path / "mine")
    assert missing(str(path)) == ""
    assert locate(str(path)) == path
    monkeypatch.chdir(tmp_path)
    assert locate("mine") == locate("./mine") == path
    for name in ("config.json", "model.safetensors"):
        broken = checkpoint(tmp_path / f"without-{name}")
        (broken / name).unlink()
        assert missing(str(broken)) == f"{broken}: no {name}"
        with pytest.raises(WeightsMissing, match=f"no {name}"):
            locate(str(broken))
    with pytest.raises(WeightsMissing, match=r"neither a folder nor known weights \(mediapipe"):
        identity("mediapipe_hand")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_a_folder_with_pickles_alone_is_refused(tmp_path: Path, name: str) -> None:
    path = checkpoint(tmp_path / "mine")
    (path / "model.safetensors").rename(path / name)
    with pytest.raises(WeightsError, match=rf"no model.safetensors; {name} is a pickle"):
        locate(str(path))


def test_identity_of_a_folder_follows_its_content(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "mine")
    first = identity(str(path))
    (path / "README.md").write_text("not read by a model")
    assert identity(str(path)) == first
    assert identity(str(checkpoint(tmp_path / "copy"))) == first
    (path / "model.safetensors").write_bytes(b"tensorz")
    os.utime(path / "model.safetensors", (1, 1))
    assert identity(str(path)) != first
    (path / "model.safetensors").write_bytes(b"tensors")
    os.utime(path / "model.safetensors", (2, 2))
    assert identity(str(path)) == first
    (path / "preprocessor_config.json").write_text("{}")
    assert identity(str(path)) != first


def test_identity_hashes_an_unchanged_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = checkpoint(tmp_path / "mine")
    read: list[str] = []
    monkeypatch.setattr(cache, "sha256", lambda file: read.append(file.name) or "0")
    assert identity(str(path)) == identity(str(path))
    assert read == ["config.json", "model.safetensors"]


def test_a_copy_of_hub_weights_is_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = toy_hub()
    monkeypatch.setitem(MANIFEST, "toy_hub", entry)
    path = tmp_path / "copied"
    path.mkdir()
    (path / "config.json").write_bytes(b"{}")
    (path / "model.safetensors").write_bytes(b"safe")
    assert sha256(b"safe") == entry.files[1].sha256
    assert identity(str(path)) == identity("toy_hub")
