"""Tables read one clip at a time: the same rows as those of the whole table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from offhand.errors import StoreError
from offhand.store import parquet
from offhand.store.by_clip import RowsByClip
from offhand.store.workspace import Workspace


def large(n_clips: int, n_rows: int) -> pd.DataFrame:
    """A table with a megabyte a clip or so: several row groups."""
    rng = np.random.default_rng(0)
    clips = np.repeat([f"clip {place}" for place in range(n_clips)], n_rows)
    return pd.DataFrame(
        {
            "clip_id": clips,
            "segment_id": np.tile(np.arange(n_rows), n_clips),
            "similarity": [rng.bytes(10_000) for _ in clips],
        }
    )


def same(found: pd.DataFrame, expected: pd.DataFrame) -> bool:
    return (
        found["clip_id"].tolist() == expected["clip_id"].tolist()
        and found["segment_id"].tolist() == expected["segment_id"].tolist()
        and found["similarity"].tolist() == expected["similarity"].tolist()
    )


@pytest.mark.parametrize("is_mixed", [False, True])
def test_the_rows_are_those_of_the_clip(tmp_path: Path, is_mixed: bool) -> None:
    table = large(20, 100)
    if is_mixed:
        table = table.sample(frac=1, random_state=0, ignore_index=True)
    path = tmp_path / "similarity.parquet"
    parquet.write_frame(path, table)
    with pq.ParquetFile(path) as file:
        assert file.num_row_groups > 2
        size = max(file.metadata.row_group(n).num_rows * 10_000 for n in range(file.num_row_groups))
    assert size <= parquet.ROW_GROUP_BYTES
    assert same(parquet.read_frame(path)[0], table)
    rows = RowsByClip(path)
    for clip_id in ("clip 0", "clip 7", "clip 19", "clip 8"):
        assert same(rows.of(clip_id), table[table["clip_id"] == clip_id])
    none = rows.of("another")
    assert len(none) == 0
    assert list(none) == list(table)


def test_a_table_without_rows_has_none_of_any_clip(tmp_path: Path) -> None:
    path = tmp_path / "similarity.parquet"
    parquet.write_frame(path, large(1, 1).iloc[:0])
    assert len(RowsByClip(path).of("clip 0")) == 0


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "similarity.parquet"
    path.write_bytes(b"PAR1 no")
    with pytest.raises(StoreError, match="cannot be read"):
        RowsByClip(path)


def test_texts_come_as_categories_where_they_are_asked_for(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "out")
    table = large(3, 2).drop(columns="similarity")
    parquet.write_frame(workspace.table_path("labels"), table)
    found = workspace.table("labels", categories=["clip_id"])
    assert isinstance(found["clip_id"].dtype, pd.CategoricalDtype)
    assert found["clip_id"].astype(str).tolist() == table["clip_id"].tolist()
    assert list(workspace.table("labels", ["segment_id"])) == ["segment_id"]
    assert workspace.of_clip("rhythm", "clip 0") is None


def test_pages_are_withdrawn_with_the_results(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "out")
    for name in ("report", ".report.0123.tmp", "proxies"):
        (workspace.path / name).mkdir()
        (workspace.path / name / "a.html").write_text("", "utf-8")
    workspace.report_path.write_text("", "utf-8")
    workspace.withdraw_results()
    assert {path.name for path in workspace.path.iterdir()} == {"offhand.json", "proxies"}
