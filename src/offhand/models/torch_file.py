"""Read tensors from a file in torch's first format, without torch and without running code.

The format (the default up to torch 1.5): pickles of a magic number, a protocol number and a
description of the machine; a pickle of the state, in which tensors refer to storages by key; a
pickle of the list of keys; then, for each key, an int64 count and the raw numbers, all
little-endian. Pickles may name any function to be called, so those allowed are listed.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from offhand.errors import WeightsError

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
COUNT = np.dtype("<i8")


class _Storage(NamedTuple):
    """A run of numbers, read after the pickles."""

    key: str
    kind: np.dtype[Any]
    n_numbers: int


class _Tensor(NamedTuple):
    """A view of a storage, in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild(storage: _Storage, offset: int, shape: Any, stride: Any, *_: Any) -> _Tensor:
    """Stand in for ``torch._utils._rebuild_tensor_v2``; gradients and hooks are ignored."""
    return _Tensor(storage, offset, tuple(shape), tuple(stride))


ALLOWED: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}
"""What the pickles may name, and what stands for it."""

DAMAGE = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)
"""What reading damaged pickles or wrong sizes may raise."""


class _Unpickler(pickle.Unpickler):
    """Unpickler that knows the names in ``ALLOWED`` and no other."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name; UnpicklingError for a name that is not allowed."""
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which weights do not need")
        return ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage that a tensor refers to."""
        tag, kind, key, _, count, view = pid
        if tag != "storage" or view is not None or not isinstance(kind, np.dtype):
            raise pickle.UnpicklingError(f"storage {key!r} is of a kind not known")
        return _Storage(str(key), kind, int(count))


def read_state(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read the tensors of a state dictionary, float32 or int64, by name.

    Raises
    ------
    WeightsError
        The file is cut short, in another format, or names anything but plain tensors.
    """
    try:
        with path.open("rb") as file:
            return _read(file, size=path.stat().st_size)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error
    except DAMAGE as error:
        raise WeightsError(
            f"{path}: not weights in torch's first format ({error or type(error).__name__}); "
            "get the file again"
        ) from error


def _read(file: BinaryIO, *, size: int) -> dict[str, npt.NDArray[Any]]:
    """Read pickles and numbers; raises one of ``DAMAGE``."""
    magic, protocol, _ = (_Unpickler(file).load() for _ in range(3))
    if (magic, protocol) != (MAGIC, PROTOCOL):
        raise ValueError(f"it starts with {magic!r}, {protocol!r}")
    state = _Unpickler(file).load()
    keys = _Unpickler(file).load()
    if not all(isinstance(tensor, _Tensor) for tensor in state.values()):
        raise ValueError("it holds more than tensors")
    tensors = cast("dict[str, _Tensor]", state)
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    raw = {}
    for key in keys:
        count = int(np.frombuffer(file.read(COUNT.itemsize), COUNT)[0])
        if count != storages[key].n_numbers or count * storages[key].kind.itemsize > size:
            raise ValueError(
                f"storage {key} holds {count} numbers, {storages[key].n_numbers} announced"
            )
        data = file.read(count * storages[key].kind.itemsize)
        raw[key] = np.frombuffer(data, storages[key].kind, count)
    return {name: _view(tensor, raw[tensor.storage.key]) for name, tensor in tensors.items()}


def _view(tensor: _Tensor, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Copy a tensor out of its storage; numpy raises ValueError where it would leave it."""
    width = numbers.itemsize
    strides = [step * width for step in tensor.stride]
    view = np.ndarray(
        tensor.shape, numbers.dtype, numbers, offset=tensor.offset * width, strides=strides
    )
    return view.copy()
