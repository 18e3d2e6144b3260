"""Clips and workspaces by URL: an object store and a web server on loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import offhand
from offhand.cli import main
from offhand.errors import ExportError, OffhandError, StoreError, VideoError
from offhand.files.names import location
from offhand.files.remote import BLOCK
from offhand.records import Clip
from offhand.report.page import write_report
from offhand.stages.export import export
from offhand.stages.register import Selection, find_clips
from offhand.store.workspace import Workspace
from offhand.video.cut import cut
from offhand.video.decode import FrameReader
from offhand.viewer.session import Session
from tests.fixtures.servers import Requests, WebServer, object_store
from tests.fixtures.videos import even_times, write
from tests.unit.files.test_archive import pack

pytest.importorskip("s3fs", reason="pip install 'offhand[remote]'")
pytest.importorskip("moto.server", reason="pip install 'moto[s3]' flask-cors")

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


LEAST = offhand.load_config(overrides=["general.modalities=ego_motion"])
"""For runs whose results do not matter."""


@pytest.fixture(scope="module")
def store() -> Iterator[Requests]:
    """An empty bucket of an object store; credentials are in the environment alone."""
    with object_store() as (address, requests), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", address)
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        location("s3://footage").files.mkdir("footage")  # type: ignore[attr-defined]
        yield requests


@pytest.fixture(scope="module")
def finished(store: Requests, good_clips: list[Path]) -> Workspace:
    """A run with clips and workspace in the store."""
    for path in good_clips:
        upload(path, f"s3://footage/clips/{path.name}")
    return offhand.run("s3://footage/clips/", "s3://footage/out", jobs=2)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(tmp_path / "web")
    server.folder.mkdir()
    yield server
    server.close()


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four seconds of noise, more than five blocks, with the index in front and at the end."""
    folder, rng = tmp_path_factory.mktemp("heavy"), np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (720, 1280, 3), np.uint8) for _ in even_times(60)]
    paths = {
        "index_first": write(
            folder / "first.mp4", pictures, container_options={"movflags": "faststart"}
        ),
        "index_last": write(folder / "last.mp4", pictures),
    }
    assert min(path.stat().st_size for path in paths.values()) > 5 * BLOCK
    return paths


def upload(path: Path, url: str) -> str:
    location(url).upload(str(path))  # type: ignore[attr-defined]
    return url


def decoded(path: str, *, from_s: float = 0.0, to_s: float | None = None) -> int:
    # each thread of the decoder reads a frame ahead, and the frames of `heavy` have 0.7 MB
    clip = Clip(clip_id="a", path=path, from_s=from_s, to_s=to_s)
    reader = FrameReader(clip, [], threads=2)
    assert list(reader) == []
    assert reader.info.status == "ok", reader.info
    return reader.info.n_frames


