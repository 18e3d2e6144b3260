"""Free text, made fit."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from offhand.exports.text import encodable, one_line, printable, xml_text
from tests.unit.exports.timelines import HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text(text: str) -> None:
    encodable(text).encode()
    assert not set(one_line(text)) & set("\n\r\t\x00\x1b\x85\u2028")
    one_line(text).encode()
    assert "\r" not in printable(text)
    printable(text).encode()
    element = ET.Element("a")
    element.text = xml_text(text)
    assert ET.fromstring(ET.tostring(element)).tag == "a"


def test_what_is_fit_stays() -> None:
    text = "naïve 👷🏽‍♀️ العربية <&>"
    assert encodable(text) == xml_text(text) == printable(text) == one_line(text) == text
    assert one_line(" a\n\n b\x00 ") == "a b\ufffd"
    assert printable("a\r\nb\rc\x07") == "a\nb\nc\ufffd"
    assert xml_text("a\x00\ud800\n") == "a\ufffd\ufffd\n"
