"""Networks in TensorFlow Lite files, run on the CPU by ``ai-edge-litert``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from offhand.errors import WeightsError, WeightsMissing
from offhand.records import FloatArray

_GREETING = b"TensorFlow Lite XNNPACK delegate"
"""Part of the line that the runtime writes to stderr once in each process."""

_greeted = False
_greeting_lock = Lock()


class Network:
    """One network: an array in, a tuple of arrays out, one item at a time.

    Not for use by several threads at once, as the runtime keeps its tensors.

    Parameters
    ----------
    path
        A file in TensorFlow Lite format; reading it cannot execute code.
    content
        The network in that format where it was made from the file, whose format is another one;
        the file is not read then.
    inputs
        Shape of the one input, without the batch axis.
    outputs
        Shapes of the outputs in the file's order, without the batch axis.
    threads
        Threads of the runtime.

    Raises
    ------
    WeightsMissing
        The file or the package ``ai-edge-litert`` is not here.
    WeightsError
        The file is damaged, or holds another network.
    """

    def __init__(
        self,
        path: Path,
        *,
        inputs: tuple[int, ...],
        outputs: Sequence[tuple[int, ...]],
        threads: int,
        content: bytes | None = None,
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads is {threads}, must be at least 1")
        self._interpreter = _load(path, content, threads)
        found_in = self._interpreter.get_input_details()
        found_out = self._interpreter.get_output_details()
        _check(path, "inputs", found_in, [inputs])
        _check(path, "outputs", found_out, list(outputs))
        self._input: int = found_in[0]["index"]
        self._outputs: list[int] = [tensor["index"] for tensor in found_out]
        self._shape = (1, *inputs)

    def __call__(self, values: npt.NDArray[np.floating[Any]]) -> tuple[FloatArray, ...]:
        """Return the outputs for one input of the shape given at construction."""
        batch = np.ascontiguousarray(values, dtype=np.float32).reshape(self._shape)
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        return tuple(
            np.asarray(self._interpreter.get_tensor(index)[0], dtype=np.float64)
            for index in self._outputs
        )


def _load(path: Path, content: bytes | None, threads: int) -> Any:
    """Open a file, or what was made from it, with the runtime."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise WeightsMissing(
            f"{path.name} needs the package ai-edge-litert, which cannot be imported ({error}); "
            "install it: pip install ai-edge-litert"
        ) from error
    if content is None and not path.is_file():
        raise WeightsMissing(f"{path}: no such file")
    try:
        # As bytes, which the runtime verifies; from a damaged file, some releases crash.
        content = path.read_bytes() if content is None else content
        with _without_greeting():
            interpreter = Interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RuntimeError) as error:
        raise WeightsError(
            f"{path}: not a network that can be run ({error}); get the weights again: "
            "offhand weights pull"
        ) from error
    return interpreter


def _check(
    path: Path, kind: str, tensors: list[dict[str, Any]], wanted: list[tuple[int, ...]]
) -> None:
    """Raise WeightsError unless the tensors are float32, of batch one and the wanted shapes."""
    found = [tuple(int(side) for side in tensor["shape"]) for tensor in tensors]
    floats = all(tensor["dtype"] is np.float32 for tensor in tensors)
    if not floats or found != [(1, *shape) for shape in wanted]:
        raise WeightsError(
            f"{path}: its {kind} have the shapes {found}, expected {wanted} in float32 "
            "after a batch of 1; this is another network"
        )


@contextmanager
def _without_greeting() -> Iterator[None]:
    """Hold back what is written to file 2 the first time, and drop the runtime's greeting from it.

    The greeting comes from native code that has no switch for it. Everything else written
    meanwhile, by whichever thread, is passed on.
    """
    global _greeted
    with _greeting_lock:
        if _greeted:
            yield
            return
        _greeted = True
        with tempfile.TemporaryFile() as held:
            try:
                stderr = os.dup(2)
            except OSError:  # there is no file 2: nothing to keep clean
                yield
                return
            os.dup2(held.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(stderr, 2)
                held.seek(0)
                for line in held:
                    if _GREETING not in line:
                        os.write(stderr, line)
                os.close(stderr)
