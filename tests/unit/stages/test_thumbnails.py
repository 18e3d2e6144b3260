"""Pictures and loops of exemplars as a stage, and the table they end up in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from offhand.records import Clip
from offhand.stages.cluster import EXEMPLAR_COLUMNS, ClusterFiles
from offhand.stages.judge import EvidenceFiles
from offhand.stages.results import JOINED, Clustering, previewed, write_joined
from offhand.stages.thumbnails import (
    PREVIEW_HZ,
    PREVIEW_S,
    ThumbnailTask,
    make_thumbnails,
    thumbnails_path,
)
from offhand.store import parquet
from offhand.store.workspace import Workspace
from tests.fixtures.videos import even_times, marked, write

SEGMENTS = ((0, 0.0, 0.4), (3, 1.5, 2.5), (4, 3.4, 4.4))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("film") / "a.mp4", marked(even_times(60)))


def thumbnail_task(folder: Path, path: Path, *, previewed: tuple[int, ...] = ()) -> ThumbnailTask:
    return ThumbnailTask(
        workspace=str(Workspace.create(folder / "out").path),
        clip=Clip(clip_id=path.stem, path=str(path), source=str(path)),
        segments=SEGMENTS,
        previewed=previewed,
    )


def made(task: ThumbnailTask) -> pd.DataFrame:
    make_thumbnails(task, lambda share: None)
    return parquet.read_frame(thumbnails_path(Workspace(task.workspace), task.clip))[0]


def test_chosen_exemplars_have_loops(tmp_path: Path, film: Path) -> None:
    table = made(thumbnail_task(tmp_path, film, previewed=(0, 4)))
    assert list(table) == list(JOINED["thumbnails"])
    assert table["segment_id"].tolist() == [0, 3, 4]
    for (_, start_s, stop_s), time_s in zip(SEGMENTS, table["time_s"], strict=True):
        assert start_s < time_s < stop_s
    assert [webp is not None for webp in table["webp"]] == [True, False, True]
    for webp in table["webp"].dropna():
        done, loop = cv2.imdecodeanimation(np.frombuffer(webp, np.uint8))
        assert done
        assert min(loop.frames[0].shape[:2]) == 120
        assert sum(loop.durations) == pytest.approx(1000 * PREVIEW_S, abs=20)
        assert len(loop.frames) <= PREVIEW_S * PREVIEW_HZ


def test_they_are_made_once_and_anew_when_others_are_chosen(tmp_path: Path, film: Path) -> None:
    task = thumbnail_task(tmp_path, film, previewed=(0,))
    made(task)
    path = thumbnails_path(Workspace(tmp_path / "out"), task.clip)
    before = path.stat().st_mtime_ns
    made(task)
    assert path.stat().st_mtime_ns == before
    assert made(replace(task, previewed=(3,)))["webp"].notna().tolist() == [False, True, False]


def test_a_clip_that_does_not_open_has_no_rows(tmp_path: Path) -> None:
    gone = tmp_path / "gone.mp4"
    table = made(thumbnail_task(tmp_path, gone, previewed=(0,)))
    assert (list(table), len(table)) == (list(JOINED["thumbnails"]), 0)


def test_the_workspace_hands_out_pictures_and_loops(tmp_path: Path, film: Path) -> None:
    tasks = [
        thumbnail_task(tmp_path, film, previewed=(3,)),
        thumbnail_task(tmp_path, film.rename(film.with_name("b.mp4"))),
        thumbnail_task(tmp_path, film.with_name("c.mp4")),
    ]
    for task in tasks[1:]:
        made(task)
    film.with_name("b.mp4").rename(film)
    made(tasks[0])
    workspace = Workspace(tmp_path / "out")
    paths = [thumbnails_path(workspace, task.clip) for task in tasks]
    write_joined(workspace, "thumbnails", paths)
    assert (workspace.thumbnail("a", 3) or b"")[:2] == b"\xff\xd8"
    assert (workspace.preview("a", 3) or b"")[8:12] == b"WEBP"
    assert workspace.thumbnail("b", 3)
    for clip, segment in (("a", 0), ("b", 3), ("c", 3), ("a", 99)):
        assert workspace.preview(clip, segment) is None
    assert workspace.thumbnail("c", 3) is None


def test_a_table_without_loops_is_read(tmp_path: Path, film: Path) -> None:
    table = made(thumbnail_task(tmp_path, film)).drop(columns="webp")
    workspace = Workspace(tmp_path / "out")
    parquet.write_frame(workspace.table_path("thumbnails"), table)
    assert workspace.thumbnail("a", 3)
    assert workspace.preview("a", 3) is None


def clustering(folder: Path, modality: str, rows: list[tuple[object, ...]]) -> Clustering:
    path = folder / f"{modality}.parquet"
    parquet.write_frame(path, pd.DataFrame(rows, columns=list(EXEMPLAR_COLUMNS)))
    return Clustering(
        modality=modality,
        clusterer="ward",
        is_default=modality != "other",
        files=ClusterFiles(labels=path, exemplars=path, candidates=path),
        evidence=EvidenceFiles(scores=path, details=path),
    )


def test_loops_are_of_the_leading_clusters_medoids_first(tmp_path: Path) -> None:
    lead = [
        ("pooled", 0, "a", 9, False),
        ("pooled", 1, "a", 4, False),
        ("pooled", 2, "a", 7, True),
        ("pooled", 0, "b", 2, True),
        ("clip", 0, "b", 5, True),
    ]
    every = [
        clustering(tmp_path, "flow_rhythm", [("pooled", 0, "a", 1, True)]),
        clustering(tmp_path, "late_fusion", lead),
        clustering(tmp_path, "other", [("pooled", 0, "a", 3, True)]),
    ]
    assert previewed(every) == {"a": (4, 7, 9), "b": (2,)}
    assert previewed(every, most_per_clip=2) == {"a": (7, 9), "b": (2,)}
    assert previewed([every[2]]) == {}
    assert previewed([]) == {}
