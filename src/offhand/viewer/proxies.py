"""Copies of clips for browsers that cannot play them, each made once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from offhand.errors import OffhandError, VideoError
from offhand.files.reading import look
from offhand.store import fingerprint
from offhand.video.proxy import write_proxy


@dataclass(kw_only=True)
class Progress:
    """How far a copy is: ``waiting``, ``working``, ``ready``, or ``failed`` with the reason."""

    status: str
    share: float = 0.0
    error: str = ""


class _Stopped(OffhandError):
    """The viewer is closing."""


class Proxies:
    """Makes copies one at a time, in the background.

    Parameters
    ----------
    folder
        Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs: dict[Path, Progress] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="proxy")

    def path(self, clip_id: str, clip: str) -> Path:
        """Return where the copy of a clip is, or will be; another file gets another name.

        Raises
        ------
        VideoError
            The clip is not there, or cannot be reached.
        """
        try:
            seen = look(clip)
        except OSError as error:
            raise VideoError(f"{clip}: cannot be read ({error.strerror or error})") from error
        own = [seen.identity] if seen.identity else [seen.size, seen.modified_ns]
        key = fingerprint.digest([clip, *own])
        return self._folder / f"{clip_id}-{key}.webm"

    def ask(self, clip_id: str, clip: str) -> Progress:
        """Return how far a copy is; make it if nobody asked before, or if it failed."""
        path = self.path(clip_id, clip)
        with self._lock:
            job = self._jobs.get(path)
            if path.is_file():
                return Progress(status="ready", share=1.0)
            if job is None or job.status in ("failed", "ready"):
                job = self._jobs[path] = Progress(status="waiting")
                self._pool.submit(self._make, path, clip, job)
            return job

    def progress(self, clip_id: str, clip: str) -> Progress:
        """Return how far a copy is; ``failed`` where nobody asked for it."""
        path = self.path(clip_id, clip)
        if path.is_file():
            return Progress(status="ready", share=1.0)
        return self._jobs.get(path, Progress(status="failed", error="nobody asked for it"))

    def close(self) -> None:
        """Stop; a copy that is not complete leaves nothing behind."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _make(self, path: Path, clip: str, job: Progress) -> None:
        def tell(share: float) -> None:
            if self._stop.is_set():
                raise _Stopped("the viewer is closing")
            job.share = min(1.0, share)

        job.status = "working"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_proxy(clip, path, on_progress=tell)
            job.status = "ready"
        except (OffhandError, OSError, ValueError) as error:
            job.status, job.error = "failed", str(error)
