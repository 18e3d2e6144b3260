"""Stage 2: cut a clip into segments and describe each in every modality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from offhand import rhythm
from offhand.modalities.base import Modality
from offhand.records import Clip, LongSignal, Segments
from offhand.segments.base import Segmenter
from offhand.signals.base import SignalExtractor
from offhand.stages.measure import clip_key, signal_fingerprint, signal_path
from offhand.store import fingerprint, parquet, signal_files
from offhand.store.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class DescribeTask:
    """One clip to cut and describe; its signals are stored.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    clip
        The clip.
    stop_s
        Where its pictures end.
    extractors, segmenter, modalities
        The configured steps.
    """

    workspace: str
    clip: Clip
    stop_s: float
    extractors: tuple[SignalExtractor, ...]
    segmenter: Segmenter
    modalities: tuple[Modality, ...]


def segmentation_fingerprint(segmenter: Segmenter, extractors: tuple[SignalExtractor, ...]) -> str:
    """Return the fingerprint of a segmentation and of the signals it reads."""
    return fingerprint.of_step(segmenter, after=upstream(segmenter.signals, extractors))


def modality_fingerprint(
    modality: Modality, segmenter: Segmenter, extractors: tuple[SignalExtractor, ...]
) -> str:
    """Return the fingerprint of a modality, of the segmentation, and of the signals it reads."""
    cut = segmentation_fingerprint(segmenter, extractors)
    names = signals_read(modality, extractors)
    return fingerprint.of_step(modality, after=(cut, *upstream(names, extractors)))


def signals_read(modality: Modality, extractors: tuple[SignalExtractor, ...]) -> tuple[str, ...]:
    """Return the signals that a modality reads: those it needs, and the optional ones there are."""
    measured = {extractor.name for extractor in extractors}
    return (*modality.signals, *(n for n in modality.optional_signals if n in measured))


def segments_path(
    workspace: Workspace,
    segmenter: Segmenter,
    extractors: tuple[SignalExtractor, ...],
    clip: Clip,
) -> Path:
    """Return the file of a clip's segments."""
    name = segmentation_fingerprint(segmenter, extractors)
    return workspace.record_path("segments", segmenter.name, name, clip.clip_id)


def features_path(
    workspace: Workspace,
    modality: Modality,
    segmenter: Segmenter,
    extractors: tuple[SignalExtractor, ...],
    clip: Clip,
) -> Path:
    """Return the file of a clip's features in one modality."""
    name = modality_fingerprint(modality, segmenter, extractors)
    return workspace.record_path("features", modality.name, name, clip.clip_id)


def describe(task: DescribeTask, report: Callable[[float], None]) -> Segments:
    """Compute what is not stored yet of a clip's segments and features."""
    workspace = Workspace(task.workspace)
    key = clip_key(task.clip)
    signals: dict[str, LongSignal] = {}

    def needed(names: tuple[str, ...]) -> dict[str, LongSignal]:
        for extractor in task.extractors:
            if extractor.name in names and extractor.name not in signals:
                path = signal_path(workspace, extractor, task.clip)
                signals[extractor.name] = signal_files.StoredSignal(path)
        return {name: signals[name] for name in names}

    path = segments_path(workspace, task.segmenter, task.extractors, task.clip)
    if parquet.has_key(path, key):
        segments = parquet.read_segments(path)
    else:
        segments = task.segmenter.cut(
            task.clip.clip_id,
            {name: found.whole() for name, found in needed(task.segmenter.signals).items()},
            start_s=task.clip.from_s,
            stop_s=task.stop_s,
        )
        parquet.write_segments(path, segments, key=key)
    for done, modality in enumerate(task.modalities, start=1):
        path = features_path(workspace, modality, task.segmenter, task.extractors, task.clip)
        if not parquet.has_key(path, key):
            features = modality.describe(needed(signals_read(modality, task.extractors)), segments)
            parquet.write_features(path, features, key=key)
        report(done / len(task.modalities))
    return segments


def upstream(names: tuple[str, ...], extractors: tuple[SignalExtractor, ...]) -> tuple[str, ...]:
    """Return the fingerprints of the signals named, and of the tools that read them.

    ValueError for a signal that is not configured.
    """
    known = {extractor.name: signal_fingerprint(extractor) for extractor in extractors}
    missing = sorted(set(names) - set(known))
    if missing:
        raise ValueError(f"no extractor for the signals {missing}; there are {sorted(known)}")
    return (f"rhythm {rhythm.VERSION}", *(known[name] for name in names))
