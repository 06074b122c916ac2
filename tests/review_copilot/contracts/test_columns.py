"""What every store must do with columns of the log: say what its rows say, whatever happened in between."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from builders import OTHER, PROJECT, a_comparison, a_provenance, a_row, an_annotation, at, task_key
from review_copilot.domain.geometry import Box
from review_copilot.domain.log_columns import LogColumns
from review_copilot.domain.override import Aspect, Comparison, Override, OverrideKind, Reason, Subject
from review_copilot.flows.packed_log import PACKING
from review_copilot.ports import ColumnChunk, Packing, Part, Store
from review_copilot.study.joining import WORDS, pack_table, unpack_table
from review_copilot.study.table import TYPES, OverrideTable, table_of
from study_log import read_table


@pytest.fixture(autouse=True)
def _small_parcels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few annotations make several chunks, and grow out of them; who forgets waits not long for who reads."""
    monkeypatch.setattr("review_copilot.store.column_chunks.PARCEL_ANNOTATIONS", 3)
    monkeypatch.setattr("review_copilot.store.database.BUSY_TIMEOUT_MS", 500)


def said(table: OverrideTable) -> dict[str, object]:
    """Everything that a table holds; suggestions are numbered by the row that they come first in."""
    suggestion = np.full(len(table), -1)
    known = np.flatnonzero(table.suggestion >= 0)
    _, first, of = np.unique(table.suggestion[known], return_index=True, return_inverse=True)
    suggestion[known] = table.row[known][first][of] if len(known) else 0
    columns = {name: np.nan_to_num(getattr(table, name), nan=-9.0).tolist() for name in (*TYPES, "box")}
    return columns | {"suggestion": suggestion.tolist()} | {name: getattr(table, name) for name in WORDS}


def same(store: Store) -> bool:
    """Whether columns say what rows say, for both projects."""
    return all(said(read_table(store, p)) == said(table_of(store.overrides(project=p))) for p in (PROJECT, OTHER))


def anything(rng: random.Random) -> Override:
    """A row of any kind, with anything known or unknown."""
    suggested = rng.random() < 0.7
    return a_row(
        rng.choice(list(OverrideKind)),
        subject=rng.choice([Subject.REGION, Subject.REGION, Subject.VERDICT, Subject.FEEDBACK]),
        suggestion_id=rng.choice(["s1", "s2"]) if suggested else "",
        criterion_from=rng.choice(["PQ-01", "PQ-02"]) if suggested else "",
        criterion_to=rng.choice(["PQ-01", "PQ-03", ""]),
        severity_from=rng.choice(["minor", "fail", ""]),
        severity_to=rng.choice(["major", "pass", ""]),
        text_to=rng.choice(["", "a halo", "moiré 🙂"]),
        note=rng.choice(["", "a halo", "no rule for it"]),
        edits=tuple(rng.sample(list(Aspect), rng.randrange(3))),
        reasons=tuple(rng.sample([str(r) for r in Reason] + ["conflict"], rng.randrange(3))),
        score=rng.choice([None, 0.25, 1.0]),
        iou=rng.choice([None, 0.5]),
        text_similarity=rng.choice([None, 1.0]),
        box_to=rng.choice([None, Box(0.1, 0.25, 0.5, 1.25)]),
    )


