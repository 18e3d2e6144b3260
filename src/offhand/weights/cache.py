"""Verified weights in one folder: ``OFFHAND_HOME``, or the platform's cache folder.

Where a name of :data:`~offhand.weights.manifest.MANIFEST` is expected, the path of a folder with
a checkpoint of one's own will do: ``config.json`` and ``model.safetensors``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path

from offhand.errors import WeightsError, WeightsMissing
from offhand.weights.manifest import MANIFEST

_CHECKPOINT = ("config.json", "model.safetensors")
"""What a checkpoint of one's own must hold."""

_PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")


def home() -> Path:
    """Return the folder that holds everything downloaded, as an absolute path."""
    given = os.environ.get("OFFHAND_HOME")
    if not given:
        return user_cache_path("offhand", appauthor=False)
    return Path(given).expanduser().absolute()


def folder(name: str) -> Path:
    """Return where a set of weights belongs, whether or not it is there.

    Parameters
    ----------
    name
        A name of the manifest, or the path of a folder.
    """
    if name in MANIFEST:
        return home() / "weights" / name / MANIFEST[name].version
    return Path(name).expanduser().absolute()


def missing(name: str) -> str:
    """Return why a set of weights is not here, empty if all its files are; without hashing."""
    place = folder(name)
    try:
        if name not in MANIFEST:
            return _checkpoint_trouble(name, place)
        if all((place / file.name).is_file() for file in MANIFEST[name].files):
            return ""
    except OSError as error:
        return f"{place}: cannot be read ({error.strerror or error})"
    return f"no weights {name} on this machine; get them: offhand weights pull {name}"


def is_of_hub(name: str) -> bool:
    """Tell whether weights need the packages of the extra ``hub``; folders of one's own do."""
    return name not in MANIFEST or MANIFEST[name].extra == "hub"


def identity(name: str) -> str:
    """Return what tells one set of weights from another: a digest of names and checksums.

    The checksums of a folder of one's own are remembered for as long as its files keep their
    size and time.

    Raises
    ------
    WeightsError
        A folder of one's own is not there, or cannot be read.
    """
    if name in MANIFEST:
        return _digest({file.name: file.sha256 for file in MANIFEST[name].files})
    if reason := missing(name):
        raise WeightsMissing(reason)
    found = {}
    for path in sorted(folder(name).iterdir()):
        if path.name == "model.safetensors" or path.suffix in (".json", ".txt"):
            status = path.stat()
            found[path.name] = _remembered_sha256(path, status.st_size, status.st_mtime_ns)
    return _digest(found)


def locate(name: str) -> Path:
    """Return the folder of a set of weights after checking every file that the manifest lists.

    Of a folder of one's own nothing is known to compare it with: it must hold a configuration and
    safetensors. Pickles can run code and are never a substitute.

    Raises
    ------
    WeightsMissing
        They are not on this machine.
    WeightsError
        A file is not what the manifest promises, or cannot be read.
    """
    if reason := missing(name):
        raise WeightsMissing(reason)
    place = folder(name)
    for file in MANIFEST[name].files if name in MANIFEST else ():
        found = sha256(place / file.name)
        if found != file.sha256:
            raise WeightsError(
                f"{place / file.name}: checksum {found[:12]}, expected {file.sha256[:12]}; "
                f"get it again: offhand weights pull {name}"
            )
    return place


def check(name: str) -> tuple[Literal["ready", "missing", "damaged"], str]:
    """Return the condition of a set of weights after hashing it, and the reason if not ready."""
    try:
        locate(name)
    except WeightsMissing as error:
        return "missing", str(error)
    except WeightsError as error:
        return "damaged", str(error)
    return "ready", ""


def sha256(path: Path) -> str:
    """Return a file's checksum in hexadecimal; raises WeightsError if it cannot be read."""
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error


@lru_cache(maxsize=256)
def _remembered_sha256(path: Path, size: int, modified_ns: int) -> str:
    """Return a file's checksum; size and time are there to forget it when they change."""
    del size, modified_ns
    return sha256(path)


def _digest(checksums: Mapping[str, str]) -> str:
    lines = (f"{name} {checksum}\n" for name, checksum in sorted(checksums.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _checkpoint_trouble(name: str, place: Path) -> str:
    """Return what a folder of one's own lacks, empty if nothing."""
    if not place.is_dir():
        return f"{name}: neither a folder nor known weights ({', '.join(MANIFEST)})"
    absent = [file for file in _CHECKPOINT if not (place / file).is_file()]
    if not absent:
        return ""
    pickles = sorted(path.name for path in place.iterdir() if path.suffix in _PICKLES)
    hint = ""
    if pickles and "model.safetensors" in absent:
        hint = (
            f"; {pickles[0]} is a pickle, which can run code when it is read: "
            "save the model with safetensors"
        )
    return f"{place}: no {' and no '.join(absent)}{hint}"
