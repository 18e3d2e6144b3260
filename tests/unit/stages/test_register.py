"""Finding clips in folders, archives and datasets, and naming them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from offhand.errors import VideoError
from offhand.records import Clip
from offhand.stages.register import Selection, find_clips, register
from offhand.store.workspace import Workspace
from offhand.video.container import open_video
from offhand.video.cut import cut
from offhand.video.decode import FrameReader
from offhand.video.proxy import write_proxy
from offhand.video.thumbnails import pictures
from tests.fixtures.videos import even_times, marked, write
from tests.unit.files.test_archive import pack


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("film") / "a.mp4", marked(even_times(60))).read_bytes()


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_an_archive_stands_for_its_videos(tmp_path: Path, film: bytes) -> None:
    touch(tmp_path, "b.mp4")
    members = {"k0.mp4": film, "k0.json": b"{}", "d/._k1.mp4": b"", "d/k1.mp4": film}
    shard = pack(tmp_path / "shard-0.tar", members)
    expected = [f"{shard}::d/k1.mp4", f"{shard}::k0.mp4"]
    assert sorted(find_clips(str(shard))) == expected
    assert find_clips(tmp_path) == [f"{tmp_path}/b.mp4", *sorted(expected, key=_parts)]
    (tmp_path / "list.txt").write_text("shard-0.tar\n")
    assert sorted(find_clips(tmp_path / "list.txt")) == expected


def _parts(name: str) -> list[str]:
    return name.split("/")


def test_members_get_names_of_shard_and_key_that_stay(tmp_path: Path) -> None:
    long = "factory_001_worker_001_part_00000_"
    shards = [
        pack(tmp_path / "s-0.tar", {"k.mp4": b"1", "d/k.mp4": b"2", f"{long}.mp4": b"3"}),
        pack(tmp_path / f"{long}{long}.tar", {"key.mp4": b"4"}),
    ]
    workspace = Workspace.create(tmp_path / "out")
    files = find_clips(map(str, shards))
    clips = register(workspace, files, Selection())
    names = [clip.clip_id for clip in clips]
    assert names == ["s-0_k", "s-0_k-2", f"s-0_{long}".rstrip("_"), f"{long}{long}_key"[-48:]]
    assert [clip.path for clip in clips] == files
    again = register(Workspace(tmp_path / "out"), files[::-1], Selection())
    assert again == clips[::-1]
    moved = shards[0].rename(tmp_path / "moved.tar")
    found = register(Workspace(tmp_path / "out"), find_clips(moved), Selection())
    assert [clip.clip_id for clip in found] == names[:3]


def test_all_that_opens_clips_opens_members(tmp_path: Path, film: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(film)
    shard = pack(tmp_path / "s.tar", {"other.bin": bytes(1000), "a.mp4": film})
    found = []
    for path in (f"{tmp_path}/a.mp4", f"{shard}::a.mp4"):
        reader = FrameReader(Clip(clip_id="a", path=path, from_s=1.0), [])
        assert list(reader) == []
        cut(path, tmp_path / "cut.mp4", start_s=1.0, stop_s=2.0)
        write_proxy(path, tmp_path / "proxy.webm", on_progress=lambda share: None)
        written = [(tmp_path / name).stat().st_size for name in ("cut.mp4", "proxy.webm")]
        seen = [
            None if one is None else one.tobytes()
            for one in pictures(path, [0.5, 3.0], short_side_px=64)
        ]
        found.append((reader.info, seen, written))
    assert found[0] == found[1]
    assert found[0][0].n_frames == 45


def test_a_damaged_archive_is_listed_behind_what_is_found_in_it(
    tmp_path: Path, film: bytes
) -> None:
    whole = pack(tmp_path / "whole.tar", {"a.mp4": film, "b.mp4": film})
    shard = tmp_path / "s.tar"
    shard.write_bytes(whole.read_bytes()[: -len(film)])
    assert find_clips(shard) == [f"{shard}::a.mp4", f"{shard}::b.mp4", str(shard)]
    with pytest.raises(VideoError, match=r"s\.tar: the archive is damaged.* 2 files were found"):
        FrameReader(Clip(clip_id="s", path=str(shard)), []).__iter__().__next__()
    with open_video(f"{shard}::a.mp4") as (_, stream):
        assert stream.width == 160


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty.tar", "the archive holds no video"),
        ("whole.tar::gone.mp4", "no such file in the archive"),
        ("gone.tar::a.mp4", "no such file"),
        ("gone.tar", "no such file"),
    ],
)
def test_what_is_not_there_is_told_when_it_is_opened(tmp_path: Path, name: str, said: str) -> None:
    pack(tmp_path / "empty.tar", {"notes.txt": b""})
    pack(tmp_path / "whole.tar", {"a.mp4": b"1"})
    assert find_clips(tmp_path / name) == [f"{tmp_path}/{name}"]
    with pytest.raises(VideoError, match=said), open_video(f"{tmp_path}/{name}"):
        pass


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_hugging_face_dataset_has_the_videos_that_its_metadata_names(
    tmp_path: Path, ending: str
) -> None:
    touch(tmp_path, "data/train/b.mp4", "data/train/a.mp4", "data/train/unlisted.mp4")
    pack(tmp_path / "data/train/s.tar", {"k.mp4": b""})
    touch(tmp_path, "data/test/c.mp4", "data/.cache/d.mp4")
    rows = [{"file_name": name, "text": "x"} for name in ("b.mp4", "a.mp4", "s.tar", "gone.mp4")]
    path = tmp_path / f"data/train/metadata.{ending}"
    if ending == "csv":
        pd.DataFrame(rows).to_csv(path, index=False)
    elif ending == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pd.DataFrame(rows).to_parquet(path)
    found = [name.removeprefix(f"{tmp_path}/data/") for name in find_clips(tmp_path / "data")]
    train = ["train/a.mp4", "train/b.mp4", "train/gone.mp4", "train/s.tar::k.mp4"]
    assert found == ["test/c.mp4", *train]


def test_metadata_of_another_kind_makes_no_dataset(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    (tmp_path / "metadata.csv").write_text("camera,lens\n1,2\n")
    assert find_clips(tmp_path) == [f"{tmp_path}/a.mp4"]
    (tmp_path / "metadata.jsonl").write_text("{")
    with pytest.raises(VideoError, match=r"metadata\.jsonl: cannot be read"):
        find_clips(tmp_path)
