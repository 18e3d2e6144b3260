"""What can be computed on this machine, and why the rest cannot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import pytest

from offhand.errors import WeightsError, WeightsMissing
from offhand.modalities.base import Modality
from offhand.segments.base import Segmenter
from offhand.signals.base import SignalExtractor
from offhand.stages import prepare as module
from offhand.stages.prepare import Plan, prepare, with_model


@dataclass(frozen=True, kw_only=True)
class Fake:
    """A signal that needs the weights named by its model."""

    name: str = "fake"
    models: ClassVar[tuple[str, ...]] = ("best", "good", "plain")
    model: str = "auto"

    @property
    def weights(self) -> tuple[str, ...]:
        return (self.model,)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A segmentation or modality that reads signals."""

    name: str = "reader"
    signals: tuple[str, ...] = ()
    optional_signals: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Light:
    """A signal without weights."""

    name: str = "light"
    weights: tuple[str, ...] = field(default=())


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Weights on this machine, with what is wrong with them."""
    there: dict[str, str] = {"plain": "", "good": ""}

    def missing(name: str) -> str:
        return "" if name in there else f"no weights {name}"

    def ensure(names: list[str], *, download: bool, offline: bool, on_progress: Any) -> Any:
        if download and not offline:
            there.update(dict.fromkeys(names, ""))
        for name in names:
            if there.get(name):
                raise WeightsError(there[name])
        return {name: missing(name) for name in names if missing(name)}

    monkeypatch.setattr(module.weights, "missing", missing)
    monkeypatch.setattr(module.weights, "ensure", ensure)
    monkeypatch.setattr(module.weights, "is_of_hub", lambda name: name == "best")
    monkeypatch.setattr(module, "_has_gpu", lambda: True)
    monkeypatch.setattr(module.hub, "packages", lambda: None)
    return there


def signal(step: Any) -> SignalExtractor:
    return cast(SignalExtractor, step)


def plan(
    signals: list[Any],
    cutter: Reader,
    modalities: list[Reader],
    *,
    required: tuple[str, ...] = ("fake", "light"),
    download: bool = False,
) -> Plan:
    readers = cast(Segmenter, cutter), cast(list[Modality], modalities)
    return prepare(signals, *readers, required=required, download=download)


def test_the_best_model_that_is_here_is_chosen(shelf: dict[str, str]) -> None:
    assert with_model(signal(Fake())) == Fake(model="good")
    shelf["best"] = ""
    assert with_model(signal(Fake())) == Fake(model="best")


def test_a_model_of_the_hub_is_chosen_on_a_gpu_alone(
    shelf: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf["best"] = ""
    monkeypatch.setattr(module, "_has_gpu", lambda: False)
    assert with_model(signal(Fake())) == Fake(model="good")


def test_a_model_of_the_hub_needs_its_packages(
    shelf: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def packages() -> None:
        raise WeightsMissing("no torch")

    shelf["best"] = ""
    monkeypatch.setattr(module.hub, "packages", packages)
    found = plan([Fake(model="best"), Light()], Reader(), [])
    assert found.absent_signals == {"fake": "no torch"}


def test_without_any_the_embedded_default_is_asked_for(shelf: dict[str, str]) -> None:
    shelf.clear()
    assert with_model(signal(Fake())) == Fake(model="plain")


def test_a_model_that_was_named_is_kept(shelf: dict[str, str]) -> None:
    assert with_model(signal(Fake(model="plain"))) == Fake(model="plain")
    assert with_model(signal(Light())) == Light()


def test_what_is_required_is_fetched_if_allowed(shelf: dict[str, str]) -> None:
    shelf.clear()
    assert plan([Fake()], Reader(), [], download=True).extractors == (Fake(model="plain"),)


def test_what_is_merely_of_use_is_not_fetched(shelf: dict[str, str]) -> None:
    shelf.clear()
    found = plan([Fake()], Reader(), [], required=(), download=True)
    assert found.absent_signals == {"fake": "no weights plain"}
    assert shelf == {}


def test_only_a_required_signal_is_worth_a_warning(
    shelf: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    shelf.clear()
    plan([Fake()], Reader(), [], required=())
    assert not caplog.records
    plan([Fake()], Reader(), [])
    assert [record.getMessage() for record in caplog.records] == [
        "no signal fake: no weights plain"
    ]


def test_what_lacks_weights_is_left_out_with_its_reason(shelf: dict[str, str]) -> None:
    del shelf["good"], shelf["plain"]
    needing, free = Reader(name="needs", signals=("fake",)), Reader(name="free", signals=("light",))
    using = Reader(name="uses", signals=("light",), optional_signals=("fake",))
    found = plan([Light(), Fake()], Reader(signals=("light",)), [needing, free, using])
    assert [step.name for step in found.extractors] == ["light"]
    assert [step.name for step in found.modalities] == ["free", "uses"]
    assert found.absent_signals == {"fake": "no weights plain"}
    assert found.absent_modalities == {"needs": "fake: no weights plain"}


def test_a_segmentation_without_its_signal_stops_the_run(shelf: dict[str, str]) -> None:
    shelf.clear()
    with pytest.raises(WeightsMissing, match=r"reader cannot run.*no weights plain"):
        plan([Fake()], Reader(signals=("fake",)), [])


def test_damaged_weights_stop_the_run(shelf: dict[str, str]) -> None:
    shelf["good"] = "checksum"
    with pytest.raises(WeightsError, match="checksum"):
        plan([Fake()], Reader(), [])
