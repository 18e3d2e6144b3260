"""The whole job on bad input, on repeated runs, and on strange names."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import filelock
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import offhand
from offhand.cli import main
from offhand.errors import OffhandError, StoreError
from offhand.runners.local import DIED, LocalRunner
from offhand.stages.register import find_clips
from offhand.store.workspace import Workspace
from tests.fixtures import videos
from tests.fixtures.videos import even_times, marked, write


def _offhand(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def _run(clips: list[Path], out: Path, *options: str) -> Result:
    return _offhand("run", *clips, "-o", out, "--jobs", "1", *options)


def _clips(out: Path) -> pd.DataFrame:
    return Workspace(out).table("clips").set_index("clip_id")


def _told(result: Result) -> str:
    """Return what a run that refused printed; it must not be a trace."""
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def finished(good_clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run over the sound clips; tests must not change it."""
    out = tmp_path_factory.mktemp("finished") / "out"
    result = _run(good_clips, out)
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture
def workspace(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be changed."""
    return shutil.copytree(finished, tmp_path / "out")


# bad clips among good ones


@pytest.fixture(scope="module")
def mixed(
    good_clips: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Result]:
    """A folder of good and bad clips, and a run over it."""
    folder = tmp_path_factory.mktemp("mixed") / "clips"
    folder.mkdir()
    for path in good_clips[:2]:
        shutil.copy(path, folder / path.name)
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video at all\n" * 300)
    videos.audio_only(folder / "sound.mp4")
    write(folder / "single.mp4", marked([0.0]))
    write(folder / "strip.mp4", marked(even_times(15), (400, 20)))
    videos.cut(good_clips[2], folder / "half.mp4")
    write(folder / "noindex_whole.mkv", marked(even_times(45)))
    moov_last = write(folder / "noindex.mp4", marked(even_times(45)))
    videos.cut(moov_last, moov_last)
    (folder / "notes.txt").write_text("no clip")
    out = folder.parent / "out"
    return folder, out, _offhand("run", folder, folder / "gone.mp4", "-o", out, "--jobs", "2")


def test_bad_clips_cost_the_others_nothing(mixed: tuple[Path, Path, Result]) -> None:
    _, out, result = mixed
    assert result.exit_code == 0, result.output
    clips = _clips(out)
    assert len(clips) == 11
    assert clips.loc[["one", "two", "noindex_whole"], "status"].tolist() == ["ok"] * 3
    assert set(Workspace(out).table("segments")["clip_id"]) == {
        "one",
        "two",
        "half",
        "noindex_whole",
    }


@pytest.mark.parametrize(
    ("clip_id", "reason"),
    [
        ("empty", "the file is empty"),
        ("text", "not a readable video"),
        ("sound", "no video stream"),
        ("single", "at least two frames"),
        ("strip", "too small"),
        ("noindex", "not a readable video"),
        ("gone", "no such file"),
    ],
)
def test_a_bad_clip_is_listed_with_its_reason(
    mixed: tuple[Path, Path, Result], clip_id: str, reason: str
) -> None:
    _, out, result = mixed
    row = _clips(out).loc[clip_id]
    assert row["status"] == "failed"
    assert reason in row["error"]
    assert reason in (out / "report.html").read_text(encoding="utf-8")
    assert reason in " ".join(result.output.split())


def test_a_truncated_clip_is_used_and_marked_partial(mixed: tuple[Path, Path, Result]) -> None:
    _, out, _ = mixed
    row = _clips(out).loc["half"]
    assert row["status"] == "partial"
    assert "the header promises 6.0 s" in row["error"]
    assert 1 < row["duration_s"] < 5
    assert len(Workspace(out).signal("motion", "half").time_s) > 15
    assert "the header promises 6.0 s" in (out / "report.html").read_text(encoding="utf-8")


def test_strict_makes_a_failed_clip_an_error(mixed: tuple[Path, Path, Result]) -> None:
    folder, out, _ = mixed
    assert _offhand("run", folder, "-o", out, "--strict", "--jobs", "1").exit_code == 1


def test_strict_accepts_a_partial_clip(good_clips: list[Path], tmp_path: Path) -> None:
    half = videos.cut(good_clips[0], tmp_path / "half.mp4")
    assert _run([half], tmp_path / "out", "--strict").exit_code == 0


def test_a_run_in_which_no_clip_works_fails_but_leaves_a_report(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "b.mp4").write_text("no video")
    out = tmp_path / "out"
    assert _run([tmp_path / "a.mp4", tmp_path / "b.mp4"], out).exit_code == 1
    assert _clips(out)["status"].tolist() == ["failed", "failed"]
    assert "the file is empty" in (out / "report.html").read_text(encoding="utf-8")
    for name in ("segments", "labels", "exemplars", "rhythm", "thumbnails"):
        assert len(Workspace(out).table(name)) == 0


def test_a_range_beyond_the_end_is_a_reason(good_clips: list[Path], tmp_path: Path) -> None:
    assert _run(good_clips[:1], tmp_path / "out", "--from", "100").exit_code == 1
    assert "no frame between 100 s" in _clips(tmp_path / "out").loc["one", "error"]


@pytest.mark.parametrize("n_frames", [2, 3, 8])
def test_a_clip_of_a_few_frames_is_described(tmp_path: Path, n_frames: int) -> None:
    clip = write(tmp_path / "short.mp4", marked(even_times(n_frames)))
    result = _run([clip], tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert _clips(tmp_path / "out").loc["short", "status"] == "ok"
    assert len(Workspace(tmp_path / "out").table("segments")) == 1


def test_a_black_clip_is_no_failure(good_clips: list[Path], tmp_path: Path) -> None:
    black = [videos.np.zeros((120, 160, 3), videos.np.uint8)] * 60
    clip = write(tmp_path / "black.mp4", black)
    result = _run([clip, good_clips[0]], tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert _clips(tmp_path / "out")["status"].tolist() == ["ok", "ok"]


# arguments


def test_a_folder_without_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "notes.txt").write_text("no clip")
    told = _told(_run([tmp_path / "clips"], tmp_path / "out"))
    assert "no video found" in told
    assert ".mp4" in told


def test_a_name_too_long_for_the_disk_is_a_failed_clip(
    good_clips: list[Path], tmp_path: Path
) -> None:
    result = _run([good_clips[0], tmp_path / ("x" * 300 + ".mp4")], tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert _clips(tmp_path / "out")["status"].tolist() == ["ok", "failed"]


def test_an_output_folder_with_other_files_is_left_alone(
    good_clips: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "not offhand's" in _told(_run(good_clips, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_output_that_is_a_file_is_refused(good_clips: list[Path], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert "is a file" in _told(_run(good_clips, tmp_path / "out"))
    assert "Not a directory" in _told(_run(good_clips, tmp_path / "out" / "below"))
    assert (tmp_path / "out").read_text() == "mine"


def test_an_output_that_cannot_be_written_is_refused(
    good_clips: list[Path], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    assert "read-only" in _told(_run(good_clips, workspace))


def test_an_output_name_too_long_is_refused(good_clips: list[Path], tmp_path: Path) -> None:
    assert "File name too long" in _told(_run(good_clips, tmp_path / ("x" * 300)))


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 99}', ""])
def test_a_damaged_or_newer_workspace_is_refused(
    good_clips: list[Path], tmp_path: Path, content: str
) -> None:
    (tmp_path / "offhand.json").write_text(content)
    assert str(tmp_path) in _told(_run(good_clips, tmp_path))


def test_a_damaged_list_of_clips_is_refused(good_clips: list[Path], workspace: Path) -> None:
    (workspace / "store" / "clips.json").write_text("{]")
    assert "list of clips is damaged" in _told(_run(good_clips, workspace))


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("segments.changepoint.penalti=3", "segments.changepoint.penalty"),
        ("signals.motion.rate=3", "signals.motion.rate_hz"),
        ("seed=3", "general.seed"),
        ("signals.motion.rate_hz=fast", "rate_hz"),
        ("signals.motion.rate_hz=0", "rate_hz"),
        ("signals.motion.rate_hz=nan", "rate_hz"),
        ("signals.motion.short_side_px=3", "short_side_px"),
        ("signals.motion.fov_deg=-1", "fov_deg"),
        ("signals.motion.lens=round", "lens"),
        ("segments.changepoint.penalty=-1", "penalty"),
        ("segments.window.length_s=0", "length_s"),
        ("clustering.hdbscan.min_cluster_size=1", "min_cluster_size"),
        ("general.seed=-1", "seed"),
        ("general.seed=1.5", "seed"),
        ("general.segmentation=none", "changepoint"),
        ("general.clusterer=kmeans", "hdbscan"),
        ('general.modalities=["hands"]', "flow_rhythm"),
        ("general.seed", "section.key=value"),
    ],
)
def test_a_bad_option_is_named_before_anything_is_written(
    good_clips: list[Path], tmp_path: Path, option: str, told: str
) -> None:
    assert told in _told(_run(good_clips, tmp_path / "out", "--set", option))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "content", ["[general\n", "\xff\xfe", "[general]\nseeds = 1\n", "general = 3\n"]
)
def test_a_bad_configuration_file_is_named(
    good_clips: list[Path], tmp_path: Path, content: str
) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content.encode("latin-1"))
    told = _told(_run(good_clips, tmp_path / "out", "--config", str(file)))
    assert "bad.toml" in told or "general" in told
    assert "cannot be read" in _told(
        _run(good_clips, tmp_path / "out", "--config", str(tmp_path / "gone.toml"))
    )


@pytest.mark.parametrize(
    "options",
    [("--from", "-1"), ("--from", "5", "--to", "5"), ("--to", "0"), ("--jobs", "0")],
)
def test_a_bad_range_is_refused(
    good_clips: list[Path], tmp_path: Path, options: tuple[str, ...]
) -> None:
    assert _told(_run(good_clips, tmp_path / "out", *options))
    assert not (tmp_path / "out").exists()


def test_a_mask_that_is_no_image_fails_each_clip_with_its_reason(
    good_clips: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "mask.png").write_text("no image")
    result = _run(good_clips[:1], tmp_path / "out", "--mask", str(tmp_path / "mask.png"))
    assert result.exit_code == 1
    assert "mask" in _clips(tmp_path / "out").loc["one", "error"]


def test_reporting_on_a_folder_that_is_no_workspace_is_refused(tmp_path: Path) -> None:
    assert "not an offhand workspace" in _told(_offhand("report", tmp_path))


def test_info_on_a_bad_file_tells_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    assert "the file is empty" in _told(_offhand("info", tmp_path / "a.mp4"))


# several runs at once


def test_a_second_run_on_a_busy_workspace_is_refused(
    good_clips: list[Path], workspace: Path
) -> None:
    before = _state(workspace / "results")
    with filelock.FileLock(workspace / ".lock"):
        assert "another run is at work" in _told(_run(good_clips, workspace))
    assert _state(workspace / "results") == before
    assert _run(good_clips, workspace).exit_code == 0


def test_of_two_runs_at_once_at_least_one_finishes_and_the_tables_are_whole(
    good_clips: list[Path], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "offhand", "run", *map(str, good_clips), "-o", "out"]
    both = [
        subprocess.Popen(
            [*command, "--jobs", "1"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    told = [one.communicate(timeout=120)[1].decode() for one in both]
    codes = sorted(one.returncode for one in both)
    assert codes in ([0, 0], [0, 1])
    assert codes == [0, 0] or any("another run is at work" in text for text in told)
    assert "Traceback" not in "".join(told)
    assert _clips(tmp_path / "out")["status"].tolist() == ["ok"] * 3


def _processes_with(setting: str) -> list[str]:
    """Return the processes that were started in an environment with this, where that is told."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if setting.encode() in environment.read_bytes().split(b"\0"):
                found.append(environment.parent.name)
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_is_taken_up_again(
    good_clips: list[Path], tmp_path: Path, finished: Path, how: signal.Signals
) -> None:
    command = [sys.executable, "-m", "offhand", "run", *map(str, good_clips), "-o", "out"]
    with subprocess.Popen(
        [*command, "--jobs", "1"],
        cwd=tmp_path,
        env={**os.environ, "RUN": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as one:
        out, deadline = tmp_path / "out", time.monotonic() + 60
        while not list(out.glob("store/signals/*/one.parquet")) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert sys.platform != "linux" or len(_processes_with(f"RUN={tmp_path}")) >= 3, (
            "driver, server, worker"
        )
        one.send_signal(how)
        assert one.wait(timeout=30) != 0 or how is signal.SIGINT
    while _processes_with(f"RUN={tmp_path}"):
        assert time.monotonic() < deadline, "nothing of a run stays when its driver is gone"
        time.sleep(0.02)
    kept = list(out.glob("store/signals/*/one.parquet"))
    assert kept
    stamps = [path.stat().st_mtime_ns for path in kept]
    assert _run(good_clips, out).exit_code == 0
    assert [path.stat().st_mtime_ns for path in kept] == stamps
    assert _tables(out) == _tables(finished)


# runner


def _double(task: int, report: Callable[[float], None]) -> int:
    report(0.5)
    if task == 13:
        raise OffhandError("thirteen")
    return 2 * task


def _double_or_die(task: int, report: Callable[[float], None]) -> int:
    if task == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if task == 5:
        os._exit(1)
    return _double(task, report)


def _divide(task: int, report: Callable[[float], None]) -> float:
    return 1 / task


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_has_one_outcome(jobs: int) -> None:
    told: list[float] = []
    with LocalRunner(jobs) as runner:
        outcomes = list(runner.run(_double, [1, 13, 5], on_progress=told.append))
        assert list(runner.run(_double, [])) == []
    by_index = {outcome.index: outcome for outcome in outcomes}
    assert sorted(by_index) == [0, 1, 2]
    assert (by_index[0].result, by_index[2].result) == (2, 10)
    assert (by_index[1].result, by_index[1].error) == (None, "thirteen")
    assert told == sorted(told)
    assert told[-1] == 3


def test_a_task_that_kills_its_process_costs_itself_alone() -> None:
    with LocalRunner(2) as runner:
        outcomes = list(runner.run(_double_or_die, list(range(8))))
        assert sorted(outcome.index for outcome in outcomes) == list(range(8))
        died = {outcome.index for outcome in outcomes if outcome.error == DIED}
        assert died == {3, 5}
        rest = {outcome.index: outcome.result for outcome in outcomes if not outcome.error}
        assert rest == {index: 2 * index for index in range(8) if index not in died}
        runner.release()
        again = list(runner.run(_double, [1, 2]))
    assert sorted(outcome.result or 0 for outcome in again) == [2, 4]


def test_a_defect_in_a_task_costs_itself_alone_and_says_so() -> None:
    with LocalRunner(1) as runner:
        outcomes = {one.index: one for one in runner.run(_divide, [1, 0, 2])}
    assert (outcomes[0].result, outcomes[2].result) == (1.0, 0.5)
    assert outcomes[1].result is None
    assert "ZeroDivisionError" in outcomes[1].error
    assert "defect" in outcomes[1].error


def test_fewer_than_one_job_is_refused() -> None:
    with pytest.raises(ValueError, match="jobs"):
        LocalRunner(0)


def test_options_of_ray_need_ray(tmp_path: Path) -> None:
    for option in (("--ray-address", "auto"), ("--gpus-per-model", "0.5")):
        done = _offhand("run", "clip.mp4", "-o", tmp_path / "out", *option)
        assert done.exit_code == 2
        assert f"{option[0]} goes with --runner ray" in done.output
    done = _offhand(
        "run", "clip.mp4", "-o", tmp_path / "out", "--runner", "ray", "--gpus-per-model", "0"
    )
    assert done.exit_code == 2
    assert not (tmp_path / "out").exists()


# running again


def _state(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*.parquet"))
    }


def _tables(out: Path) -> dict[str, bytes]:
    folder = out / "results"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}


def _kinds(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """Return the kinds of records that were written between two states."""
    return {name.split("/")[0] for name, stamp in after.items() if before.get(name) != stamp}


def test_a_second_run_computes_nothing_anew(good_clips: list[Path], workspace: Path) -> None:
    store, results = _state(workspace / "store"), _tables(workspace)
    assert _run(good_clips, workspace).exit_code == 0
    assert _state(workspace / "store") == store
    assert _tables(workspace) == results


@pytest.mark.parametrize(
    ("records", "missing"),
    [("counts", "repetitions"), ("rhythm", "rhythm")],
)
def test_a_clip_that_cannot_be_counted_keeps_its_other_results(
    good_clips: list[Path], workspace: Path, records: str, missing: str
) -> None:
    results = _tables(workspace)
    shutil.rmtree(workspace / "store" / records)
    (workspace / "store" / records).write_bytes(b"in the way")
    assert _run(good_clips, workspace).exit_code == 0
    clips = _clips(workspace)
    assert set(clips["status"]) == {"partial"}
    assert clips["error"].str.startswith(f"no {missing}: ").all()
    assert Workspace(workspace).table(missing).empty
    kept = {name for name, content in _tables(workspace).items() if content == results[name]}
    assert {"segments.parquet", "labels.parquet", "evidence.parquet"} <= kept
    (workspace / "store" / records).unlink()
    assert _run(good_clips, workspace).exit_code == 0
    assert _tables(workspace) == results


JUDGED = {"alignment", "fusion", "clusters", "evidence", "maps"}


def test_damaged_annotations_stop_a_run_before_any_work(
    good_clips: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    Workspace.create(out)
    (out / "annotations.json").write_text("{", "utf-8")
    with pytest.raises(StoreError, match=r"annotations\.json: cannot be read .* mend or move"):
        offhand.run(good_clips, out, jobs=1)
    assert not (out / "store").exists()
    assert (out / "annotations.json").read_text("utf-8") == "{"


@pytest.mark.parametrize(
    ("option", "kinds"),
    [
        ("clustering.hdbscan.min_samples=3", {"clusters", "evidence"}),
        ("general.alignment=centre", JUDGED),
        (
            "modalities.flow_rhythm.n_bands=8",
            {"features", "spaces", *JUDGED},
        ),
        ("segments.window.length_s=4", set()),
        (
            "segments.changepoint.penalty=31",
            {"segments", "counts", "features", "spaces", *JUDGED},
        ),
        (
            "signals.motion.rate_hz=12",
            {"signals", "segments", "counts", "features", "spaces", "rhythm", *JUDGED},
        ),
    ],
)
def test_an_option_recomputes_only_what_depends_on_it(
    good_clips: list[Path], workspace: Path, option: str, kinds: set[str]
) -> None:
    before = _state(workspace / "store")
    assert _run(good_clips, workspace, "--set", option).exit_code == 0
    changed = _kinds(before, _state(workspace / "store"))
    assert changed - {"thumbnails"} == kinds


def test_going_back_to_earlier_options_gives_the_earlier_results(
    good_clips: list[Path], workspace: Path
) -> None:
    results = _tables(workspace)
    other = ("--set", "general.segmentation=window", "--set", "segments.window.length_s=2")
    assert _run(good_clips, workspace, *other).exit_code == 0
    assert _tables(workspace) != results
    assert _run(good_clips, workspace).exit_code == 0
    assert _tables(workspace) == results


def test_results_of_two_runs_never_stand_side_by_side(
    good_clips: list[Path], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OffhandError("the disk is full")

    before = _tables(workspace)
    other = ("--set", "general.segmentation=window", "--set", "segments.window.length_s=2")
    with monkeypatch.context() as broken:
        broken.setattr("offhand.pipeline.cluster_files", fail)
        assert _run(good_clips, workspace, *other).exit_code != 0
    assert _tables(workspace) == before  # it failed before the results were replaced
    with monkeypatch.context() as broken:
        broken.setattr("offhand.pipeline.write_clusters", fail)
        assert _run(good_clips, workspace, *other).exit_code != 0
    left = set(Workspace(workspace).tables())
    assert not left & {"labels", "exemplars", "consistency", "rhythm"}
    assert not (workspace / "report.html").exists()


def test_leaving_out_a_modality_drops_its_table(good_clips: list[Path], workspace: Path) -> None:
    one = ("--set", 'general.modalities=["ego_motion"]')
    assert _run(good_clips, workspace, *one).exit_code == 0
    assert Workspace(workspace).modalities() == ["ego_motion"]
    assert set(Workspace(workspace).table("labels")["modality"]) == {"ego_motion"}


def test_another_range_is_measured_anew(good_clips: list[Path], workspace: Path) -> None:
    assert _run(good_clips, workspace, "--from", "1", "--to", "4").exit_code == 0
    segments = Workspace(workspace).table("segments")
    assert segments["start_s"].min() == 1
    assert segments["stop_s"].max() == pytest.approx(4)


def test_adding_a_clip_keeps_the_others_as_they_are(good_clips: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert _run(good_clips[1:], out).exit_code == 0
    before = _state(out / "store" / "signals")
    names = _clips(out)["path"].to_dict()
    assert _run(good_clips, out).exit_code == 0
    after = _state(out / "store" / "signals")
    assert {name: after[name] for name in before} == before
    assert len(after) == 3 * len(before) / 2
    assert names.items() < _clips(out)["path"].to_dict().items()
    assert len(Workspace(out).table("labels")["clip_id"].unique()) == 3


def test_a_file_with_new_content_is_measured_anew_under_its_name(
    good_clips: list[Path], tmp_path: Path
) -> None:
    clip, out = tmp_path / "clip.mp4", tmp_path / "out"
    shutil.copy(good_clips[0], clip)
    assert _run([clip], out).exit_code == 0
    before = Workspace(out).signal("motion", "clip")
    write(clip, marked(even_times(45), seed=8))
    assert _run([clip], out).exit_code == 0
    assert _clips(out).index.tolist() == ["clip"]
    assert len(Workspace(out).signal("motion", "clip").time_s) < len(before.time_s)


def test_a_clip_that_was_bad_is_tried_again(good_clips: list[Path], tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.mp4", tmp_path / "out"
    clip.touch()
    assert _run([clip], out).exit_code == 1
    shutil.copy(good_clips[0], clip)
    assert _run([clip], out).exit_code == 0
    assert _clips(out).loc["clip", "status"] == "ok"


def test_damaged_store_files_are_made_again(
    good_clips: list[Path], workspace: Path, finished: Path
) -> None:
    for number, path in enumerate(sorted((workspace / "store").rglob("*.parquet"))):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] if number % 2 else b"")
    assert _run(good_clips, workspace).exit_code == 0
    assert _tables(workspace) == _tables(finished)


def test_the_same_seed_gives_the_same_bytes_in_any_folder_and_with_any_number_of_jobs(
    good_clips: list[Path], tmp_path: Path, finished: Path
) -> None:
    damaged = videos.corrupt(good_clips[0], tmp_path / "damaged.mp4", n_bytes=300)
    clips = [*good_clips, damaged]
    outs = [tmp_path / "first", tmp_path / "second"]
    for out, jobs in zip(outs, ("1", "2"), strict=True):
        assert _offhand("run", *clips, "-o", out, "--jobs", jobs).exit_code == 0
    assert _tables(outs[0]) == _tables(outs[1])
    assert _clips(outs[0]).loc["damaged", "status"] == "partial"


# names


STRANGE = [
    "<script>alert(1)<",
    "😀 smile",
    "שלום עולם",
    "作業",
    "a" * 200,
    "..hidden",
    "'; drop table clips; --",
    '100% & "more" \\ less',
    "new\nline",
    "-o",
]


def test_strange_names_are_safe_everywhere(good_clips: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    files = [folder / f"{name}.mp4" for name in STRANGE]
    files.append(Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.mp4")))
    for file in files:
        shutil.copy(good_clips[0], file)
    out = tmp_path / "out"
    result = _offhand("run", *files, "-o", out, "--jobs", "2")
    assert result.exit_code == 0, result.output
    clips = _clips(out)
    assert clips["status"].tolist() == ["ok"] * len(files)
    assert clips.index.is_unique
    for clip_id in clips.index:
        assert 0 < len(clip_id) <= 60
        assert not set(clip_id) & set("/\\<>\"'\n ")
        assert not clip_id.startswith((".", "-"))
    assert all(path.resolve().is_relative_to(out.resolve()) for path in out.rglob("*"))
    assert "<script>alert(1)" not in (out / "report.html").read_text(encoding="utf-8")
    store = _state(out / "store")
    assert _offhand("run", *files, "-o", out, "--jobs", "2").exit_code == 0
    assert _state(out / "store") == store


def test_equal_names_in_two_folders_get_ids_that_stay(
    good_clips: list[Path], tmp_path: Path
) -> None:
    files = []
    for number, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        files.append(tmp_path / folder / "clip.mp4")
        shutil.copy(good_clips[number], files[-1])
    out = tmp_path / "out"
    assert _run(files, out).exit_code == 0
    named = {path: clip_id for clip_id, path in _clips(out)["path"].items()}
    assert sorted(named.values()) == ["clip", "clip-2"]
    store = _state(out / "store" / "signals")
    assert _run(files[::-1], out).exit_code == 0
    assert {path: clip_id for clip_id, path in _clips(out)["path"].items()} == named
    moved = tmp_path / "c" / "renamed.mp4"
    moved.parent.mkdir()
    files[0].rename(moved)
    assert _run([files[1], moved], out).exit_code == 0
    again = {path: clip_id for clip_id, path in _clips(out)["path"].items()}
    assert again == {str(moved): named[str(files[0])], str(files[1]): named[str(files[1])]}
    assert _state(out / "store" / "signals") == store


def test_one_file_named_in_several_ways_is_one_clip(
    good_clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = good_clips[0].parent
    monkeypatch.chdir(folder)
    ways = [
        folder / "one.mp4",
        Path("one.mp4"),
        Path("./one.mp4"),
        Path(f"../{folder.name}/one.mp4"),
    ]
    assert find_clips(ways) == [str(folder / "one.mp4")]
    assert find_clips([folder, *ways]) == sorted(map(str, folder.glob("*.mp4")))


def test_hidden_files_and_workspaces_inside_a_folder_are_passed_over(
    good_clips: list[Path], workspace: Path
) -> None:
    folder = workspace.parent
    for name in (".hidden.mp4", "seen.MP4", "sub/deep.webm", "sub/.trash/gone.mp4", "out/no.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(good_clips[0], folder / name)
    (folder / "notes.txt").touch()
    found = [Path(path).relative_to(folder).as_posix() for path in find_clips(folder)]
    assert found == ["seen.MP4", "sub/deep.webm"]


def test_the_manifest_tells_how_the_results_were_made(finished: Path) -> None:
    manifest = json.loads((finished / "offhand.json").read_text(encoding="utf-8"))
    assert {"format", "version", "created", "config", "signals"} <= set(manifest)
    assert "[signals.motion]" in manifest["config"]
