"""Samples of a workspace: what is drawn, what answers do, and what another run does to them."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

import pytest

from offhand.annotations.audits import FILE_NAME, Audit, CountItem, MemberItem
from offhand.annotations.edits import ClusterRef, Count, Mark, Split, Stretch, update_log
from offhand.errors import OffhandError, StoreError
from offhand.stages.audit import answer, assess, draw_audit, read_audit
from offhand.stages.audit_items import results
from offhand.store.workspace import Workspace
from tests.fixtures.audits import finished


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return finished(tmp_path / "out").path


def counts(audit: Audit) -> list[CountItem]:
    return [item for item in audit.items if isinstance(item, CountItem)]


def members(audit: Audit) -> list[MemberItem]:
    return [item for item in audit.items if isinstance(item, MemberItem)]


def add(out: Path, *edits: Count | Mark | Split) -> None:
    for edit in edits:
        update_log(out, lambda log, edit=edit: log.added(edit))


def ref(out: Path, label: int) -> ClusterRef:
    plain = ClusterRef(modality="late_fusion", clusterer="ward", label=label)
    found, _ = results(Workspace(out))
    edit = found.anchored(Mark(cluster=plain, status="hidden"))
    assert isinstance(edit, Mark)
    return edit.cluster


def test_all_that_can_be_checked_is_drawn(out: Path) -> None:
    audit = draw_audit(out, 1000)
    assert {one.stratum: one.size for one in audit.strata} == {
        "low confidence": 4,
        "middle confidence": 4,
        "high confidence": 4,
        "C0": 15,
        "C1": 3,
    }
    assert len(counts(audit)) == 12
    assert len(members(audit)) == 18
    assert all(item.stretch != item.exemplar for item in members(audit))
    low = [item for item in counts(audit) if item.stratum == "low confidence"]
    assert {item.stretch.clip_id for item in low} == {"a"}
    assert read_audit(out) == audit


def test_half_of_the_sample_is_counts(out: Path) -> None:
    audit = draw_audit(out, 15)
    assert (len(counts(audit)), len(members(audit))) == (8, 7)
    more = draw_audit(out, 28)
    assert (len(counts(more)), len(members(more))) == (12, 16)
    assert {item.id for item in audit.items} <= {item.id for item in more.items}


def test_any_first_part_is_spread_over_the_strata(out: Path) -> None:
    audit = draw_audit(out, 24)
    assert len({item.stratum for item in counts(audit)[:3]}) == 3
    assert len({item.stratum for item in counts(audit)[3:6]}) == 3


def test_the_seed_makes_the_draw_repeatable(out: Path, tmp_path: Path) -> None:
    twin = finished(tmp_path / "twin").path
    assert draw_audit(out, 10, seed=3) == draw_audit(twin, 10, seed=3)
    assert draw_audit(out, 10, seed=3) != draw_audit(out, 10, seed=4)


def test_draws_that_cannot_be(out: Path) -> None:
    with pytest.raises(OffhandError, match="a sample of 4 is too small: it takes 5 or more"):
        draw_audit(out, 4)
    with pytest.raises(OffhandError, match="no clusters of 'smell'; there are those of: ego_mot"):
        draw_audit(out, 10, modality="smell")
    with pytest.raises(OffhandError, match="no sample was drawn; draw one with: offhand audit"):
        read_audit(out)


def test_corrections_before_the_draw_are_part_of_it(out: Path) -> None:
    stretch = draw_audit(out, 30).items[0].stretch
    add(out, Count(stretch=stretch, count=3), Mark(cluster=ref(out, 1), status="hidden"))
    audit = draw_audit(out, 30)
    assert audit.n_edits == 2
    assert stretch not in [item.stretch for item in counts(audit)]
    assert {item.stratum for item in members(audit)} == {"C0"}


def test_corrections_after_the_draw_change_no_answer(out: Path) -> None:
    audit = draw_audit(out, 30)
    count, member = counts(audit)[0], members(audit)[0]
    answer(out, count.id, count.count + 2)
    audit = answer(out, member.id, "no")
    before = assess(out, audit)
    label = int(member.stratum.removeprefix("C"))
    add(
        out,
        Count(stretch=count.stretch, count=count.count + 2),
        Split(cluster=ref(out, label), segments=(member.stretch,)),
    )
    after = assess(out, audit)
    assert after.counts == before.counts
    assert after.members == before.members
    assert (after.counts.n_stale, after.members.n_stale) == (0, 0)


def test_error_rates(out: Path) -> None:
    audit = draw_audit(out, 30)
    for place, item in enumerate(counts(audit)):
        off = (0, 1, 2, 0, 0, 0, 0, 0, 0, 0)[place] if place < 10 else None
        value = "cannot tell" if off is None else item.count + off
        audit = answer(out, item.id, value)
    for item in members(audit):
        audit = answer(out, item.id, "no" if item.stratum == "C1" else "yes")
    found = assess(out, audit)
    assert found.counts.n_cannot_tell == 2
    assert found.counts.cannot_tell == pytest.approx(2 / 12)
    assert (found.counts.error.n_checked, found.counts.error.n_wrong) == (10, 1)
    sizes = {"low": 0, "middle": 0, "high": 0}
    for item in counts(audit)[:10]:
        sizes[item.stratum.split()[0]] += 1
    wrong = counts(audit)[2]
    expected = (4 / 12) / sizes[wrong.stratum.split()[0]]
    assert found.counts.error.rate == pytest.approx(expected)
    assert found.within_one == pytest.approx(1 - expected)
    assert found.exact < found.within_one
    assert 0 < found.relative_error < 0.1
    members_error = found.members.error  # a census
    assert members_error.rate == pytest.approx(3 / 18)
    assert members_error.low == pytest.approx(members_error.high)


def test_nothing_repeats_where_something_was_counted(out: Path) -> None:
    item = counts(draw_audit(out, 30))[0]
    found = assess(out, answer(out, item.id, 0))
    assert found.counts.error.rate == 1.0
    assert math.isnan(found.relative_error)
    back = answer(out, item.id, None)
    assert assess(out, back).counts.n_open == 12


def test_answers_that_are_none(out: Path) -> None:
    audit = draw_audit(out, 30)
    with pytest.raises(ValueError, match="'yes' is no answer: a whole number or 'cannot tell'"):
        answer(out, counts(audit)[0].id, "yes")
    with pytest.raises(ValueError, match="3 is no answer: 'yes', 'no' or 'cannot tell'"):
        answer(out, members(audit)[0].id, 3)
    for bad in (-1, 10**7, True):
        with pytest.raises(ValueError, match="is no answer"):
            answer(out, counts(audit)[0].id, bad)
    with pytest.raises(ValueError, match="no item nothing"):
        answer(out, "nothing", 1)
    assert read_audit(out) == audit


def test_another_run_makes_items_stale(out: Path) -> None:
    audit = draw_audit(out, 30)
    for item in counts(audit)[:4]:
        audit = answer(out, item.id, item.count)
    finished(out, more=1)
    found = assess(out, audit)
    assert (found.counts.n_stale, found.counts.n_open, found.counts.error.n_checked) == (12, 0, 0)
    assert found.members.n_stale == 0


def test_an_equal_run_makes_nothing_stale(out: Path) -> None:
    audit = draw_audit(out, 30)
    finished(out)
    assert assess(out, audit).counts.n_stale == 0


def test_drawing_again_keeps_answers(out: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = draw_audit(out, 10)
    answer(out, counts(first)[0].id, 7)
    answer(out, members(first)[0].id, "yes")
    assert {item.answer for item in draw_audit(out, 10).items} == {7, "yes", None}
    with pytest.raises(OffhandError, match=r"sample of 10 \(seed 0, late_fusion\) with 2 answers"):
        draw_audit(out, 20)
    assert len(read_audit(out).items) == 10
    more = draw_audit(out, 20, again=True)
    assert [item.answer for item in more.items if item.answer is not None] == [7, "yes"]
    with caplog.at_level(logging.WARNING):
        other = draw_audit(out, 20, modality="ego_motion", again=True)
    assert [item.answer for item in other.items if item.answer is not None] == [7]
    assert "1 answers dropped" in caplog.text


def test_an_answer_to_another_count_is_not_kept(out: Path) -> None:
    answer(out, counts(draw_audit(out, 10))[0].id, 7)
    finished(out, more=1)
    assert all(item.answer is None for item in draw_audit(out, 10).items)


def test_a_sample_without_answers_is_replaced(out: Path) -> None:
    draw_audit(out, 10)
    assert draw_audit(out, 12, seed=1).seed == 1


def test_damaged_files_say_what_to_do(out: Path) -> None:
    draw_audit(out, 10)
    path = out / FILE_NAME
    good = json.loads(path.read_text("utf-8"))
    twice = {**good, "items": [*good["items"], good["items"][0]]}
    for content, reason in (
        ("{", "cannot be read"),
        ("[]", "format None"),
        (json.dumps({**good, "format": 2}), "format 2, this offhand reads 1"),
        (json.dumps({**good, "n": 0}), r"damaged \(n: .*mend or move"),
        (json.dumps(twice), "an item is there twice"),
        (json.dumps({**good, "strata": good["strata"][1:]}), "strata do not fit"),
    ):
        path.write_text(content, "utf-8")
        with pytest.raises(StoreError, match=reason):
            read_audit(out)
        with pytest.raises(StoreError, match=reason):
            draw_audit(out, 10)
        assert path.read_text("utf-8") == content


def test_clusters_may_get_other_numbers(out: Path) -> None:
    from offhand.store import parquet

    audit = draw_audit(out, 30)
    workspace = Workspace(out)
    for name in ("labels", "exemplars"):
        table = workspace.table(name)
        table["label"] = table["label"].map({0: 1, 1: 0, -1: -1})
        parquet.write_frame(workspace.table_path(name), table)
    assert assess(out, audit).members.n_stale == 0
    moved = workspace.table("labels")
    item = members(audit)[0]
    at = (moved["clip_id"] == item.stretch.clip_id) & (
        moved["segment_id"] == int(item.stretch.start_s // 10)
    )
    moved.loc[at, "label"] = -1
    parquet.write_frame(workspace.table_path("labels"), moved)
    assert assess(out, audit).members.n_stale == 1


def test_a_cluster_without_a_medoid_has_a_segment_that_stands_for_it(out: Path) -> None:
    audit = draw_audit(out, 30)
    pair = tuple(item.stretch for item in members(audit) if item.stratum == "C0")[:2]
    assert all(isinstance(stretch, Stretch) for stretch in pair)
    add(out, Split(cluster=ref(out, 0), segments=pair))
    sizes = {one.stratum: one.size for one in draw_audit(out, 30).strata}
    assert (sizes["C0"], sizes["C2"]) == (13, 1)