def a_reading(rng: random.Random) -> Comparison:
    """One annotation of a dozen as it may be read at any time: old, new, again, unsure."""
    number, project = rng.randrange(1, 13), rng.choice([PROJECT, PROJECT, OTHER])
    when = rng.choice([None, at(rng.randrange(10))])
    annotation = an_annotation(
        annotation_id=number,
        key=task_key(number // 2, project=project),
        content_hash=f"c{rng.randrange(3)}",
        author=rng.choice(["3", "4", "5", ""]),
        editor=rng.choice(["", "4"]),
        updated_at=when,
    )
    annotation = replace(annotation, created_at=rng.choice([annotation.created_at, None]))
    made = a_comparison(annotation, [anything(rng) for _ in range(rng.randrange(4))], confirmed=rng.random() < 0.8)
    return replace(made, provenance=rng.choice([None, a_provenance()]), exposure=rng.choice(["shown", "withheld", ""]))


def happen(store: Store, rng: random.Random) -> None:
    """One thing that happens to a log."""
    what = rng.random()
    key = task_key(rng.randrange(7))
    if what < 0.15:
        store.record_deletion(key)
    elif what < 0.25:
        store.record_deletion(key, annotation_ids=[rng.randrange(1, 13)])
    elif what < 0.3:
        store.forget(rng.choice(["3", "4", "5"]))
    else:
        store.append_all([a_reading(rng) for _ in range(rng.randrange(1, 4))], surely_newest=rng.random() < 0.2)


@pytest.mark.parametrize("seed", range(2))
def test_columns_say_what_rows_say_whatever_happens(store: Store, seed: int) -> None:
    """Edits out of order, deletions, forgotten people; columns are read again and again in between."""
    rng = random.Random(seed)
    assert same(store)
    for _ in range(30):
        happen(store, rng)
        if rng.random() < 0.5:
            assert same(store)
    assert same(store)
    assert len(read_table(store, PROJECT))


def test_what_is_packed_comes_back(store: Store) -> None:
    rng = random.Random(9)
    store.append_all([a_reading(rng) for _ in range(30)])
    table = table_of(store.overrides(project=PROJECT))
    assert said(unpack_table(pack_table(table))) == said(table)
    assert said(unpack_table(pack_table(table_of(())))) == said(table_of(()))


def test_a_form_that_changed_is_packed_again(store: Store) -> None:
    store.append(a_comparison(an_annotation(), [a_row()]))
    packings = [Packing(form, lambda _, f=form: ColumnChunk(f.encode(), b"")) for form in ("old", "new")]  # type: ignore[misc]
    assert [list(store.chunks(PROJECT, p, Part.COUNTS)) for p in packings] == [[b"old"], [b"new"]]


def disturbed(store: Store, disturb: Callable[[], object]) -> Packing:
    """The usual packing, but the first time something happens between reading the rows and keeping what is packed."""
    waiting = [disturb]

    def pack(columns: LogColumns) -> ColumnChunk:
        chunk = PACKING.pack(columns)
        if waiting:
            waiting.pop()()
        return chunk

    return Packing(PACKING.form, pack)


@pytest.mark.parametrize("kept_before", [False, True])
def test_what_is_written_while_rows_are_packed_is_in_the_next_reading(store: Store, *, kept_before: bool) -> None:
    """Also if somebody else read it, and kept it, before the slower one wants to keep what is old by now."""
    if kept_before:
        read_table(store, PROJECT)
    store.append(a_comparison(an_annotation(annotation_id=1), [a_row(note="first")]))

    def write_and_read() -> None:
        store.append(a_comparison(an_annotation(annotation_id=2), [a_row(note="second")]))
        read_table(store, PROJECT)

    list(store.chunks(PROJECT, disturbed(store, write_and_read), Part.ROWS))
    store.append(a_comparison(an_annotation(annotation_id=3, key=task_key(99)), [a_row(note="third")]))
    for write in (
        lambda: store.append(a_comparison(an_annotation(annotation_id=4), [a_row(note="fourth")])),
        lambda: store.record_deletion(task_key(99)),
        lambda: store.forget("3"),
    ):
        store.append(a_comparison(an_annotation(annotation_id=5), [a_row(note=f"fifth {write}")]))
        list(store.chunks(PROJECT, disturbed(store, write), Part.ROWS))
        assert same(store)
    assert {"first", "second", "fourth"} < set(read_table(store, PROJECT).notes) - {"third"}


def test_a_parcel_that_is_parted_while_it_is_packed_is_not_kept_whole(store: Store) -> None:
    """Else the tasks that went to the new chunk would be counted twice."""
    store.append(a_comparison(an_annotation(annotation_id=1, key=task_key(1)), [a_row()]))
    read_table(store, PROJECT)
    store.append(a_comparison(an_annotation(annotation_id=2, key=task_key(2)), [a_row()]))

    def grow_and_read() -> None:
        store.append_all(a_comparison(an_annotation(annotation_id=n, key=task_key(n)), [a_row()]) for n in range(3, 20))
        read_table(store, PROJECT)

    list(store.chunks(PROJECT, disturbed(store, grow_and_read), Part.ROWS))
    assert same(store)
    assert len(read_table(store, PROJECT)) == 19
