from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offhand.errors import WeightsError
from offhand.models.torch_file import MAGIC, PROTOCOL, read_state
from tests.fixtures.torch_files import write_torch_file

TENSORS: dict[str, Any] = {
    "first.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7,
    "first.count": np.array(5, dtype=np.int64),
    "second.bias": np.array([-1.5, np.inf, 0.0], dtype=np.float32),
}


class Intruder:
    """Pickles as a call that would leave a trace."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._trace),)


def pickled(path: Path, state: Any, *, magic: int = MAGIC, keys: Any = ()) -> Path:
    with path.open("wb") as file:
        for content in (magic, PROTOCOL, {}, state, list(keys)):
            pickle.dump(content, file, protocol=2)
    return path


def test_tensors_come_back_as_they_were(tmp_path: Path) -> None:
    found = read_state(write_torch_file(tmp_path / "w.pth", TENSORS))
    assert list(found) == list(TENSORS)
    for name, values in TENSORS.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)


def test_strides_are_followed(tmp_path: Path) -> None:
    turned = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    path = write_torch_file(tmp_path / "w.pth", {"w": turned})
    content = path.read_bytes()  # the writer wrote it in order of rows, the strides say columns
    path.write_bytes(content[: -turned.nbytes] + turned.tobytes(order="A"))
    np.testing.assert_array_equal(read_state(path)["w"], turned)


def test_no_other_name_is_called(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = pickled(tmp_path / "w.pth", OrderedDict(w=Intruder(trace)))
    with pytest.raises(WeightsError, match=r"w\.pth: not weights .*it names \w+\.mkdir, which"):
        read_state(path)
    assert not trace.exists()
    with path.open("rb") as file:  # the file would have done it
        for _ in range(4):
            pickle.load(file)
    assert trace.exists()


def test_storages_of_other_kinds_are_refused(tmp_path: Path) -> None:
    path = write_torch_file(tmp_path / "w.pth", {"w": np.zeros(3, np.uint8)})
    with pytest.raises(WeightsError, match=r"torch\.ByteStorage"):
        read_state(path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_short(tmp_path: Path, share: float) -> None:
    path = write_torch_file(tmp_path / "w.pth", TENSORS)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match="get the file again"):
        read_state(path)


def test_numbers_that_are_not_there_are_not_announced_away(tmp_path: Path) -> None:
    path = write_torch_file(tmp_path / "w.pth", {"w": np.zeros(3, np.float32)})
    content = path.read_bytes()
    path.write_bytes(content[:-20] + np.int64(1 << 50).tobytes() + content[-12:])
    with pytest.raises(WeightsError, match="3 announced"):
        read_state(path)


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="it starts with 1,"):
        read_state(pickled(tmp_path / "a.pth", OrderedDict(), magic=1))
    with pytest.raises(WeightsError, match="more than tensors"):
        read_state(pickled(tmp_path / "b.pth", OrderedDict(w=1.0)))
    (tmp_path / "c.pth").write_bytes(b"PK\x03\x04 a zip, torch's second format")
    with pytest.raises(WeightsError, match=r"c\.pth: not weights in torch's first format"):
        read_state(tmp_path / "c.pth")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_state(tmp_path / "none.pth")
