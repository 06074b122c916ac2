"""Columns of a log that several backends write and read at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from builders import PROJECT, a_comparison, a_row, an_annotation, task_key
from fake_clock import FakeClock
from review_copilot.domain.log_columns import LogColumns
from review_copilot.flows.packed_log import PACKING, pack_log, reading_of_log
from review_copilot.ports import ColumnChunk, Packing, Part
from review_copilot.store import SqlStore, open_store
from review_copilot.study.joining import unpack_table
from review_copilot.study.study_counts import unpack_counts
from review_copilot.study.table import table_of
from study_log import read_table

WRITERS = 3
EACH = 25


def test_no_reading_misses_what_was_written_before_it(
    store: SqlStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two backends write and read, chunks are parted all the time, and each reading holds what was acknowledged."""
    monkeypatch.setattr("review_copilot.store.column_chunks.PARCEL_ANNOTATIONS", 4)
    other = open_store(url, clock=FakeClock())
    written: list[int] = []
    missed: list[tuple[int, int]] = []
    done = threading.Event()

    def write(writer: int) -> None:
        backend = (store, other)[writer % 2]
        for number in range(EACH):
            annotation = 1 + writer + WRITERS * number
            reading = an_annotation(annotation_id=annotation, key=task_key(annotation // 2))
            backend.append(a_comparison(reading, [a_row(note=str(annotation))]))
            written.append(annotation)

    def read(backend: SqlStore) -> int:
        times = 0
        while not done.is_set() or not times:
            before = len(written)
            rows = len(read_table(backend, PROJECT))
            counted = reading_of_log(backend, PROJECT).counts().rows
            if min(rows, counted) < before:
                missed.append((before, min(rows, counted)))
            times += 1
        return times

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(read, backend) for backend in (store, other)]
        writers = [pool.submit(write, writer) for writer in range(WRITERS)]
        for writer in writers:
            writer.result()
        done.set()
        assert all(reader.result() for reader in readers)
    assert missed == []
    found, wanted = read_table(other, PROJECT), table_of(store.overrides(project=PROJECT))
    assert found.row.tolist() == wanted.row.tolist()
    assert len(found) == WRITERS * EACH
    other.close()


def test_only_what_was_written_to_is_packed_again(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing after a reading that changed nothing, and one chunk of many after one write."""
    monkeypatch.setattr("review_copilot.store.column_chunks.PARCEL_ANNOTATIONS", 4)
    packed: list[list[int]] = []

    def pack(columns: LogColumns) -> ColumnChunk:
        packed.append(sorted(set(columns.task_id)))
        return PACKING.pack(columns)

    packing = Packing(PACKING.form, pack)
    store.append_all(a_comparison(an_annotation(annotation_id=n, key=task_key(n)), [a_row()]) for n in range(1, 21))
    pack_log(store, PROJECT)
    assert sum(len(unpack_table(rows)) for rows in store.chunks(PROJECT, packing, Part.ROWS)) == 20
    assert packed == []
    store.append(a_comparison(an_annotation(annotation_id=6, key=task_key(6), content_hash="c2"), [a_row()]))
    assert sum(unpack_counts(counts).rows for counts in store.chunks(PROJECT, packing, Part.COUNTS)) == 20
    assert packed == [[5, 6, 7, 8]]


def test_a_database_that_cannot_be_written_is_read_all_the_same(tmp_path: Path) -> None:
    """A copy on a read-only disk, say: nothing is kept of it, and the numbers are right."""
    url = f"sqlite:///{tmp_path / 'log.db'}"
    writer = open_store(url, clock=FakeClock())
    writer.append(a_comparison(an_annotation(), [a_row()]))
    with writer.database.writing() as connection:
        connection.execute(sa.text("CREATE TRIGGER full BEFORE INSERT ON parcels BEGIN SELECT RAISE(ABORT, 'no'); END"))
    assert len(read_table(writer, PROJECT)) == 1
    assert reading_of_log(writer, PROJECT).counts().rows == 1
    writer.close()
