"""One run: where it works, with what, on which runner, and the tasks that follow from that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from offhand.config import Config
from offhand.errors import OffhandError
from offhand.records import Clip
from offhand.runners.base import Outcome, Runner
from offhand.stages.align import AlignTask
from offhand.stages.cluster import ClusterTask
from offhand.stages.describe import features_path, modality_fingerprint
from offhand.stages.fuse import FuseTask, weights_path
from offhand.stages.groups import Group
from offhand.stages.judge import ControlTask
from offhand.stages.measure import clip_key
from offhand.stages.needs import NEEDS
from offhand.stages.prepare import Plan
from offhand.stages.spaces import FeatureFiles, SightFiles
from offhand.store.workspace import Workspace

OnProgress = Callable[[str, int, float], None]
"""Called with the name of a stage, its number of tasks, and how many are done (fractions too)."""


@dataclass(frozen=True)
class Job:
    """What every stage of one run needs, and the tasks of those that concern all clips together."""

    workspace: Workspace
    config: Config
    plan: Plan
    runner: Runner
    on_progress: OnProgress | None
    groups: tuple[Group, ...]

    def stage(
        self, name: str, function: Callable[[Any, Any], Any], tasks: Sequence[Any]
    ) -> list[Outcome[Any]]:
        """Run the tasks of a stage; return their outcomes in the order of the tasks."""
        tell = partial(self.on_progress, name, len(tasks)) if self.on_progress else None
        if tell:
            tell(0.0)
        outcomes = list(self.runner.run(function, tasks, needs=NEEDS[name], on_progress=tell))
        if tell:
            tell(float(len(tasks)))
        return sorted(outcomes, key=lambda outcome: outcome.index)

    def stage_of_parts(
        self, name: str, *parts: tuple[Callable[[Any, Any], Any], Sequence[Any]]
    ) -> list[list[Outcome[Any]]]:
        """Run functions on tasks of their own, which need not wait for each other, as one stage.

        Parameters
        ----------
        name
            Of the stage.
        parts
            Functions with their tasks, in the order in which they begin: what lasts longest goes
            first, so that nothing waits for it at the end.

        Returns
        -------
        list
            For each part the outcomes of its tasks, in their order.
        """
        calls = [(function, task) for function, tasks in parts for task in tasks]
        outcomes = iter(self.stage(name, _call, calls))
        return [list(islice(outcomes, len(tasks))) for _, tasks in parts]

    def whole_stage(
        self, name: str, function: Callable[[Any, Any], Any], tasks: Sequence[Any]
    ) -> None:
        """Run a stage that concerns all clips together, so that a failure ends the run."""
        must_succeed(name, self.stage(name, function, tasks))

    def feature_files(self, clips: Sequence[Clip]) -> tuple[FeatureFiles, ...]:
        """Return where the features of each modality are; none without clips."""
        found = []
        for modality in self.plan.modalities if clips else ():
            step = modality, self.plan.segmenter, self.plan.extractors
            found.append(
                FeatureFiles(
                    modality=modality.name,
                    modality_fingerprint=modality_fingerprint(*step),
                    signals=modality.signals,
                    paths=tuple(str(features_path(self.workspace, *step, clip)) for clip in clips),
                    clip_keys=tuple(clip_key(clip) for clip in clips),
                )
            )
        return tuple(found)

    def align_tasks(self, features: tuple[FeatureFiles, ...]) -> list[AlignTask]:
        """Return the task that aligns clips; none without modalities."""
        if not features:
            return []
        return [
            AlignTask(
                workspace=str(self.workspace.path),
                described=SightFiles(features=features),
                alignment=self.config.general.alignment,
                clusterer=self.config.clusterers[self.config.general.clusterer],
                seed=self.config.general.seed,
            )
        ]

    def fuse_tasks(self, described: SightFiles) -> list[FuseTask]:
        """Return the task that weighs the modalities; none below two of them."""
        if len(described.features) < 2:
            return []
        return [
            FuseTask(
                workspace=str(self.workspace.path),
                described=described,
                fusion=self.config.fusion,
            )
        ]

    def cluster_tasks(
        self, described: SightFiles, fusions: Sequence[FuseTask]
    ) -> list[ClusterTask]:
        """Return one task for each clusterer on each modality and on their fusion."""
        sources = [(files.modality, "") for files in described.features]
        sources += [(task.fusion.name, str(weights_path(task))) for task in fusions]
        return [
            ClusterTask(
                workspace=str(self.workspace.path),
                modality=name,
                described=described,
                fusion_weights=path,
                clusterer=clusterer,
                seed=self.config.general.seed,
            )
            for name, path in sources
            for clusterer in self.config.clusterers.values()
        ]

    def control_tasks(self, described: SightFiles) -> list[ControlTask]:
        """Return the task that scores worthless labels; none without modalities."""
        if not described.features:
            return []
        return [
            ControlTask(
                workspace=str(self.workspace.path),
                described=described,
                groups=self.groups,
                seed=self.config.general.seed,
            )
        ]


def must_succeed(name: str, outcomes: Iterable[Outcome[Any]]) -> None:
    """Raise :class:`offhand.errors.OffhandError` where a task has failed that the run needs."""
    for outcome in outcomes:
        if outcome.error:
            raise OffhandError(f"{name}: {outcome.error}")


def _call(call: tuple[Callable[[Any, Any], Any], Any], report: Callable[[float], None]) -> Any:
    """Run the function of a call on its task."""
    function, task = call
    return function(task, report)
