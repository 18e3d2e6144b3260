"""Models that one process holds for the tasks of others."""

from __future__ import annotations

import time

import cv2
from threadpoolctl import threadpool_limits

from offhand.records import Clip, FrameBlock, Signal
from offhand.runners.work import Lost
from offhand.signals.base import SignalExtractor, SignalState

IDLE_S = 3600.0
"""A session of which nothing was heard for so long is forgotten: its task has died."""


class ModelHost:
    """Compute signals for the tasks of other processes; models stay loaded from clip to clip.

    A session is the state of one signal on one clip. What its caller gets is what the extractor
    would have given in the caller's own process: numerics are single-threaded here too.
    """

    def __init__(self) -> None:
        self._limits = threadpool_limits(1)
        cv2.setNumThreads(1)
        self._states: dict[str, SignalState] = {}
        self._heard_s: dict[str, float] = {}

    def answer(self) -> None:
        """Return when everything asked before is done."""

    def start(self, session: str, extractor: SignalExtractor, clip: Clip) -> None:
        """Begin a session; raises what the extractor's ``start`` raises."""
        now_s = time.monotonic()
        for name in [name for name, at_s in self._heard_s.items() if now_s - at_s > IDLE_S]:
            self._forget(name)
        self._states[session] = extractor.start(clip)
        self._heard_s[session] = now_s

    def update(self, session: str, block: FrameBlock) -> list[Signal]:
        """Return the chunks that the next frames finish.

        Raises
        ------
        Lost
            There is no such session: this process took the place of one that died.
        """
        state = self._state(session)
        self._heard_s[session] = time.monotonic()
        return list(state.update(block))

    def finish(self, session: str) -> list[Signal]:
        """Return the remaining chunks, and end the session; raises as :meth:`update` does."""
        chunks = list(self._state(session).finish())
        self._forget(session)
        return chunks

    def _state(self, session: str) -> SignalState:
        if session not in self._states:
            raise Lost("the process that held its models was replaced")
        return self._states[session]

    def _forget(self, session: str) -> None:
        del self._states[session], self._heard_s[session]
