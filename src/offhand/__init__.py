"""Find which work activities repeat in helmet-camera video when the hands are barely visible.

The names here are loaded on first use, so that ``import offhand`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offhand.clustering.hdbscan import Hdbscan
    from offhand.clustering.space import feature_space
    from offhand.config import load as load_config
    from offhand.errors import OffhandError
    from offhand.evaluation.consistency import consistency
    from offhand.modalities.ego_motion import EgoMotion
    from offhand.modalities.flow_rhythm import FlowRhythm
    from offhand.pipeline import run
    from offhand.segments.changepoint import ChangePoints
    from offhand.stages.count import count_video
    from offhand.stages.evaluate import evaluate
    from offhand.stages.measure import measure_signals
    from offhand.stages.register import Selection
    from offhand.stages.synth import synthesise
    from offhand.store.workspace import Workspace

_WHERE = {
    "ChangePoints": "offhand.segments.changepoint",
    "EgoMotion": "offhand.modalities.ego_motion",
    "FlowRhythm": "offhand.modalities.flow_rhythm",
    "Hdbscan": "offhand.clustering.hdbscan",
    "OffhandError": "offhand.errors",
    "Selection": "offhand.stages.register",
    "Workspace": "offhand.store.workspace",
    "count_video": "offhand.stages.count",
    "evaluate": "offhand.stages.evaluate",
    "consistency": "offhand.evaluation.consistency",
    "feature_space": "offhand.clustering.space",
    "load_config": "offhand.config:load",
    "measure_signals": "offhand.stages.measure",
    "run": "offhand.pipeline",
    "synthesise": "offhand.stages.synth",
}

__all__ = [
    "ChangePoints",
    "EgoMotion",
    "FlowRhythm",
    "Hdbscan",
    "OffhandError",
    "Selection",
    "Workspace",
    "consistency",
    "count_video",
    "evaluate",
    "feature_space",
    "load_config",
    "measure_signals",
    "run",
    "synthesise",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'offhand' has no attribute {name!r}")
    module, _, attribute = _WHERE[name].partition(":")
    return getattr(importlib.import_module(module), attribute or name)


def __dir__() -> list[str]:
    return list(__all__)
