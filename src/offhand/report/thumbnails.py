"""Thumbnails of the page: each embedded once, within a budget."""

from __future__ import annotations

import base64

from offhand.report.tables import ReportSource
from offhand.report.view_clusters import Image

BASE_BYTES = 10_000_000
BYTES_A_CLIP = 400_000
MOST_BYTES = 28_000_000


class Thumbnails:
    """Collects the thumbnails that the page refers to.

    Parameters
    ----------
    source
        The workspace.
    n_clips
        Number of clips, which sets the budget.

    Attributes
    ----------
    n_left_out
        Thumbnails that exist and did not fit the budget.
    """

    def __init__(self, source: ReportSource, *, n_clips: int) -> None:
        self.n_left_out = 0
        self._source = source
        self._free = min(BASE_BYTES + BYTES_A_CLIP * n_clips, MOST_BYTES)
        self._keys: dict[tuple[str, int], str] = {}
        self._images: dict[bytes, Image] = {}

    def key(self, clip_id: str, segment_id: int) -> str:
        """Return the key of a segment's thumbnail, empty where there is none or no room."""
        place = (clip_id, segment_id)
        if place not in self._keys:
            self._keys[place] = self._embed(self._source.thumbnail(clip_id, segment_id))
        return self._keys[place]

    def images(self) -> tuple[Image, ...]:
        """Return the embedded thumbnails."""
        return tuple(self._images.values())

    def _embed(self, jpeg: bytes | None) -> str:
        if not jpeg:
            return ""
        if jpeg not in self._images:
            text = base64.b64encode(jpeg).decode("ascii")
            if len(text) > self._free:
                self.n_left_out += 1
                return ""
            self._free -= len(text)
            key = f"t{len(self._images)}"
            self._images[jpeg] = Image(key=key, uri=f"data:image/jpeg;base64,{text}")
        return self._images[jpeg].key