def content(workspace: Workspace) -> dict[str, bytes]:
    folder = workspace.path / "results"
    found = [*folder.rglob("*.parquet"), *folder.rglob("*.json")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_results_are_those_of_a_local_run(
    finished: Workspace, good_clips: list[Path], tmp_path: Path
) -> None:
    local = offhand.run(good_clips[0].parent, tmp_path / "local", jobs=2)
    ours, theirs = content(finished), content(local)
    assert len(ours) > 20
    assert [name for name in theirs if ours.get(name) != theirs[name]] == ["clips.parquet"]
    assert set(ours) == set(theirs)
    clips = finished.table("clips")
    assert set(clips["path"]) == {f"s3://footage/clips/{path.name}" for path in good_clips}
    pd.testing.assert_frame_equal(
        clips.drop(columns="path"), local.table("clips").drop(columns="path")
    )


@pytest.mark.ray
@pytest.mark.slow
def test_ray_reads_and_writes_the_same(
    finished: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="no Ray: pip install 'offhand[ray]'")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    on_ray = offhand.run("s3://footage/clips/", "s3://footage/ray", jobs=2, ray_address="local")
    assert content(on_ray) == content(finished)


def test_another_run_decodes_nothing(finished: Workspace, store: Requests) -> None:
    before = content(finished)
    store.lines.clear()
    again = offhand.run("s3://footage/clips/", "s3://footage/out", jobs=2)
    assert store.reads_of("clips/one.mp4") == 0
    assert sum("HEAD /footage/clips/one.mp4" in line for line in store.lines) > 0
    assert content(again) == before


def test_a_changed_object_is_decoded_again_under_its_name(
    store: Requests, good_clips: list[Path]
) -> None:
    for path in (good_clips[0], good_clips[1]):
        upload(path, "s3://footage/changing/a.mp4")
        workspace = offhand.run(
            "s3://footage/changing", "s3://footage/changed", config=LEAST, jobs=1
        )
        assert workspace.table("clips")["clip_id"].tolist() == ["a"]
    assert store.reads_of("changing/a.mp4") >= 2


def test_a_workspace_in_a_store_is_read_and_reported_but_not_edited(
    finished: Workspace, tmp_path: Path
) -> None:
    assert len(Workspace("s3://footage/out").table("segments"))
    assert str(write_report(finished)) == "s3://footage/out/report.html"
    assert export("s3://footage/out", "csv", folder=str(tmp_path / "csv")).is_dir()
    with pytest.raises(ExportError, match="name a folder here with -o"):
        export("s3://footage/out", "csv")
    (tmp_path / "truth.csv").write_text("clip,start_s,stop_s,label\none,0,3,a\none,3,6,b\n")
    assert offhand.evaluate("s3://footage/out", tmp_path / "truth.csv").clips
    cut("s3://footage/clips/one.mp4", tmp_path / "cut.mp4", start_s=1.0, stop_s=2.0)
    assert decoded(str(tmp_path / "cut.mp4")) == 15
    with pytest.raises(StoreError, match="cannot be edited; copy it"):
        Session("s3://footage/out")
    told = CliRunner().invoke(main, ["audit", "s3://footage/out", "--sample", "5"])
    assert told.exit_code == 1
    assert "copy it to this machine" in told.output


def test_the_workspace_is_locked_while_a_run_is_at_work(finished: Workspace) -> None:
    lock = finished.path / ".lock"
    assert not lock.exists()
    with (
        finished.lock(),
        pytest.raises(StoreError, match=r"another run is at work here .*process .*delete s3://"),
    ):
        offhand.run("s3://footage/clips", "s3://footage/out")
    assert not lock.exists()


def test_a_folder_that_is_no_workspace_is_left_alone(finished: Workspace) -> None:
    with pytest.raises(StoreError, match="holds files that are not offhand's"):
        offhand.run("s3://footage/clips", "s3://footage/clips")
    with pytest.raises(StoreError, match=r"nowhere/out/.* cannot be written \(no such file\)"):
        offhand.run("s3://footage/clips", "s3://nowhere/out")
    with pytest.raises(StoreError, match="web servers are read only"):
        offhand.run("s3://footage/clips", "http://127.0.0.1:1/out")
    with pytest.raises(StoreError, match="not an offhand workspace"):
        Workspace("s3://footage/clips")


def test_lists_datasets_archives_and_folders_in_a_store(
    store: Requests, good_clips: list[Path], tmp_path: Path
) -> None:
    one = good_clips[0].read_bytes()
    base = "s3://footage/set"
    shard = pack(tmp_path / "s.tar", {"x.bin": bytes(300_000), "k.mp4": one, "k.json": b"{}"})
    upload(shard, f"{base}/deep/s.tar")
    upload(shard, f"{base}/.hidden/s.tar")
    upload(good_clips[1], f"{base}/train/b.mp4")
    upload(good_clips[1], f"{base}/train/unlisted.mp4")
    (tmp_path / "list").write_text('{"file_name": "b.mp4"}\n')
    upload(tmp_path / "list", f"{base}/train/metadata.jsonl")
    (tmp_path / "list").write_text("{}")
    upload(tmp_path / "list", f"{base}/out/offhand.json")
    upload(good_clips[1], f"{base}/out/proxy.mp4")
    expected = [f"{base}/deep/s.tar::k.mp4", f"{base}/train/b.mp4"]
    assert find_clips(base) == expected
    (tmp_path / "list").write_text("path\ntrain/b.mp4\ndeep/s.tar\n")
    upload(tmp_path / "list", f"{base}/clips.csv")
    assert find_clips(f"{base}/clips.csv") == expected[::-1]
    assert decoded(expected[0]) == decoded(str(good_clips[0]))


def test_what_is_not_there_is_a_row(
    store: Requests, good_clips: list[Path], tmp_path: Path
) -> None:
    gone = ["s3://footage/gone.mp4", "s3://nowhere/a.mp4", "s3://footage/gone.tar::a.mp4"]
    workspace = offhand.run([good_clips[0], *gone], tmp_path / "out", config=LEAST, jobs=1)
    clips = workspace.table("clips").set_index("path")
    assert clips.loc[str(good_clips[0]), "status"] == "ok"
    assert clips.loc[gone, "error"].str.contains("no such file").all(), clips["error"].tolist()


def test_missing_packages_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(OffhandError, match=r"pip install 'offhand\[remote\]'"):
        find_clips("s3://footage/clips")
    with pytest.raises(OffhandError, match=r"pip install 'offhand\[gs\]'"):
        Workspace("gs://footage/out")


def test_missing_credentials_are_told(
    store: Requests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(StoreError, match=r"s3://footage/new.* Unable to locate credentials"):
            offhand.run("s3://footage/clips/one.mp4", "s3://footage/new")
        with pytest.raises(VideoError, match=r"one\.mp4: cannot be read .*locate credentials"):
            decoded("s3://footage/clips/one.mp4")
    finally:
        s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("kind", ["index_first", "index_last"])
def test_only_what_is_needed_is_fetched_from_a_store(
    store: Requests, heavy: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    fetched: list[int] = []
    fetch = s3fs.core.S3File._fetch_range

    def counted(self: object, start: int, end: int) -> bytes:
        fetched.append(end - start)
        return fetch(self, start, end)  # type: ignore[no-any-return]

    monkeypatch.setattr(s3fs.core.S3File, "_fetch_range", counted)
    url = upload(heavy[kind], f"s3://footage/heavy/{kind}.mp4")
    size = heavy[kind].stat().st_size
    assert decoded(url, from_s=2.0, to_s=2.2) == 3
    assert sum(fetched) < 0.5 * size
    fetched.clear()
    assert decoded(url) == 60
    assert sum(fetched) < size + 2 * BLOCK


# a web server


@pytest.mark.parametrize("kind", ["index_first", "index_last"])
def test_only_what_is_needed_is_fetched_from_a_web_server(
    web: WebServer, heavy: dict[str, Path], kind: str
) -> None:
    name = heavy[kind].name
    (web.folder / name).write_bytes(heavy[kind].read_bytes())
    pack(web.folder / "s.tar", {"other.mp4": bytes(20_000_000), name: heavy[kind].read_bytes()})
    size = heavy[kind].stat().st_size
    assert decoded(f"{web.url}/{name}", from_s=2.0, to_s=2.2) == 3
    assert decoded(f"{web.url}/s.tar::{name}", from_s=2.0, to_s=2.2) == 3
    assert web.sent[name] < 0.5 * size
    assert web.sent["s.tar"] < 0.6 * size


def test_a_server_without_ranges_is_told(web: WebServer, heavy: dict[str, Path]) -> None:
    web.has_ranges = False
    (web.folder / "a.mp4").write_bytes(heavy["index_last"].read_bytes())
    with pytest.raises(VideoError, match=r"a\.mp4: cannot be read .*does not send parts of files"):
        decoded(f"{web.url}/a.mp4")


def test_a_server_that_fails_halfway_costs_its_clip_alone_and_only_that_run(
    web: WebServer, heavy: dict[str, Path], good_clips: list[Path], tmp_path: Path
) -> None:
    (web.folder / "a.mp4").write_bytes(heavy["index_first"].read_bytes())
    clips = [good_clips[0], f"{web.url}/a.mp4"]
    web.breaks_from = 3 * BLOCK
    found = offhand.run(clips, tmp_path / "out", config=LEAST, jobs=1)
    table = found.table("clips").set_index("clip_id")
    assert table["status"].to_dict() == {"one": "ok", "a": "failed"}
    assert "cannot be read to its end" in table.loc["a", "error"]
    assert "503" in table.loc["a", "error"]
    web.breaks_from = None
    found = offhand.run(clips, tmp_path / "out", config=LEAST, jobs=1)
    table = found.table("clips").set_index("clip_id")
    assert table["status"].to_dict() == {"one": "ok", "a": "ok"}
    assert table.loc["a", "n_frames"] == 60


def test_a_part_of_a_clip_is_used_by_url(
    web: WebServer, good_clips: list[Path], tmp_path: Path
) -> None:
    (web.folder / "a b.mp4").write_bytes(good_clips[0].read_bytes())
    part = Selection(from_s=1.0, to_s=4.0)
    (web.folder / "list.txt").write_text("a.mp4\n")
    (web.folder / "a.mp4").write_bytes(good_clips[0].read_bytes())
    options = {"config": LEAST, "selection": part, "jobs": 1}
    local = offhand.run(good_clips[0], tmp_path / "local", **options)
    remote = offhand.run(f"{web.url}/list.txt", tmp_path / "remote", **options)
    columns = ["start_s", "stop_s"]
    pd.testing.assert_frame_equal(
        local.table("segments")[columns], remote.table("segments")[columns]
    )
    assert remote.table("clips")["path"].tolist() == [f"{web.url}/a.mp4"]


def test_a_url_with_a_secret_is_printed_nowhere(web: WebServer, tmp_path: Path) -> None:
    url = web.url.replace("http://", "http://me:hidden@") + "/a.mp4"
    for command in (["run", url, "-o", str(tmp_path / "out")], ["count", url, "--json"]):
        told = CliRunner().invoke(main, command)
        assert told.exit_code == 1
        assert "may hold credentials" in told.output
        assert "hidden" not in told.output
    assert not (tmp_path / "out").exists()
