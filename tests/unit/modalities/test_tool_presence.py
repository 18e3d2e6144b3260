from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from offhand.clustering.space import feature_space
from offhand.modalities.tool_presence import LEVEL, ToolPresence, unit
from offhand.records import Features, FloatArray, Segments
from tests.fixtures.looks import PROMPTS, nothing_seen, tools_signal

NAN = float("nan")
STRETCHES = [
    (10.0, (NAN, 0.60, 0.02, 0.05)),
    (10.0, (NAN, 0.01, 0.40, 0.05)),
    (20.0, (NAN, 0.01, 0.02, 0.03)),
]


def describe(
    stretches: list[tuple[float, tuple[float, ...]]] | None = None,
    modality: ToolPresence | None = None,
    edges_s: tuple[float, ...] = (0, 10, 20, 40),
) -> Features:
    edges = np.array(edges_s, np.float64)
    cut = Segments(clip_id="clip", start_s=edges[:-1], stop_s=edges[1:])
    signal = tools_signal(STRETCHES if stretches is None else stretches)
    return (modality or ToolPresence()).describe({"tools": signal}, cut)


def column(features: Features, name: str) -> FloatArray:
    return features.values[:, features.columns.index(name)]


def test_one_column_a_prompt() -> None:
    features = describe()
    assert features.columns[-4:] == PROMPTS
    assert features.weights.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_a_row_is_the_log_normed_histogram() -> None:
    features = describe()
    mean = np.array([0.1575, 0.115, 0.04])  # over the clip: 10 + 10 + 20 s
    for row, (_, scores) in enumerate(STRETCHES):
        wanted = np.log1p(np.array(scores[1:]) / (mean + LEVEL))
        np.testing.assert_allclose(
            features.values[row, 5:], wanted / np.linalg.norm(wanted), rtol=1e-9
        )
    plain = describe(modality=ToolPresence(relative=False))
    wanted = np.log1p(np.array(STRETCHES[0][1][1:]) / LEVEL)
    np.testing.assert_allclose(plain.values[0, 5:], wanted / np.linalg.norm(wanted))


def test_euclidean_is_cosine() -> None:
    rows = describe().values[:, 5:]
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1)
    squared = ((rows[0] - rows[1]) ** 2).sum()
    assert squared == pytest.approx(2 - 2 * rows[0] @ rows[1])


def test_unsupported_prompts_are_nan_and_count_nothing() -> None:
    features = describe()
    assert np.isnan(column(features, "brick")).all()
    space, known = feature_space(features.values, features.weights)
    assert known.all()
    assert np.isfinite(space).all()
    signal = replace(tools_signal(STRETCHES), notes={"unsupported": "brick", "other": "x"})
    cut = Segments(clip_id="clip", start_s=np.array([0.0]), stop_s=np.array([9.0]))
    assert ToolPresence().describe({"tools": signal}, cut).notes == {"unsupported": "brick"}


def test_the_best_tools_are_named() -> None:
    features = describe()
    np.testing.assert_array_equal(column(features, "best_tool"), [1, 2, NAN])
    np.testing.assert_allclose(column(features, "best_score"), [0.6, 0.4, 0.03])
    np.testing.assert_array_equal(column(features, "second_tool"), [NAN, NAN, NAN])
    np.testing.assert_allclose(column(features, "second_score"), [0.05, 0.05, 0.02])
    named = describe(modality=ToolPresence(min_score=0.03))
    np.testing.assert_array_equal(column(named, "best_tool"), [1, 2, 3])
    np.testing.assert_array_equal(column(named, "second_tool"), [3, 3, NAN])


def test_a_glimpse_of_one_frame_names_nothing() -> None:
    """One score among twenty lies in the highest 5 %, and the percentile is hardly moved."""
    signal = tools_signal([(20.0, (NAN, 0.01, 0.02, 0.03))])
    signal.values[7, 1] = 0.9
    cut = Segments(clip_id="clip", start_s=np.array([0.0]), stop_s=np.array([20.0]))
    features = ToolPresence().describe({"tools": signal}, cut)
    assert np.isnan(column(features, "best_tool")).all()


def test_low_scores_still_make_a_row() -> None:
    low = [(length, tuple(score / 1000 for score in scores)) for length, scores in STRETCHES]
    features = describe(low)
    assert np.isfinite(features.values[:, 5:]).all()
    assert np.isnan(column(features, "best_tool")).all()
    assert column(features, "best_score").max() == pytest.approx(0.0006)


def test_nothing_scored_gives_nan() -> None:
    signal = nothing_seen(tools_signal(STRETCHES), 10, 20)
    edges = np.array([0.0, 10, 20, 40, 50])
    cut = Segments(clip_id="clip", start_s=edges[:-1], stop_s=edges[1:])
    features = ToolPresence().describe({"tools": signal}, cut)
    assert np.isnan(features.values[[1, 3]]).all()
    assert np.isfinite(features.values[[0, 2], 5:]).all()
    zero = describe([(length, (NAN, 0.0, 0.0, 0.0)) for length, _ in STRETCHES])
    assert np.isnan(zero.values[:, 4:]).all()


def test_unit() -> None:
    np.testing.assert_allclose(unit(np.array([3.0, NAN, 4.0])), [0.6, NAN, 0.8])
    assert np.isnan(unit(np.array([0.0, NAN]))).all()


def test_options() -> None:
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="min_score is"):
            ToolPresence(min_score=wrong)
