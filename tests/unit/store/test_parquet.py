"""Records to Parquet and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from offhand.errors import StoreError
from offhand.records import ClipInfo, Features, Segments, Signal
from offhand.store import parquet, signal_files

KEY = "0123456789ab"


def signal(n: int = 40, *, start_s: float = 0.0) -> Signal:
    rng = np.random.default_rng(n)
    values = rng.normal(size=(n, 2))
    values[n // 2 :: 3, 1] = np.nan
    time_s = start_s + np.arange(n) / 14.985
    return Signal(name="m", time_s=time_s, channels=("x", "y_px"), values=values, notes={"a": "é"})


def write_signal(path: Path, *chunks: Signal, info: ClipInfo | None = None) -> None:
    with signal_files.writer(path, "m") as writer:
        for chunk in chunks:
            writer.write(chunk)
        writer.close(KEY, info or ClipInfo(duration_s=3.0, n_frames=90))


def test_a_signal_comes_back_in_one_piece(tmp_path: Path) -> None:
    first, second = signal(), signal(7, start_s=10.0)
    info = ClipInfo(status="partial", error="cut off", duration_s=12.5, width=640, codec="h264")
    write_signal(tmp_path / "a" / "s.parquet", first, second, info=info)
    back = signal_files.read(tmp_path / "a" / "s.parquet")
    assert (back.name, back.channels, back.notes) == ("m", first.channels, first.notes)
    np.testing.assert_array_equal(back.time_s, np.append(first.time_s, second.time_s))
    wanted = np.concatenate([first.values, second.values])
    np.testing.assert_allclose(back.values, wanted, rtol=1e-6)
    read = signal_files.read_clip_info(tmp_path / "a" / "s.parquet")
    assert str(read) == str(info)


def test_a_signal_that_is_not_finished_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"

    def break_off() -> None:
        with signal_files.writer(path, "m") as writer:
            writer.write(signal())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        break_off()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="at least one chunk"):
        write_signal(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moved", [False, True])
def test_segments(tmp_path: Path, moved: bool) -> None:
    path = tmp_path / "s.parquet"
    stop_s = np.array([1 / 3, 2.5, 9.0])
    start_s = np.append(0.0, stop_s[:-1])
    change_s = start_s + 0.25 if moved else None
    before = Segments(clip_id="ä", start_s=start_s, stop_s=stop_s, change_s=change_s)
    parquet.write_segments(path, before, key=KEY)
    back = parquet.read_segments(path)
    assert back.clip_id == "ä"
    np.testing.assert_array_equal(back.start_s, before.start_s)
    np.testing.assert_array_equal(back.stop_s, before.stop_s)
    assert (back.change_s is not None) == moved
    if moved:
        np.testing.assert_array_equal(back.change_s, change_s)


@pytest.mark.parametrize("n", [0, 4])
def test_features(tmp_path: Path, n: int) -> None:
    path = tmp_path / "f.parquet"
    before = Features(
        modality="ego",
        clip_id=np.array(["b"] * n, dtype=np.str_),
        segment_id=np.arange(n),
        columns=("z", "a_hz"),
        weights=np.array([0.0, 0.1]),
        values=np.where(np.eye(n, 2) > 0, np.nan, 1 / 3),
        notes={"proxy": "two"},
    )
    parquet.write_features(path, before, key=KEY)
    back = parquet.read_features(path)
    assert (back.modality, back.columns, back.notes) == ("ego", before.columns, before.notes)
    for name in ("clip_id", "segment_id", "weights", "values"):
        np.testing.assert_array_equal(getattr(back, name), getattr(before, name))


def test_tables_hold_their_metadata(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"clip_id": ["a", "b"], "n": [1, 2], "x": [0.5, np.nan]})
    parquet.write_frame(path, frame, key=KEY, meta={"weights": {"x": 0.1}})
    back, meta = parquet.read_frame(path)
    pd.testing.assert_frame_equal(back, frame)
    assert meta["weights"] == {"x": 0.1}
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame)


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(1000.0)})
    for name in ("a", "b"):
        parquet.write_frame(tmp_path / name, frame, key=KEY, meta={"b": 1, "a": 2})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_is_used_again_only_for_its_key(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    assert not parquet.has_key(path, KEY)
    write_signal(path, signal())
    assert parquet.has_key(path, KEY)
    assert not parquet.has_key(path, "ba9876543210")
    assert not parquet.has_key(path, "")


def test_a_file_of_another_layout_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.parquet"
    write_signal(path, signal())
    monkeypatch.setattr(parquet, "SCHEMA_VERSION", parquet.SCHEMA_VERSION + 1)
    assert not parquet.has_key(path, KEY)


def test_a_file_of_someone_else_is_not_used(tmp_path: Path) -> None:
    pd.DataFrame({"x": [1.0]}).to_parquet(tmp_path / "t.parquet")
    assert not parquet.has_key(tmp_path / "t.parquet", KEY)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_damaged_file_is_an_error_and_computed_anew(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "s.parquet"
    write_signal(path, signal())
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    assert not parquet.has_key(path, KEY)
    with pytest.raises(StoreError, match=r"s\.parquet: cannot be read"):
        signal_files.read(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    for read in (signal_files.read, parquet.read_segments, parquet.read_features):
        with pytest.raises(StoreError, match=r"none\.parquet: cannot be read"):
            read(tmp_path / "none.parquet")


KINDS = {"clip_id": "str", "n": "Int64", "times": "list of float64"}


def frames(first: int, rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "clip_id": [f"clip {first}"] * rows,
            "n": pd.array([None, *range(rows - 1)] if rows else [], dtype="Int64"),
            "times": [[] if first == 0 else [0.5 * row, 1.0] for row in range(rows)],
        }
    )


def test_tables_are_joined_in_groups_of_few_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 400)
    parts, tables = [], [frames(0, 3), frames(1, 0), frames(2, 50), frames(3, 1)]
    for index, table in enumerate(tables):
        parts.append(tmp_path / f"{index}.parquet")
        parquet.write_frame(parts[-1], table)  # what is empty has no type there
    parquet.write_joined(tmp_path / "all.parquet", parts, KINDS)
    parquet.write_frames(tmp_path / "same.parquet", tables, KINDS, key="key")
    assert parquet.has_key(tmp_path / "same.parquet", "key")
    for name in ("all.parquet", "same.parquet"):
        with parquet.opened(tmp_path / name) as file:
            assert file.metadata.num_row_groups > 3
            assert str(file.schema_arrow.field("times").type) == "list<element: double>"
            assert str(file.schema_arrow.field("n").type) == "int64"
        found, _ = parquet.read_frame(tmp_path / name)
        expected = pd.concat([table for table in tables if len(table)], ignore_index=True)
        assert found["clip_id"].tolist() == expected["clip_id"].tolist()
        assert found["n"].isna().tolist() == expected["n"].isna().tolist()
        assert [list(each) for each in found["times"]] == expected["times"].tolist()


def test_nothing_joined_is_a_table_without_rows(tmp_path: Path) -> None:
    parquet.write_joined(tmp_path / "none.parquet", [], KINDS)
    found, _ = parquet.read_frame(tmp_path / "none.parquet")
    assert (list(found), len(found)) == (list(KINDS), 0)


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"no table")
    with pytest.raises(StoreError, match=r"bad\.parquet"):
        parquet.write_joined(tmp_path / "all.parquet", [tmp_path / "bad.parquet"], KINDS)
    assert not (tmp_path / "all.parquet").exists()
