"""What of a long list a page shows: an even choice, the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

MOST_ROWS = 200
"""Rows of a table on the overview that is about single clips."""

Entry = TypeVar("Entry")


def evenly(n: int, most: int) -> list[int]:
    """Return at most ``most`` of the positions 0 to n - 1, evenly spread, the first among them."""
    if n <= most:
        return list(range(n))
    return [int(place) for place in np.arange(most) * n // most]


def some(entries: Sequence[Entry], most: int) -> tuple[Entry, ...]:
    """Return at most ``most`` of some entries, in their order, evenly spread over them."""
    return tuple(entries[place] for place in evenly(len(entries), most))


def largest(sizes: Sequence[float], most: int) -> list[int]:
    """Return the positions of the ``most`` largest sizes, in ascending order; ties: the earlier."""
    order = sorted(range(len(sizes)), key=lambda place: -sizes[place])
    return sorted(order[:most])
