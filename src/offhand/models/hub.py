"""Running models of the library ``transformers``: packages, devices, batches, memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from offhand.errors import SignalError, WeightsError, WeightsMissing
from offhand.records import ByteArray

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

DEVICES = ("auto", "cuda", "mps", "cpu")
"""What may be asked for; ``auto`` is the first of the others that there is."""

PACKAGES_HINT = "install them: pip install 'offhand[hub]'"

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""What torch's messages say on its devices; on a processor there is no class of its own for it."""

FloatImages = npt.NDArray[np.float32]


class HubModel:
    """A loaded model that works in batches, and in smaller ones where the memory runs out.

    On a GPU it computes in half precision. Where memory runs out the batch is halved, down to one;
    then the model moves to the processor. Both last, and both are logged as warnings.

    Parameters
    ----------
    module
        The model, a ``torch.nn.Module``.
    device
        Device to run on, as :func:`choose_device` returns it.
    batch
        Items that are run at once.
    threads
        Threads of torch on a processor. More than one may change the last digits.
    source
        Where the model comes from, for messages.
    """

    def __init__(
        self, module: Any, *, device: str, batch: int, threads: int = 1, source: str
    ) -> None:
        if batch < 1 or threads < 1:
            raise ValueError(f"batch is {batch} and threads {threads}, must be at least 1")
        self.module = module
        self.device = device
        self.batch = batch
        self._threads = threads
        self._source = source
        try:
            self._settle()
        except RuntimeError as error:
            if device == "cpu" or not ran_out_of_memory(error):
                raise
            self._move_to_processor(str(error))

    def tensor(self, values: npt.NDArray[Any]) -> torch.Tensor:
        """Return an array as a tensor on the model's device, floats in the model's precision."""
        import torch

        tensor = torch.from_numpy(np.ascontiguousarray(values)).to(self.device)
        if not tensor.is_floating_point():
            return tensor
        return tensor.float() if self.device == "cpu" else tensor.half()

    def run(
        self, n: int, compute: Callable[[slice], torch.Tensor], *, shape: tuple[int, ...]
    ) -> FloatImages:
        """Compute something for ``n`` items, a batch at a time.

        Parameters
        ----------
        n
            Number of items.
        compute
            Gives the result ``(batch, *shape)`` for a slice of the items.
        shape
            Shape of the result for one item.

        Returns
        -------
        FloatImages
            ``(n, *shape)`` float32.

        Raises
        ------
        SignalError
            The memory does not suffice for a single item, not even the processor's.
        WeightsError
            A result is not finite.
        """
        import torch

        result = np.empty((n, *shape), np.float32)
        start = 0
        with _threads(self._threads), torch.inference_mode():
            while start < n:
                part = slice(start, min(start + self.batch, n))
                reason: str | None = None
                try:
                    result[part] = compute(part).float().cpu().numpy()
                except (RuntimeError, MemoryError) as error:
                    if not ran_out_of_memory(error):
                        raise
                    reason = str(error)
                if (
                    reason is not None
                ):  # outside the handler, which holds on to what filled the memory
                    self._retreat(reason)
                else:
                    start = part.stop
        if not np.isfinite(result).all():
            raise WeightsError(
                f"{self._source}: the model's results are not finite on {self.device}; "
                "the checkpoint is damaged, or needs full precision: choose device cpu"
            )
        return result

    def _retreat(self, reason: str) -> None:
        """Ask for less memory than before; SignalError where that is not possible."""
        if self.batch > 1:
            self.batch //= 2
            logger.warning(
                "%s: out of memory on %s (%s): the batch is now %d",
                *(self._source, self.device, first_line(reason), self.batch),
            )
        elif self.device == "cpu":
            raise SignalError(
                f"{self._source}: not enough memory for a batch of one ({first_line(reason)}); "
                "use a smaller model or fewer workers"
            )
        else:
            self._move_to_processor(reason)
        _free_memory(self.device)

    def _move_to_processor(self, reason: str) -> None:
        logger.warning(
            "%s: out of memory on %s (%s): going on with the processor, which is much slower",
            *(self._source, self.device, first_line(reason)),
        )
        abandoned, self.device = self.device, "cpu"
        self._settle()
        _free_memory(abandoned)

    def _settle(self) -> None:
        """Bring the model to its device, in that device's precision."""
        self.module = self.module.to(self.device)
        self.module = self.module.float() if self.device == "cpu" else self.module.half()


def choose_device(wanted: str) -> str:
    """Return ``cuda``, ``mps`` or ``cpu``.

    Parameters
    ----------
    wanted
        One of :data:`DEVICES`.

    Raises
    ------
    ValueError
        There is no device of that name.
    WeightsMissing
        The device is not there, or torch is not.
    """
    if wanted not in DEVICES:
        raise ValueError(f"device is {wanted!r}, must be one of {', '.join(DEVICES)}")
    if wanted == "cpu":
        return wanted
    torch = packages()[0]
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(name for name, is_there in there.items() if is_there)
    if not there[wanted]:
        raise WeightsMissing(
            f"device {wanted} is not available to torch {torch.__version__} here; "
            "choose auto or cpu, or install a build of torch for it"
        )
    return wanted


def packages() -> tuple[Any, Any]:
    """Import and return torch and transformers, after a look at what they need beside them.

    Raises
    ------
    WeightsMissing
        One of them is not installed, or too old.
    """
    try:
        import PIL.Image  # noqa: F401
        import torch
        import transformers
    except ImportError as error:
        raise WeightsMissing(
            f"models of the hub need torch and transformers ({error}); {PACKAGES_HINT}"
        ) from error
    if int(transformers.__version__.split(".")[0]) < 5:
        raise WeightsMissing(
            f"transformers is version {transformers.__version__}, must be 5 or later; "
            f"{PACKAGES_HINT}"
        )
    return torch, transformers


def check_images(images: ByteArray, *, n_axes: int = 4) -> None:
    """Raise ValueError unless images are uint8 RGB, ``(n, [frames,] height, width, 3)``."""
    if images.dtype != np.uint8 or images.ndim != n_axes or images.shape[-1] != 3:
        axes = "(n, height, width, 3)" if n_axes == 4 else "(n, frames, height, width, 3)"
        raise ValueError(f"images are {images.dtype} {images.shape}, must be uint8 {axes}")


def ran_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory, of a GPU or of the machine, ran out."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _OUT_OF_MEMORY)


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Let torch use so many threads for a while."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _free_memory(device: str) -> None:
    """Give memory that torch keeps in reserve back to a GPU."""
    import torch

    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "mps" and torch.backends.mps.is_available():
        torch.mps.empty_cache()


def first_line(text: str) -> str:
    """Return the first line of a message that says anything, without a length to frighten."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:200] if lines else "no reason given"
