"""Free text, made fit for formats that do not take every character."""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\ufffd"
"""Stands for a character that a format cannot hold."""

_ILLEGAL_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot hold."""
    return _SURROGATE.sub(REPLACEMENT, text)


def xml_text(text: str) -> str:
    """Replace what XML 1.0 cannot hold, even escaped."""
    return _ILLEGAL_IN_XML.sub(REPLACEMENT, text)


def printable(text: str) -> str:
    """Replace control characters and lone surrogates; line breaks become line feeds."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        REPLACEMENT if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" else char
        for char in lines
    )


def one_line(text: str) -> str:
    """Make white space, line breaks included, single spaces; replace control characters."""
    return " ".join(printable(" ".join(text.split())).split())
