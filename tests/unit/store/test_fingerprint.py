"""What tells a file's content without reading all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhand.errors import VideoError
from offhand.store.fingerprint import SAMPLE_BYTES, SAMPLES, of_samples


def told(folder: Path, content: bytes) -> str:
    path = folder / "clip.mp4"
    path.write_bytes(content)
    return of_samples(str(path))


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("size", [1, SAMPLE_BYTES + 1, SAMPLES * SAMPLE_BYTES])
def test_every_byte_of_a_small_file_counts(tmp_path: Path, size: int) -> None:
    content = bytes(size)
    same = told(tmp_path, content)
    assert told(tmp_path, content) == same
    places = sorted({0, size // 3, size // 2, size - 1})
    assert len({same, *(told(tmp_path, flipped(content, at)) for at in places)}) == 1 + len(places)


def test_a_large_file_is_told_by_places_all_over_it(tmp_path: Path) -> None:
    size = 3 * SAMPLES * SAMPLE_BYTES + 12_345
    content = bytes(size)
    same = told(tmp_path, content)
    for block in range(0, size, 2 * SAMPLE_BYTES):  # a change of a 24th part never goes unseen
        stop = min(size, block + 4 * SAMPLE_BYTES)
        changed = content[:block] + bytes([1]) * (stop - block) + content[stop:]
        assert told(tmp_path, changed) != same
    assert told(tmp_path, flipped(content, size - 1)) != same
    assert told(tmp_path, content[:-1]) != same
    assert told(tmp_path, flipped(content, 2 * SAMPLE_BYTES)) == same, "not all of it is read"


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no such file"):
        of_samples(str(tmp_path / "none.mp4"))
