"""Verified weights in one folder: ``OFFHAND_HOME``, or the platform's cache folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from platformdirs import user_cache_path

from offhand.errors import WeightsError, WeightsMissing
from offhand.weights.manifest import MANIFEST


def home() -> Path:
    """Return the folder that holds everything downloaded."""
    given = os.environ.get("OFFHAND_HOME")
    return Path(given) if given else user_cache_path("offhand", appauthor=False)


def folder(name: str) -> Path:
    """Return where the files of a set of weights belong; KeyError for a name not known."""
    return home() / "weights" / name / MANIFEST[name].version


def missing(name: str) -> str:
    """Return why a set of weights is not here, empty if all its files are; without hashing."""
    absent = [file.name for file in MANIFEST[name].files if not (folder(name) / file.name).exists()]
    return f"no weights {name} on this machine; get them: offhand weights pull {name}" * bool(absent)


def identity(name: str) -> str:
    """Return what tells one set of weights from another: their checksums."""
    return " ".join(file.sha256 for file in MANIFEST[name].files)


def locate(name: str) -> Path:
    """Return the folder of a set of weights after checking every file in it.

    Raises
    ------
    WeightsMissing
        They are not on this machine.
    WeightsError
        A file is not what the manifest promises.
    """
    reason = missing(name)
    if reason:
        raise WeightsMissing(reason)
    for file in MANIFEST[name].files:
        path = folder(name) / file.name
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != file.sha256:
            raise WeightsError(
                f"{path}: checksum {found[:12]}, expected {file.sha256[:12]}; "
                f"get it again: offhand weights pull {name}"
            )
    return folder(name)
