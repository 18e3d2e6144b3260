"""Synthetic clips on disk: videos, and beside each the truth about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from offhand.errors import VideoError
from offhand.files import write_text
from offhand.synthetic.render import render
from offhand.synthetic.script import PERIODS_S, RATE, SIZE_PX, truth, write_script
from offhand.video.encode import write_video


def synthesise(
    folder: str | Path,
    *,
    n_clips: int,
    duration_s: float,
    seed: int,
    size_px: tuple[int, int] = SIZE_PX,
    rate: Fraction = RATE,
    activities: Sequence[str] = tuple(PERIODS_S),
    rim: bool = False,
) -> list[Path]:
    """Write clips that share their activities but differ in look, order and tempo.

    Beside each ``synthetic_<number>.mp4`` comes ``synthetic_<number>.json`` with its truth
    (``offhand.synthetic.script.truth``). A clip shows all six activities if it is long enough,
    about a minute. Clip ``i`` of a seed is the same however many clips are asked for.

    Parameters
    ----------
    folder
        Where to write; made if it is missing. Files of these names are replaced.
    n_clips
        Number of clips, at least 1.
    duration_s
        Length of each clip in seconds, at least 5.
    seed
        At least 0; the same seed gives the same frames.
    size_px
        Width and height of a frame, each at least 32.
    rate
        Frames per second.
    activities
        Keys of ``offhand.synthetic.script.PERIODS_S`` to choose from.
    rim
        Whether to darken what lies outside the image circle of a fisheye lens.

    Returns
    -------
    list of Path
        The video files.

    Raises
    ------
    ValueError
        A value out of its range.
    VideoError, StoreError
        A file cannot be written.
    """
    if n_clips < 1:
        raise ValueError(f"n_clips is {n_clips}, must be at least 1")
    if seed < 0:
        raise ValueError(f"seed is {seed}, must be at least 0")
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VideoError(f"{folder}: cannot be made ({error.strerror or error})") from error
    videos = []
    for number in range(1, n_clips + 1):
        script = write_script(
            int(np.random.SeedSequence([seed, number]).generate_state(1)[0]),
            clip=f"synthetic_{number:02d}",
            duration_s=duration_s,
            size_px=size_px,
            rate=rate,
            activities=activities,
        )
        video = folder / f"{script.clip}.mp4"
        write_video(video, render(script, rim=rim), rate=rate)
        text = json.dumps(truth(script), indent=1)
        write_text(video.with_suffix(".json"), text + "\n")
        videos.append(video)
    return videos
