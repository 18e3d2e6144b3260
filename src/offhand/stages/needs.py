"""What one task of each stage needs of the machine that runs it."""

from __future__ import annotations

from collections.abc import Mapping

from offhand.records import Needs

_ONE_CLIP = Needs(memory_mb=500)

_ALL_CLIPS = Needs(memory_mb=1500)

NEEDS: Mapping[str, Needs] = {
    "signals": _ONE_CLIP,
    "segments": _ONE_CLIP,
    "repetitions": _ONE_CLIP,
    "alignment": _ALL_CLIPS,
    "fusion": _ALL_CLIPS,
    "clustering": _ALL_CLIPS,
    "evidence": _ALL_CLIPS,
    "maps": _ALL_CLIPS,
    "controls": _ALL_CLIPS,
    "thumbnails": _ONE_CLIP,
}
"""By name of the stage."""
