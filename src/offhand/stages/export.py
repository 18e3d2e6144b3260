"""Results in the formats of other tools, and stretches of video as files of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from offhand.errors import ExportError, VideoError
from offhand.exports.formats import FORMATS
from offhand.exports.timeline import Bout, Timeline
from offhand.files.names import is_local, location
from offhand.stages.activities import corrected_results, timelines
from offhand.store.workspace import Workspace
from offhand.video.cut import cut

What = Literal["exemplars", "segments", "repetitions"]

SHORTEST_S = 0.2
"""A shorter stretch is not worth a file."""


def export(out: str, to: str, *, modality: str | None = None, folder: str | None = None) -> Path:
    """Write the results of a workspace in the format of another tool, corrections applied.

    Parameters
    ----------
    out
        Folder of the workspace.
    to
        A format, from :data:`offhand.exports.formats.FORMATS`.
    modality
        Whose clusters are the activities; ``None`` for late fusion.
    folder
        Where to; ``None`` for ``exports/<format>`` in the workspace.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    StoreError
        ``out`` is no finished workspace, or has no such modality.
    ExportError
        A package that the format needs is missing, or the folder is not on this machine.
    """
    workspace = Workspace(out)
    target = _target(workspace, folder, to)
    FORMATS[to].write(timelines(workspace, modality), target)
    return target


def cut_activity(
    out: str,
    activity: str,
    *,
    what: What = "exemplars",
    modality: str | None = None,
    folder: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Path], list[str]]:
    """Write stretches of an activity as MP4 files.

    Parameters
    ----------
    out
        Folder of the workspace.
    activity
        The cluster's number (``C4``), or the name that a person gave it.
    what
        One segment a clip, all segments, or every repetition counted in them.
    modality
        Whose cluster it is; ``None`` for late fusion.
    folder
        Where to; ``None`` for ``exports/clips`` in the workspace.
    on_progress
        Called with the number of files written, and of all.

    Returns
    -------
    files : list of Path
        What was written.
    failures : list of str
        Why other stretches were not.

    Raises
    ------
    StoreError
        ``out`` is no finished workspace, or has no such modality.
    ExportError
        There is no such activity, nothing to cut, or the folder is not on this machine.
    """
    workspace = Workspace(out)
    lines = timelines(workspace, modality)
    label, activity = _found(lines, activity)
    exemplars = _exemplars(workspace, lines[0].modality, label)
    stretches = [
        (line, start_s, stop_s)
        for line in lines
        for start_s, stop_s in _stretches(line, label, what, exemplars.get(line.clip_id, set()))
        if stop_s - start_s >= SHORTEST_S
    ]
    if not stretches:
        raise ExportError(f"no {what} of {activity}: none lie in its segments")
    target = _target(workspace, folder, "clips")
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{target}: cannot be written ({error.strerror or error})") from error
    written: list[Path] = []
    failures = _without_times(lines, label) if what == "repetitions" else []
    for done, (line, start_s, stop_s) in enumerate(stretches, start=1):
        name = f"{_safe(activity)}_{line.clip_id}_{start_s:07.2f}-{stop_s:07.2f}.mp4"
        try:
            cut(line.path, target / name, start_s=start_s, stop_s=stop_s)
            written.append(target / name)
        except VideoError as error:
            failures.append(str(error))
        if on_progress:
            on_progress(done, len(stretches))
    return written, failures


def _target(workspace: Workspace, folder: str | None, name: str) -> Path:
    """Return the folder to write to; ExportError if it is not on this machine."""
    target = location(folder) if folder else workspace.path / "exports" / name
    if not is_local(target):
        raise ExportError(f"{target}: is not on this machine; name a folder here with -o")
    return target


def _found(lines: list[Timeline], activity: str) -> tuple[int, str]:
    """Return the label and the name of an activity, given by its number or its name."""
    names = {one.label: one.activity for line in lines for one in line.intervals if one.label >= 0}
    wanted = activity.strip().casefold()
    found = [label for label in names if wanted in (f"c{label}", str(label))]
    found = found or [label for label, name in names.items() if name.casefold() == wanted]
    if len(found) == 1:
        return found[0], names[found[0]]
    if found:
        both = ", ".join(f"C{label}" for label in found)
        raise ExportError(f"{activity} may be {both}: name one by its number")
    known = ", ".join(
        f"C{label}" if names[label] == f"C{label}" else f"C{label} ({names[label]})"
        for label in sorted(names)
    )
    raise ExportError(f"no activity {activity}; there are: {known or 'none'}")


def _exemplars(workspace: Workspace, modality: str, label: int) -> dict[str, set[int]]:
    """Return, by clip, the segments that are exemplars of a cluster of the default clusterer."""
    results = corrected_results(workspace)
    labels, table = results.labels, results.exemplars
    leading = labels.loc[(labels["modality"] == modality) & labels["is_default"], "clusterer"]
    own = table[
        (table["scope"] == "pooled")
        & (table["modality"] == modality)
        & (table["clusterer"] == leading.iloc[0])
        & (table["label"] == label)
    ]
    found: dict[str, set[int]] = {}
    for clip_id, segment_id in zip(own["clip_id"], own["segment_id"], strict=True):
        found.setdefault(str(clip_id), set()).add(int(segment_id))
    return found


def _stretches(
    line: Timeline, label: int, what: What, exemplars: set[int]
) -> list[tuple[float, float]]:
    own = [one for one in line.intervals if one.label == label]
    if what == "segments":
        return [(one.start_s, one.stop_s) for one in own]
    if what == "exemplars":
        shown = [one for one in own if one.segment_id in exemplars] or own
        longest = max(shown, key=lambda one: one.stop_s - one.start_s, default=None)
        return [(longest.start_s, longest.stop_s)] if longest else []
    return [
        (before_s, time_s)
        for bout in line.bouts
        if _is_in(bout, line, label)
        for before_s, time_s in zip(
            (max(bout.start_s, bout.rep_times_s[0] - bout.period_s), *bout.rep_times_s[:-1])
            if bout.rep_times_s
            else (),
            bout.rep_times_s,
            strict=True,
        )
    ]


def _without_times(lines: list[Timeline], label: int) -> list[str]:
    """Return why bouts of an activity give no repetitions: a count by hand has no times."""
    return [
        f"{line.clip_id} {bout.start_s:.1f} to {bout.stop_s:.1f} s: counted by hand, "
        "so the time of each repetition is not known"
        for line in lines
        for bout in line.bouts
        if not bout.rep_times_s and bout.count and _is_in(bout, line, label)
    ]


def _is_in(bout: Bout, line: Timeline, label: int) -> bool:
    """Tell whether the middle of a bout lies in an activity."""
    middle_s = (bout.start_s + bout.stop_s) / 2
    return any(
        one.label == label and one.start_s <= middle_s < one.stop_s for one in line.intervals
    )


def _safe(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", name)[:60].strip("_") or "activity"
