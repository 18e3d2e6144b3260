"""Before any work: what can be computed on this machine, and why the rest cannot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from offhand import weights
from offhand.errors import WeightsMissing
from offhand.modalities.base import Modality
from offhand.models import hub
from offhand.segments.base import Segmenter
from offhand.signals.base import AUTO, SignalExtractor

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The steps of a run that can be taken here.

    Attributes
    ----------
    extractors, segmenter, modalities
        The steps, each with its model chosen.
    absent_signals, absent_modalities
        Why a step cannot be taken, by its name.
    """

    extractors: tuple[SignalExtractor, ...]
    segmenter: Segmenter
    modalities: tuple[Modality, ...]
    absent_signals: Mapping[str, str] = field(default_factory=dict)
    absent_modalities: Mapping[str, str] = field(default_factory=dict)


def prepare(
    signals: Iterable[SignalExtractor],
    segmenter: Segmenter,
    modalities: Iterable[Modality],
    *,
    required: Collection[str],
    download: bool = False,
    on_progress: Callable[[str, int, float], None] | None = None,
) -> Plan:
    """Choose models, check that weights are whole, and leave out what lacks them.

    Parameters
    ----------
    signals
        The signals wanted.
    segmenter, modalities
        What reads them.
    required
        Names of the signals that are not merely of use to some modality: only for these weights
        are fetched, and their absence is a warning.
    download
        Whether to fetch weights that are missing; nothing is fetched otherwise.
    on_progress
        Told how far a download is.

    Raises
    ------
    WeightsMissing
        The segmentation needs a signal that cannot be computed.
    WeightsError
        Weights are here but damaged.
    """
    chosen = [with_model(step) for step in signals]
    lacks = _lacks(chosen, required, download=download, on_progress=on_progress)
    absent = {}
    for step in chosen:
        reasons = [lacks[name] for name in step.weights if name in lacks]
        if reasons:
            absent[step.name] = "; ".join(reasons)
            level = logging.WARNING if step.name in required else logging.INFO
            logger.log(level, "no signal %s: %s", step.name, absent[step.name])
    present = tuple(step for step in chosen if step.name not in absent)
    lacking = [f"{name}: {absent[name]}" for name in segmenter.signals if name in absent]
    if lacking:
        raise WeightsMissing(f"segmentation {segmenter.name} cannot run ({'; '.join(lacking)})")
    without: dict[str, str] = {}
    usable = []
    for modality in modalities:
        reasons = [f"{name}: {absent[name]}" for name in modality.signals if name in absent]
        if reasons:
            without[modality.name] = "; ".join(reasons)
        else:
            usable.append(modality)
    return Plan(
        extractors=present,
        segmenter=segmenter,
        modalities=tuple(usable),
        absent_signals=absent,
        absent_modalities=without,
    )


def _lacks(
    signals: Collection[SignalExtractor],
    required: Collection[str],
    *,
    download: bool,
    on_progress: Callable[[str, int, float], None] | None,
) -> dict[str, str]:
    """Return why weights cannot be used here, by their name, after fetching what may be fetched."""
    found: dict[str, str] = {}
    for needed in (True, False):
        names = [
            name for step in signals if (step.name in required) == needed for name in step.weights
        ]
        fetches = needed and download
        found |= weights.ensure(
            names, download=fetches, offline=not fetches, on_progress=on_progress
        )
    of_hub = {name for step in signals for name in step.weights if weights.is_of_hub(name)}
    for name in of_hub - set(found):
        try:
            hub.packages()
        except WeightsMissing as error:
            found[name] = str(error)
    return found


def with_model(extractor: SignalExtractor) -> SignalExtractor:
    """Return a signal that leaves its model open with the first one that is fit for this machine.

    Its weights must be here; a model of the hub needs a GPU too, as on a processor it takes many
    times as long as the video. Where there is none, the last one is taken: the embedded default.
    """
    step = cast(Any, extractor)
    if getattr(extractor, "model", "") != AUTO:
        return extractor
    found = [name for name in step.models if not weights.missing(name)]
    found = [name for name in found if not weights.is_of_hub(name) or _has_gpu()]
    return cast(SignalExtractor, replace(step, model=(found or step.models[-1:])[0]))


def _has_gpu() -> bool:
    try:
        return hub.choose_device("auto") != "cpu"
    except WeightsMissing:
        return False
