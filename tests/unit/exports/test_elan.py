"""ELAN files, read by pympi and by offhand's own reader of ground truth."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from offhand.evaluation.truth import read_truth
from offhand.exports.text import xml_text
from tests.unit.exports.timelines import HOSTILE, export, hostile, plain


def test_pympi_reads_it(tmp_path: Path) -> None:
    elan = pytest.importorskip("pympi.Elan")
    files = export("elan", plain(), tmp_path)
    assert sorted(files) == ["cam.1.eaf", "clip.eaf"]
    eaf = elan.Eaf(str(files["clip.eaf"]))
    assert sorted(eaf.get_tier_names()) == ["activity:late_fusion", "repetitions"]
    assert eaf.get_annotation_data_for_tier("activity:late_fusion") == [
        (0, 10_000, "laying bricks"),
        (12_500, 20_040, "C3"),
    ]
    assert eaf.get_annotation_data_for_tier("repetitions") == [
        (1_000, 9_000, "4x, one every 2.00 s"),
        (11_000, 16_000, "3x"),
    ]
    (media,) = eaf.get_linked_files()
    assert media["MEDIA_URL"] == "file:///videos/clip.mp4"
    assert media["MIME_TYPE"] == "video/mp4"


def test_pympi_reads_hostile_names(tmp_path: Path) -> None:
    elan = pytest.importorskip("pympi.Elan")
    eaf = elan.Eaf(str(export("elan", hostile(), tmp_path)["names.eaf"]))
    found = [text for _, _, text in eaf.get_annotation_data_for_tier("activity:late_fusion")]
    expected = [xml_text(name).replace("\r\n", "\n").replace("\r", "\n") for name in HOSTILE]
    assert [text or "" for text in found] == expected


def test_the_reader_of_ground_truth_takes_it(tmp_path: Path) -> None:
    export("elan", plain(), tmp_path)
    truth = read_truth(tmp_path)
    assert sorted(truth) == ["cam.1", "clip"]
    blocks = [(one.activity, one.start_s, one.stop_s) for one in truth["clip"].blocks]
    assert blocks == [("laying bricks", 0.0, 10.0), ("C3", 12.5, 20.04)]


def test_identifiers_are_unique_and_every_reference_resolves(tmp_path: Path) -> None:
    for file in export("elan", plain(), tmp_path).values():
        root = ET.parse(file).getroot()
        assert [child.tag for child in root] == [
            "HEADER",
            "TIME_ORDER",
            "TIER",
            "TIER",
            "LINGUISTIC_TYPE",
        ]
        slots = [slot.attrib["TIME_SLOT_ID"] for slot in root.iter("TIME_SLOT")]
        notes = list(root.iter("ALIGNABLE_ANNOTATION"))
        references = [note.attrib[f"TIME_SLOT_REF{end}"] for note in notes for end in (1, 2)]
        assert references == slots
        assert len(set(slots)) == len(slots)
        assert len({note.attrib["ANNOTATION_ID"] for note in notes}) == len(notes)
        assert root.findtext("HEADER/PROPERTY") == str(len(notes))
