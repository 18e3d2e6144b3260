"""Lists of clips: text, CSV, JSON Lines, Parquet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from offhand.errors import VideoError
from offhand.stages.clip_lists import listed
from offhand.stages.register import find_clips


def test_a_text_names_a_file_a_line(tmp_path: Path) -> None:
    path = tmp_path / "clips.txt"
    path.write_text("\ufeff# day one\na.mp4\n\n sub/b c.mp4 \n/far/d.mp4\na.mp4\n", "utf-8")
    assert listed(str(path)) == [f"{tmp_path}/a.mp4", f"{tmp_path}/sub/b c.mp4", "/far/d.mp4"]


@pytest.mark.parametrize("column", ["path", "file_name", "clip"])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_names_them_in_a_column(tmp_path: Path, column: str, ending: str) -> None:
    table = pd.DataFrame({"worker": ["1", "2", "3"], column: ["a.mp4", "NA.mp4", ""]})
    path = tmp_path / f"clips.{ending}"
    if ending == "csv":
        table.to_csv(path, index=False)
    elif ending == "jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_parquet(path)
    assert listed(str(path)) == [f"{tmp_path}/a.mp4", f"{tmp_path}/NA.mp4"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("clips.csv", b"worker,day\n1,2\n", "it has worker, day, and one of path"),
        ("clips.csv", b"path\n\n", "names no clip"),
        ("clips.csv", b"", "cannot be read"),
        ("clips.parquet", b"nothing", "cannot be read"),
        ("clips.txt", b"# nothing\n", "names no clip"),
        ("clips.txt", b"\xff\xfe\x00", "cannot be read"),
        ("gone.txt", None, "cannot be read"),
    ],
)
def test_a_list_that_names_nothing_is_told(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError, match=said):
        listed(str(path))


def test_lists_files_and_folders_go_together(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "c.mp4").touch()
    (tmp_path / "list.txt").write_text("folder/c.mp4\ngone.mp4\n", "utf-8")
    found = find_clips([tmp_path / "single.mp4", tmp_path / "list.txt", tmp_path / "folder"])
    assert [Path(path).name for path in found] == ["single.mp4", "c.mp4", "gone.mp4"]


def test_entries_may_be_urls_and_members_of_archives(tmp_path: Path) -> None:
    path = tmp_path / "clips.txt"
    path.write_text(f"s3://b/a.mp4\nfile://{tmp_path}/b%20c.mp4\nshard.tar::k.mp4\n", "utf-8")
    assert find_clips(path) == [
        "s3://b/a.mp4",
        f"{tmp_path}/b c.mp4",
        f"{tmp_path}/shard.tar::k.mp4",
    ]
