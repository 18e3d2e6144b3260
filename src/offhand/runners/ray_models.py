"""Models in actors of a Ray cluster, each with a share of a GPU."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

from offhand import weights
from offhand.records import Clip, FrameBlock, Signal
from offhand.runners.models import ModelHost
from offhand.runners.work import Lost
from offhand.signals.base import SignalExtractor, SignalState

BLOCKS_AHEAD = 2
"""Blocks of frames that a task sends before it waits for the chunks of the first one."""


@dataclass(frozen=True)
class ModelPool:
    """Actors that hold the models of the extra ``hub``; a host of signals, to be sent to tasks.

    Attributes
    ----------
    actors
        Handles of :class:`offhand.runners.models.ModelHost`.
    """

    actors: tuple[Any, ...]

    @classmethod
    def of(cls, n: int, *, gpus: float) -> Self:
        """Start ``n`` actors with so many GPUs each.

        They take no processor from Ray's books: tasks that wait for an actor hold theirs, and an
        actor that is to start again on another node must not wait for these tasks.
        """
        import ray

        actor = ray.remote(num_cpus=0, num_gpus=gpus, max_restarts=-1)(ModelHost)
        return cls(tuple(actor.remote() for _ in range(n)))

    def __call__(self, extractor: SignalExtractor, clip: Clip) -> SignalState:
        """Begin a signal: in an actor where its model is of the hub, else in this process."""
        if not any(weights.is_of_hub(name) for name in extractor.weights):
            return extractor.start(clip)
        return _RemoteState(self._least_busy(), extractor, clip)

    def stop(self) -> None:
        """End the actors, and free what they hold."""
        import ray

        for actor in self.actors:
            ray.kill(actor)

    def _least_busy(self) -> Any:
        """Return the actor that is first to have done what was asked of it."""
        import ray

        asked = {actor.answer.options(max_task_retries=-1).remote(): actor for actor in self.actors}
        ready, _ = ray.wait(list(asked), num_returns=1)
        return asked[ready[0]]


class _RemoteState:
    """The running computation of a signal in an actor; frames go there, chunks come back."""

    def __init__(self, actor: Any, extractor: SignalExtractor, clip: Clip) -> None:
        self._actor = actor
        self._session = uuid4().hex
        self._pending: deque[Any] = deque()
        _get(actor.start.remote(self._session, extractor, clip))

    def update(self, block: FrameBlock) -> Iterator[Signal]:
        """Send the next frames; yield the chunks of earlier ones."""
        self._pending.append(self._actor.update.remote(self._session, block))
        while len(self._pending) > BLOCKS_AHEAD:
            yield from _get(self._pending.popleft())

    def finish(self) -> Iterator[Signal]:
        """Yield the remaining chunks."""
        self._pending.append(self._actor.finish.remote(self._session))
        while self._pending:
            yield from _get(self._pending.popleft())


def _get(reference: Any) -> Any:
    """Return what an actor's method returned, or raise what it raised.

    Raises
    ------
    Lost
        The actor, or its node, is gone.
    """
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        reason = str(error).partition("\n")[0]
        raise Lost(f"the process that held its models was lost ({reason})") from error
