from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from offhand.clustering.space import feature_space
from offhand.modalities.video_embedding import EDGES_HZ, VideoEmbedding
from offhand.records import Features, FloatArray, Segments, Signal
from tests.fixtures.looks import embedding_signal, nothing_seen
from tests.fixtures.motion import blanked, motion_signal

STRETCHES = [(12.0, 0.8), (10.0, 0.3), (14.0, 0.15), (6.0, 0.0)]
EDGES_S = (0, 12, 22, 36, 42)


def segments(edges_s: Sequence[float] = EDGES_S) -> Segments:
    edges = np.array(edges_s, np.float64)
    return Segments(clip_id="clip", start_s=edges[:-1], stop_s=edges[1:])


def signals(**changes: Signal) -> dict[str, Signal]:
    given = {"appearance": embedding_signal(STRETCHES), "motion": motion_signal(STRETCHES)}
    return given | changes


def describe(
    given: dict[str, Signal], modality: VideoEmbedding | None = None, cut: Segments | None = None
) -> Features:
    return (modality or VideoEmbedding()).describe(given, cut or segments())


def part(features: Features, prefix: str) -> FloatArray:
    chosen = [index for index, name in enumerate(features.columns) if name.startswith(prefix)]
    return features.values[:, chosen]


def spread_out(rows: FloatArray) -> FloatArray:
    return np.linalg.norm(rows[:, None] - rows[None], axis=2)


def test_what_is_pooled_is_named() -> None:
    noted = replace(embedding_signal(STRETCHES), notes={"model": "some_net"})
    features = describe(signals(appearance=noted))
    assert features.notes["method"].startswith("appearance (some_net) and motion pooled over time")
    assert features.values.shape == (4, 40 + 5 + 36)
    assert {"look_000", "look_039", "look_spread", "look_0.12hz"} <= set(features.columns)
    assert {"flow_x_0.12hz", "flow_x_mean", "residual_speed_spread"} <= set(features.columns)
    assert np.isfinite(features.values).all()


def test_groups_of_columns_weigh_the_same_however_many_there_are() -> None:
    for n_dims in (40, 400):
        features = describe(signals(appearance=embedding_signal(STRETCHES, n_dims=n_dims)))
        for prefix, weight in (("look_", 1.0 + 0.25), ("flow", 0.5), ("residual", 0.5)):
            chosen = [name.startswith(prefix) for name in features.columns]
            assert (features.weights[chosen] ** 2).sum() == pytest.approx(weight)


def test_the_mean_is_relative_to_the_clip() -> None:
    appearance = embedding_signal(STRETCHES, amplitude=0)
    features = describe(signals(appearance=appearance))
    spread = appearance.values.std(axis=0)
    wanted = (appearance.values - appearance.values.mean(axis=0)) / (spread + spread.mean() / 4)
    for row, at_s in enumerate((5, 15, 30, 40)):
        np.testing.assert_allclose(part(features, "look_")[row, :40], wanted[4 * at_s])
    plain = describe(signals(appearance=appearance), VideoEmbedding(relative=False))
    np.testing.assert_allclose(part(plain, "look_")[1, :40], appearance.values[4 * 15])


def test_the_site_does_not_decide() -> None:
    """The same work at another site gets the same row, unless that is asked for."""
    here = signals()
    there = signals(appearance=embedding_signal(STRETCHES, site=5.0))
    np.testing.assert_allclose(describe(here).values, describe(there).values, atol=1e-9)
    plain = VideoEmbedding(relative=False)
    apart = describe(here, plain).values[:, :40] - describe(there, plain).values[:, :40]
    assert np.abs(apart).max() > 5


def test_a_projection_keeps_distances() -> None:
    given = signals(appearance=embedding_signal(STRETCHES, n_dims=1280))
    whole, short = (describe(given, VideoEmbedding(n_columns=n)) for n in (1280, 256))
    looks = [part(features, "look_")[:, :-5] for features in (whole, short)]
    assert [look.shape[1] for look in looks] == [1280, 256]
    off = ~np.eye(4, dtype=bool)
    ratio = spread_out(looks[1])[off] / spread_out(looks[0])[off]
    assert np.abs(ratio - 1).max() < 0.2
    np.testing.assert_array_equal(short.values, describe(given).values)


def test_changes_show_at_their_tempo() -> None:
    bands = part(describe(signals()), "look_")[:, 40:44]
    for row, (_, tempo_hz) in enumerate(STRETCHES[:3]):
        assert bands[row].argmax() == np.searchsorted(EDGES_HZ, tempo_hz) - 1
    spread = part(describe(signals()), "look_spread")[:, 0]
    assert spread[:3].min() > spread[3] + 1


def test_sparse_samples_leave_high_tempi_open() -> None:
    features = describe(signals(appearance=embedding_signal(STRETCHES, rate_hz=2.0)))
    bands = part(features, "look_")[:, 40:44]
    assert np.isfinite(bands[:, :3]).all()
    assert np.isnan(bands[:, 3]).all()


def test_a_model_of_video_goes_before() -> None:
    video = embedding_signal(STRETCHES, name="video", rate_hz=0.5, n_dims=1024, amplitude=0)
    video = replace(video, notes={"model": "vjepa2_vitl"})
    features = describe(signals(video=video))
    assert features.notes["method"] == "embeddings of windows (vjepa2_vitl), averaged"
    assert features.columns[0] == "video_000"
    assert features.values.shape == (4, 256)
    whole = describe(signals(video=video), VideoEmbedding(n_columns=1024, relative=False))
    np.testing.assert_allclose(whole.values[2], video.values[13])


def test_what_was_not_seen_is_nan() -> None:
    given = signals(
        appearance=nothing_seen(embedding_signal(STRETCHES), 12, 22),
        motion=blanked(motion_signal(STRETCHES), 12, 22),
    )
    features = describe(given, cut=segments((*EDGES_S, 50)))
    assert np.isnan(features.values[[1, 4]]).all()
    assert np.isfinite(features.values[[0, 2, 3]]).all()
    _, known = feature_space(features.values, features.weights)
    assert known.tolist() == [True, False, True, True, False]
    lost = nothing_seen(embedding_signal(STRETCHES, name="video", rate_hz=0.5), 12, 22)
    rows = describe(signals(video=lost)).values
    assert np.isnan(rows[1]).all()
    assert np.isfinite(rows[[0, 2, 3]]).all()


def test_one_place_all_along() -> None:
    still = embedding_signal([(42.0, 0.0)])
    features = describe(signals(appearance=still))
    np.testing.assert_allclose(part(features, "look_")[:, :40], 0, atol=1e-9)


def test_options() -> None:
    with pytest.raises(ValueError, match="n_columns is 0"):
        VideoEmbedding(n_columns=0)
    assert VideoEmbedding.optional_signals == ("video",)
