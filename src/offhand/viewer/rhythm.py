"""The rhythm strip under the player: tempo by time as a picture."""

from __future__ import annotations

import cv2
import numpy as np

from offhand.errors import StoreError
from offhand.rhythm.tempogram import tempogram
from offhand.store.workspace import Workspace

MOST_COLUMNS = 4000
COLUMNS_A_SECOND = 4.0
TOP = 1.6
"""Prominence drawn brightest; a pure tone reaches 1.9."""

SLOWEST_S, FASTEST_S = 8.0, 0.25
"""Periods at the lower and the upper edge."""


def rhythm_strip(workspace: Workspace, clip_id: str, *, duration_s: float) -> bytes:
    """Return the evidence for each tempo over a clip as a PNG, slow tempi at the bottom.

    Parameters
    ----------
    workspace
        Where the signals are.
    clip_id
        The clip.
    duration_s
        Its length.

    Raises
    ------
    StoreError
        The run measured no ``motion`` or no ``picture`` of the clip.
    """
    signals = {name: workspace.signal(name, clip_id) for name in ("motion", "picture")}
    if not duration_s > 0:
        raise StoreError(f"{clip_id}: no length is known")
    columns = int(np.clip(duration_s * COLUMNS_A_SECOND, 16, MOST_COLUMNS))
    evidence, tempi_hz = tempogram(signals, start_s=0.0, stop_s=duration_s, columns=columns)
    shown = (tempi_hz >= 1 / SLOWEST_S) & (tempi_hz <= 1 / FASTEST_S)
    levels = np.clip(np.nan_to_num(evidence[shown], nan=0.0) / TOP, 0.0, 1.0)
    grey = (255 * levels[::-1]).astype(np.uint8)
    picture = cv2.applyColorMap(grey, cv2.COLORMAP_VIRIDIS)
    return bytes(cv2.imencode(".png", picture)[1])
