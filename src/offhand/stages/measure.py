"""Stage 1: decode a clip once and store its signals."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
from threadpoolctl import threadpool_limits

from offhand import weights
from offhand.files.names import stem
from offhand.records import Clip, ClipInfo, FrameBlock, FrameRequest, Signal
from offhand.signals.base import Host, SignalExtractor, SignalState, join
from offhand.signals.motion import Motion
from offhand.stages.lanes import Lane, in_lanes
from offhand.store import fingerprint, parquet, signal_files
from offhand.store.workspace import Workspace
from offhand.video.decode import DECODE_VERSION, FrameReader

BLOCKS_WAITING = 1
"""Blocks of small frames that may wait for each lane of signals while decoding goes on."""


@dataclass(frozen=True, kw_only=True)
class MeasureTask:
    """One clip to decode.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    clip
        The clip.
    extractors
        The signals wanted.
    threads
        Decoder threads; 0 to keep every core busy.
    host
        What begins the signals; ``None`` for the task's own process.
    """

    workspace: str
    clip: Clip
    extractors: tuple[SignalExtractor, ...]
    threads: int
    host: Host | None = None


def clip_key(clip: Clip) -> str:
    """Return the identity of what is decoded: content, range and mask."""
    mask = fingerprint.of_file(clip.mask_path) if clip.mask_path else ""
    return fingerprint.digest([clip.source, clip.from_s, clip.to_s, mask])


def signal_fingerprint(extractor: SignalExtractor) -> str:
    """Return the fingerprint of a signal, of the decoding that feeds it, and of its weights."""
    models = [weights.identity(name) for name in extractor.weights]
    return fingerprint.of_step(extractor, after=(f"decode {DECODE_VERSION}", *models))


def signal_path(workspace: Workspace, extractor: SignalExtractor, clip: Clip) -> Path:
    """Return the file of a clip's signal."""
    return workspace.record_path(
        "signals", extractor.name, signal_fingerprint(extractor), clip.clip_id
    )


def signal_notes(workspace: Workspace, extractors: Sequence[SignalExtractor], clip: Clip) -> str:
    """Return what the stored signals of a clip noted of themselves, such as the lens assumed."""
    found = [
        f"{extractor.name} {name}: {text}"
        for extractor in extractors
        for name, text in signal_files.read_notes(signal_path(workspace, extractor, clip)).items()
    ]
    return "; ".join(found)


def measure(task: MeasureTask, report: Callable[[float], None]) -> ClipInfo:
    """Compute the signals of a clip that are not stored yet, in one decode.

    Raises
    ------
    VideoError
        The clip cannot be read.
    SignalError
        A signal cannot be computed from it.
    """
    workspace = Workspace(task.workspace)
    key = clip_key(task.clip)
    paths = {step.name: signal_path(workspace, step, task.clip) for step in task.extractors}
    missing = [step for step in task.extractors if not parquet.has_key(paths[step.name], key)]
    if not missing:
        return signal_files.read_clip_info(next(iter(paths.values())))
    with ExitStack() as stack:
        writers = {
            step.name: stack.enter_context(signal_files.writer(paths[step.name], step.name))
            for step in missing
        }
        reader = FrameReader(
            task.clip,
            frame_requests(missing),
            threads=task.threads,
            on_progress=report,
        )
        for chunk in signal_chunks(reader, missing, host=task.host):
            writers[chunk.name].write(chunk)
        for writer in writers.values():
            writer.close(key, reader.info)
    return reader.info


def measure_signals(
    path: str | os.PathLike[str],
    extractors: Sequence[SignalExtractor] = (Motion(),),
    *,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[dict[str, Signal], ClipInfo]:
    """Compute signals of a video in one decode, without a workspace.

    Parameters
    ----------
    path
        The video file.
    extractors
        The signals wanted.
    on_progress
        Told which share is decoded.

    Returns
    -------
    signals : dict of str to Signal
        By name.
    info : ClipInfo
        What decoding found out about the clip.

    Raises
    ------
    VideoError
        The clip cannot be read.
    SignalError
        A signal cannot be computed from it.
    """
    clip = Clip(clip_id=stem(os.fspath(path)) or "clip", path=os.fspath(path))
    reader = FrameReader(clip, frame_requests(extractors), on_progress=on_progress)
    chunks: dict[str, list[Signal]] = {step.name: [] for step in extractors}
    for chunk in signal_chunks(reader, extractors):
        chunks[chunk.name].append(chunk)
    return {name: join(parts) for name, parts in chunks.items()}, reader.info


def frame_requests(extractors: Sequence[SignalExtractor]) -> list[FrameRequest]:
    """Return the different requests of some signals: equal ones share their frames."""
    return list(dict.fromkeys(step.request for step in extractors))


def signal_chunks(
    reader: FrameReader, extractors: Sequence[SignalExtractor], *, host: Host | None = None
) -> Iterator[Signal]:
    """Yield the chunks of all signals as they are finished; ``host`` begins them if given."""
    requests = frame_requests(extractors)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # decoder and models keep the other cores busy
    try:
        with threadpool_limits(1, user_api="blas"):
            states = [
                host(step, reader.clip) if host else step.start(reader.clip) for step in extractors
            ]
            pairs = list(zip(extractors, states, strict=True))
            plain = [pair for pair in pairs if not pair[0].weights]
            groups = [plain, *([pair] for pair in pairs if pair[0].weights)]
            lanes = [_lane(group, requests) for group in groups if group]
            yield from in_lanes(reader, lanes, depth=BLOCKS_WAITING)
    finally:
        cv2.setNumThreads(threads)


def _lane(
    pairs: Sequence[tuple[SignalExtractor, SignalState]], requests: Sequence[FrameRequest]
) -> Lane[tuple[int, FrameBlock], Signal]:
    """Return the work of some signals on the blocks that they asked for."""
    wanted = {requests.index(step.request) for step, _ in pairs}

    def work(blocks: Iterator[tuple[int, FrameBlock]]) -> Iterator[Signal]:
        for index, block in blocks:
            for step, state in pairs:
                if step.request == requests[index]:
                    yield from state.update(block)
        for _, state in pairs:
            yield from state.finish()

    return Lane(wants=lambda entry: entry[0] in wanted, work=work)
