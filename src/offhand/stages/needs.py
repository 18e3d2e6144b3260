"""What one task of each stage needs of the machine that runs it.

Memory is a measured peak with some room, see ``docs/ray.md``; ``benchmarks.speed.memory`` measures
it anew. Numerics and decoding are single-threaded wherever several tasks run at a time.
"""

from __future__ import annotations

from collections.abc import Mapping

from offhand.records import Needs

_DECODING = Needs(memory_mb=800)
"""Measured: 710 MB with all embedded models, 1080p30."""

_ONE_CLIP = Needs(memory_mb=400)
"""Measured: up to 291 MB."""

_ALL_CLIPS = Needs(memory_mb=1000)
"""Measured: 247 MB with 3 segments, 424 MB with 10,000 drawn ones in six modalities of
12 columns; real features have up to 100 times as many, which is what the room is for."""

NEEDS: Mapping[str, Needs] = {
    "signals": _DECODING,
    "segments": _ONE_CLIP,
    "spaces": _ALL_CLIPS,
    "alignment": _ALL_CLIPS,
    "fusion": _ALL_CLIPS,
    "clustering": _ALL_CLIPS,
    "results": _ALL_CLIPS,
}
"""By name of the stage."""
