"""Thumbnails and loops of a page: each embedded once, within a budget."""

from __future__ import annotations

import base64

from offhand.report.stored import ReportSource
from offhand.report.view_clusters import Image

PAGE_BYTES = 14_500_000
"""How large a page may become with its loops."""

PICTURE_BYTES = 8_000_000
"""How much of that thumbnails may take."""


class Thumbnails:
    """Collects the thumbnails that one page refers to.

    Parameters
    ----------
    source
        The workspace.

    Attributes
    ----------
    n_left_out
        Thumbnails that exist and did not fit the budget.
    """

    def __init__(self, source: ReportSource) -> None:
        self.n_left_out = 0
        self._source = source
        self._free = PICTURE_BYTES
        self._keys: dict[tuple[str, int], str] = {}
        self._images: dict[bytes, Image] = {}
        self._loops: dict[str, bytes] = {}

    def key(self, clip_id: str, segment_id: int) -> str:
        """Return the key of a segment's thumbnail, empty where there is none or no room."""
        place = (clip_id, segment_id)
        if place not in self._keys:
            self._keys[place] = self._embed(self._source.thumbnail(clip_id, segment_id))
        return self._keys[place]

    def images(self) -> tuple[Image, ...]:
        """Return the embedded thumbnails."""
        return tuple(self._images.values())

    def preview_key(self, clip_id: str, segment_id: int) -> str:
        """Return the key of a segment's loop, empty where there is none."""
        loop = self._source.preview(clip_id, segment_id)
        if not loop:
            return ""
        key = f"{clip_id}/{segment_id}"
        self._loops.setdefault(key, loop)
        return key

    def previews(self) -> tuple[Image, ...]:
        """Return the loops in the order asked for; how many fit is for the page to say."""
        return tuple(
            Image(key=key, uri="data:image/webp;base64," + base64.b64encode(loop).decode("ascii"))
            for key, loop in self._loops.items()
        )

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
