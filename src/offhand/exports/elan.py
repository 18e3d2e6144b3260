"""ELAN Annotation Format 3.0: ``<clip_id>.eaf``, one file a clip.

The tier ``activity:<modality>`` holds the activities, the tier ``repetitions`` the bouts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

from offhand.exports.activity import activities, lasts
from offhand.exports.clock import milliseconds
from offhand.exports.text import xml_text
from offhand.exports.timeline import Bout, Timeline
from offhand.files import write_bytes
from offhand.files.names import is_url

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
"""Schema that the files follow."""

_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_DATE = "1970-01-01T00:00:00+00:00"  # the format wants one; the same results give the same bytes
_TYPE = "default-lt"
_MIME = {
    ".avi": "video/x-msvideo",
    ".m4v": "video/mp4",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpeg",
    ".webm": "video/webm",
}


def write(timelines: Sequence[Timeline], folder: Path) -> list[Path]:
    """Write a file a clip; raises StoreError."""
    files = []
    for timeline in timelines:
        file = folder / f"{timeline.clip_id}.eaf"
        tree = _document(timeline)
        ET.indent(tree, "    ")
        write_bytes(file, ET.tostring(tree, encoding="utf-8", xml_declaration=True) + b"\n")
        files.append(file)
    return files


def _document(timeline: Timeline) -> ET.Element:
    ET.register_namespace("xsi", _INSTANCE)
    root = ET.Element("ANNOTATION_DOCUMENT", AUTHOR="offhand", DATE=_DATE, FORMAT="3.0")
    root.set("VERSION", "3.0")
    root.set(f"{{{_INSTANCE}}}noNamespaceSchemaLocation", SCHEMA)
    header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    ET.SubElement(
        header,
        "MEDIA_DESCRIPTOR",
        MEDIA_URL=xml_text(_url(timeline.path)),
        MIME_TYPE=_MIME.get(PurePosixPath(timeline.path).suffix.lower(), "unknown"),
    )
    last_id = ET.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId")
    slots = ET.SubElement(root, "TIME_ORDER")
    _add_tier(
        root,
        slots,
        f"activity:{timeline.modality}",
        ((one.start_s, one.stop_s, one.activity) for one in activities(timeline)),
    )
    _add_tier(
        root,
        slots,
        "repetitions",
        ((bout.start_s, bout.stop_s, _count(bout)) for bout in timeline.bouts if lasts(bout)),
    )
    last_id.text = str(len(slots) // 2)
    ET.SubElement(
        root,
        "LINGUISTIC_TYPE",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID=_TYPE,
        TIME_ALIGNABLE="true",
    )
    return root


def _url(path: str) -> str:
    """Return the URL of a video, not percent-encoded, as ELAN writes it."""
    return path if is_url(path) else f"file://{path}"


def _add_tier(
    root: ET.Element, slots: ET.Element, name: str, pieces: Iterable[tuple[float, float, str]]
) -> None:
    tier = ET.SubElement(root, "TIER", LINGUISTIC_TYPE_REF=_TYPE, TIER_ID=xml_text(name))
    for start_s, stop_s, text in pieces:
        ends = []
        for time_s in (start_s, stop_s):
            ends.append(f"ts{len(slots) + 1}")
            value = str(milliseconds(time_s))
            ET.SubElement(slots, "TIME_SLOT", TIME_SLOT_ID=ends[-1], TIME_VALUE=value)
        annotation = ET.SubElement(
            ET.SubElement(tier, "ANNOTATION"),
            "ALIGNABLE_ANNOTATION",
            ANNOTATION_ID=f"a{len(slots) // 2}",
            TIME_SLOT_REF1=ends[0],
            TIME_SLOT_REF2=ends[1],
        )
        ET.SubElement(annotation, "ANNOTATION_VALUE").text = xml_text(text)


def _count(bout: Bout) -> str:
    if not math.isfinite(bout.period_s):
        return f"{bout.count}x"
    return f"{bout.count}x, one every {bout.period_s:.2f} s"
