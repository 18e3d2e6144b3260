"""Devices, batches and lack of memory, with a model that only pretends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from offhand.errors import SignalError, WeightsError, WeightsMissing
from offhand.models.hub import DEVICES, HubModel, choose_device, packages, ran_out_of_memory

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'offhand[hub]'")

GPU_ERROR = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB\nMore.")


class _Module:
    """Stands for a module; it remembers where it is and in what precision."""

    def __init__(self, *, room_on: tuple[str, ...] = DEVICES) -> None:
        self.device, self.precision = "", ""
        self._room_on = room_on

    def to(self, device: str) -> _Module:
        if device not in self._room_on:
            raise GPU_ERROR
        self.device = device
        return self

    def half(self) -> _Module:
        self.precision = "half"
        return self

    def float(self) -> _Module:
        self.precision = "single"
        return self


def _model(module: _Module, *, device: str = "cuda", batch: int = 8, threads: int = 1) -> HubModel:
    return HubModel(module, device=device, batch=batch, threads=threads, source="folder")


def _numbers(
    module: _Module, room: dict[str, int], error: BaseException = GPU_ERROR
) -> tuple[Callable[[slice], Any], list[tuple[str, int]]]:
    """Return a computation that fails above a batch size, and a list of the batches it saw."""
    seen: list[tuple[str, int]] = []

    def compute(part: slice) -> Any:
        seen.append((module.device, part.stop - part.start))
        if part.stop - part.start > room[module.device]:
            raise error
        return torch.arange(part.start, part.stop, dtype=torch.float64)[:, None] * 2

    return compute, seen


def test_every_item_is_computed_once_and_in_order() -> None:
    module = _Module()
    compute, seen = _numbers(module, {"cuda": 8})
    result = _model(module).run(19, compute, shape=(1,))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result[:, 0], 2 * np.arange(19))
    assert [size for _, size in seen] == [8, 8, 3]


def test_no_items_give_no_rows() -> None:
    def compute(part: slice) -> Any:
        raise AssertionError(part)

    assert _model(_Module()).run(0, compute, shape=(5,)).shape == (0, 5)


def test_a_gpu_computes_in_half_precision_and_a_processor_does_not() -> None:
    module = _Module()
    assert _model(module, device="cuda").module.precision == "half"
    model = _model(module, device="cpu")
    assert model.module.precision == "single"
    assert model.tensor(np.zeros(3, np.float64)).dtype == torch.float32
    assert model.tensor(np.zeros(3, np.int64)).dtype == torch.int64


def test_the_batch_is_halved_where_memory_runs_out(caplog: pytest.LogCaptureFixture) -> None:
    module = _Module()
    compute, seen = _numbers(module, {"cuda": 3})
    model = _model(module)
    with caplog.at_level(logging.WARNING):
        result = model.run(5, compute, shape=(1,))
    np.testing.assert_array_equal(result[:, 0], 2 * np.arange(5))
    assert [size for _, size in seen] == [5, 4, 2, 2, 1]
    assert model.device == "cuda"
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "batch is now 4" in caplog.text
    assert "batch is now 2" in caplog.text
    model.run(4, compute, shape=(1,))
    assert [size for _, size in seen[5:]] == [2, 2]


def test_the_model_moves_to_the_processor_where_one_item_does_not_fit(
    caplog: pytest.LogCaptureFixture,
) -> None:
    module = _Module()
    compute, seen = _numbers(module, {"cuda": 0, "cpu": 1})
    model = _model(module, batch=2)
    with caplog.at_level(logging.WARNING):
        result = model.run(3, compute, shape=(1,))
    np.testing.assert_array_equal(result[:, 0], 2 * np.arange(3))
    assert seen == [("cuda", 2), ("cuda", 1), ("cpu", 1), ("cpu", 1), ("cpu", 1)]
    assert (model.device, module.precision) == ("cpu", "single")
    assert "CUDA out of memory" in caplog.text
    assert "processor" in caplog.records[-1].getMessage()


def test_a_model_that_does_not_fit_the_gpu_starts_on_the_processor(
    caplog: pytest.LogCaptureFixture,
) -> None:
    module = _Module(room_on=("cpu",))
    with caplog.at_level(logging.WARNING):
        model = _model(module)
    assert (model.device, module.device, module.precision) == ("cpu", "cpu", "single")
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 3 GiB"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 8 bytes"),
    ],
)
def test_a_processor_without_memory_ends_in_an_error(error: BaseException) -> None:
    module = _Module()
    compute, seen = _numbers(module, {"cpu": 0}, error)
    with pytest.raises(SignalError, match="not enough memory"):
        _model(module, device="cpu", batch=2).run(2, compute, shape=(1,))
    assert seen == [("cpu", 2), ("cpu", 1)]


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    module = _Module()
    compute, seen = _numbers(module, {"cuda": 0}, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        _model(module).run(4, compute, shape=(1,))
    assert len(seen) == 1
    assert not ran_out_of_memory(RuntimeError("shapes differ"))


def test_results_that_are_not_finite_are_refused() -> None:
    def compute(part: slice) -> Any:
        return torch.full((part.stop - part.start, 2), float("nan"))

    with pytest.raises(WeightsError, match="not finite"):
        _model(_Module()).run(2, compute, shape=(2,))


@pytest.mark.parametrize("threads", [1, 2])
def test_torch_gets_its_threads_for_the_run_alone(threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    used = []

    def compute(part: slice) -> Any:
        used.append((torch.get_num_threads(), torch.is_inference_mode_enabled()))
        return torch.zeros(1, 1)

    try:
        _model(_Module(), device="cpu", threads=threads).run(1, compute, shape=(1,))
        assert used == [(threads, True)]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("options", [{"batch": 0}, {"threads": 0}])
def test_batch_and_threads_must_be_positive(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        _model(_Module(), **options)


@pytest.mark.parametrize(
    ("there", "wanted", "chosen"),
    [
        ((), "auto", "cpu"),
        (("mps",), "auto", "mps"),
        (("cuda", "mps"), "auto", "cuda"),
        (("cuda", "mps"), "mps", "mps"),
        (("cuda",), "cpu", "cpu"),
    ],
)
def test_the_first_device_there_is_is_chosen(
    monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], wanted: str, chosen: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in there)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in there)
    assert choose_device(wanted) == chosen


def test_a_device_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(WeightsMissing, match="cuda"):
        choose_device("cuda")


def test_an_unknown_device_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="tpu"):
        choose_device("tpu")


def test_an_old_transformers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    transformers = pytest.importorskip("transformers")
    monkeypatch.setattr(transformers, "__version__", "4.57.3")
    with pytest.raises(WeightsMissing, match=r"4\.57\.3.*offhand\[hub\]"):
        packages()
