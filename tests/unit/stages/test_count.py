"""Counting in a video: the call, the command, and the tables."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from offhand.cli import main
from offhand.records import Segments
from offhand.rhythm import counting
from offhand.rhythm.counting import Counting, count_clip, is_watched, segment_rhythms
from offhand.rhythm.resample import to_uniform
from offhand.rhythm.selfsimilarity import in_levels, self_similarity
from offhand.rhythm.witnesses import contrast
from offhand.stages.count import (
    VideoCount,
    count_video,
    repetitions_table,
    similarity_tables,
    stretches,
)
from offhand.store import signal_files
from tests.fixtures.videos import texture, view, write

RATE = Fraction(15)
PERIOD_S = 1.25
NODS = 10
WORLD = texture(seed=7)


def film(path: Path, *, seconds: float = 16.0, period_s: float = PERIOD_S, size: float = 1) -> Path:
    """Film a world with a nodding camera: rest, ``NODS`` nods, rest."""
    rng = np.random.default_rng(0)
    images = []
    for time_s in np.arange(0, seconds, 1 / float(RATE)):
        phase = np.clip((time_s - 1.5) / period_s, 0, NODS)
        nod = 0.025 * size * np.sin(2 * np.pi * phase)
        x, y = 0.0005 * rng.normal(size=2)
        images.append(view(WORLD, (320, 240), x=x, y=y + nod))
    return write(path, images, rate=RATE)


@pytest.fixture(scope="module")
def nodding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("count") / "nodding.mp4")


@pytest.fixture(scope="module")
def counted(nodding: Path) -> VideoCount:
    return count_video(nodding)


def offhand(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["count", *arguments])


def test_bouts_are_looked_for_between_changes_not_between_turns() -> None:
    segments = Segments(
        clip_id="a",
        start_s=np.array([1.0, 4.5, 9.0]),
        stop_s=np.array([4.5, 9.0, 12.0]),
        change_s=np.array([1.0, 5.0, 9.0]),
    )
    found = stretches(segments)
    assert found.start_s.tolist() == [1.0, 5.0, 9.0]
    assert found.stop_s.tolist() == [5.0, 9.0, 12.0]
    unmoved = replace(segments, change_s=None)
    assert stretches(unmoved) is unmoved


def test_nods_are_counted(counted: VideoCount) -> None:
    (bout,) = [bout for bout in counted.count.bouts if bout.accepted]
    assert bout.count == pytest.approx(NODS, abs=1)
    assert bout.period_s == pytest.approx(PERIOD_S, rel=0.05)
    assert 0 < bout.start_s < 2.5
    assert 13 < bout.stop_s < 15.5
    assert np.all(np.diff(bout.rep_times_s) > 0.5 * PERIOD_S)
    assert 0.5 <= bout.confidence <= 1
    assert counted.count.total == bout.count


def test_a_worn_camera_is_not_a_watching_one(counted: VideoCount) -> None:
    assert not is_watched(counted.signals["motion"])


def test_where_segments_are_cut_does_not_change_the_total(counted: VideoCount) -> None:
    stop_s = counted.info.duration_s
    for edges in ([0.0, stop_s], [0.0, 7.1, stop_s], [0.0, 5.0, 9.4, stop_s]):
        cut = Segments(clip_id="a", start_s=np.array(edges[:-1]), stop_s=np.array(edges[1:]))
        found = count_clip(counted.signals, cut)
        assert found.total == pytest.approx(NODS, abs=1)
        assert len([*segment_rhythms(counted.signals, cut)]) == len(cut)


def test_the_least_confidence_is_an_option(counted: VideoCount) -> None:
    strict = count_clip(counted.signals, counted.segments, options=Counting(min_confidence=1.0))
    assert strict.total is None
    assert "low confidence" in [bout.reason for bout in strict.bouts]
    with pytest.raises(ValueError, match="min_confidence is 2"):
        Counting(min_confidence=2)


def test_stored_signals_are_counted_like_whole_ones(
    counted: VideoCount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal_files, "GROUP_ROWS", 50)
    stored, read = {}, {}
    for name, signal in counted.signals.items():
        path = tmp_path / f"{name}.parquet"
        with signal_files.writer(path, name) as writer:
            writer.write(signal)
            writer.close("key", counted.info)
        stored[name] = signal_files.StoredSignal(path)
        read[name] = signal_files.read(path)  # in single precision
    stop_s = counted.info.duration_s
    cut = Segments(clip_id="a", start_s=np.array([0.0, 7.1]), stop_s=np.array([7.1, stop_s]))
    found, whole = (count_clip(each, cut) for each in (stored, read))
    assert whole.total is not None
    for bout, same in zip(found.bouts, whole.bouts, strict=True):
        np.testing.assert_equal(asdict(bout), asdict(same))
    for one, other in zip(segment_rhythms(stored, cut), segment_rhythms(read, cut), strict=True):
        np.testing.assert_equal(asdict(one), asdict(other))


def test_a_still_picture_is_refused(tmp_path: Path) -> None:
    found = count_video(film(tmp_path / "still.mp4", seconds=8.0, size=0))
    assert found.count.total is None
    assert all(bout.reason for bout in found.count.bouts)


def test_tables(counted: VideoCount) -> None:
    rhythms = [*segment_rhythms(counted.signals, counted.segments)]
    seeds = [one.seed for one in rhythms]
    table = repetitions_table(counted.count, counted.segments, seeds)
    accepted = table[table["accepted"]]
    assert table["bout_id"].tolist() == list(range(len(table)))
    assert accepted["count"].tolist() == [len(times) for times in accepted["rep_times_s"]]
    assert (accepted["reason"] == "").all()
    assert accepted["witnesses"].iloc[0].startswith("flow ")
    matrices = pd.concat(similarity_tables(iter(rhythms), "a"))
    assert len(matrices) == len(counted.segments)
    for row in matrices.to_dict("records"):
        levels = np.frombuffer(row["similarity"], np.int8).reshape(row["size"], row["size"])
        assert np.diag(levels).min() >= 99
        assert row["size"] <= 160


def test_the_command_prints_counts(nodding: Path) -> None:
    done = offhand(str(nodding))
    assert done.exit_code == 0
    first = done.output.splitlines()[0]
    assert first.startswith(f"{nodding}: ")
    assert first.endswith("repetitions in 1 bout")
    assert "confidence" in done.output


def test_the_command_prints_json(nodding: Path, tmp_path: Path) -> None:
    absent = tmp_path / "absent.mp4"
    done = CliRunner().invoke(main, ["count", "--json", str(nodding), str(absent)])
    assert done.exit_code == 1
    found, failed = (json.loads(line) for line in done.stdout.splitlines())
    assert set(found) == {"clip", "total", "bouts"}
    assert found["total"] == sum(bout["count"] or 0 for bout in found["bouts"])
    accepted = [bout for bout in found["bouts"] if bout["accepted"]]
    assert len(accepted[0]["rep_times_s"]) == accepted[0]["count"]
    assert failed["total"] is None
    assert "no such file" in failed["error"]


def test_the_command_draws(nodding: Path, tmp_path: Path) -> None:
    plot = tmp_path / "plot.png"
    assert offhand(str(nodding), "--plot", str(plot)).exit_code == 0
    picture = cv2.imread(str(plot))
    assert picture is not None
    assert picture.shape == (420, 1400, 3)
    assert offhand(str(nodding), str(nodding), "--plot", str(plot)).exit_code == 2


def test_refusals_are_told(tmp_path: Path) -> None:
    video = str(film(tmp_path / "still.mp4", seconds=6.0, size=0))
    assert json.loads(offhand("--json", video).output)["total"] is None
    text = offhand(video).output
    assert "not counted" in text
    assert "refused: " in text


def test_titles_black_frames_and_cuts_are_not_counted(tmp_path: Path) -> None:
    """Ten nods, a title, black, a cut to another place, nods at another tempo."""
    title, black = np.full((240, 320, 3), 90, np.uint8), np.zeros((240, 320, 3), np.uint8)
    cv2.putText(title, "part two", (40, 120), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
    images = []
    for time_s in np.arange(0, 12, 1 / float(RATE)):
        nod = 0.025 * np.sin(2 * np.pi * time_s / 1.2)
        images.append(view(WORLD, (320, 240), x=0.0, y=nod))
    images += [title] * 45 + [black] * 45
    other = texture(seed=11)
    for time_s in np.arange(0, 16, 1 / float(RATE)):
        nod = 0.03 * np.sin(2 * np.pi * time_s / 2.0)
        images.append(view(other, (320, 240), x=0.2, y=0.2 + nod))
    found = count_video(write(tmp_path / "edited.mp4", images, rate=RATE)).count
    accepted = [bout for bout in found.bouts if bout.accepted]
    assert [bout.count for bout in accepted] == pytest.approx([10, 8], abs=1)
    assert [bout.period_s for bout in accepted] == pytest.approx([1.2, 2.0], rel=0.08)
    times = np.concatenate([bout.rep_times_s for bout in accepted])
    assert not np.any((times > 12.3) & (times < 17.8))


def test_pictures_of_a_long_segment_are_thinned_part_by_part(
    counted: VideoCount, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_s, stop_s = (
        float(edge[0]) for edge in (counted.segments.start_s, counted.segments.stop_s)
    )
    picture = counted.signals["picture"]
    _, pictures = to_uniform(
        picture.time_s, picture.values, rate_hz=15.0, start_s=start_s, stop_s=stop_s
    )
    monkeypatch.setattr(counting, "LONGEST_STRETCH_S", (stop_s - start_s) / 3 + 0.001)
    found = next(segment_rhythms(counted.signals, counted.segments))
    assert found.step_s == pytest.approx(3 / 15)
    expected = in_levels(self_similarity(contrast(pictures)[::3]))
    np.testing.assert_allclose(found.similarity, expected, atol=1)  # a level: rounding
