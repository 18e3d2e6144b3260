"""The formats by name: what each is, and what writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from offhand.exports import (
    boris,
    chapters,
    elan,
    fiftyone,
    jsonl,
    label_studio,
    rerun,
    subtitles,
    tables,
)
from offhand.exports.timeline import Timeline


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format.

    Attributes
    ----------
    name
        What the user calls it.
    explanation
        What it is, in a few words.
    write
        Writes the timelines of one modality into a folder, which need not exist, and returns the
        files. Each appears whole or not at all. Raises an OffhandError if that fails.
    """

    name: str
    explanation: str
    write: Callable[[Sequence[Timeline], Path], list[Path]]


def _formats() -> tuple[Format, ...]:
    return (
        Format(name="csv", explanation="CSV tables of intervals and bouts", write=tables.write),
        Format(name="jsonl", explanation="JSON Lines, one object each", write=jsonl.write),
        Format(name="elan", explanation="ELAN annotations (.eaf)", write=elan.write),
        Format(name="boris", explanation="BORIS tabular events (.tsv)", write=boris.write),
        Format(
            name="label_studio",
            explanation="Label Studio tasks with timeline labels",
            write=label_studio.write,
        ),
        Format(
            name="fiftyone",
            explanation="FiftyOne dataset of temporal detections",
            write=fiftyone.write,
        ),
        Format(name="rerun", explanation="Rerun recordings (.rrd)", write=rerun.write),
        Format(name="vtt", explanation="WebVTT subtitles", write=subtitles.write_vtt),
        Format(name="srt", explanation="SubRip subtitles", write=subtitles.write_srt),
        Format(name="chapters", explanation="FFmpeg chapter metadata", write=chapters.write),
    )


FORMATS: Mapping[str, Format] = MappingProxyType({one.name: one for one in _formats()})
"""Every format, by name."""
