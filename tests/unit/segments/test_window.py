"""Fixed windows."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.segments.window import Windows


@pytest.mark.parametrize("length_s", [0.3, 2.0, 5.0])
@pytest.mark.parametrize(("start_s", "stop_s"), [(0.0, 60.0), (3.21, 47.9), (10.0, 10.1)])
def test_windows_tile_and_are_equal(length_s: float, start_s: float, stop_s: float) -> None:
    segments = Windows(length_s=length_s).cut("a", {}, start_s=start_s, stop_s=stop_s)
    assert segments.clip_id == "a"
    assert segments.start_s[0] == start_s
    assert segments.stop_s[-1] == stop_s
    np.testing.assert_array_equal(segments.start_s[1:], segments.stop_s[:-1])
    lengths_s = segments.stop_s - segments.start_s
    assert np.ptp(lengths_s) < 1e-9
    if len(segments) > 1:
        assert length_s / 1.5 <= lengths_s[0] <= length_s * 1.5


@pytest.mark.parametrize("wrong", [0, -5, float("nan")])
def test_a_wrong_length_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="length_s is"):
        Windows(length_s=wrong)
