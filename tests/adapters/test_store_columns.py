"""Columns of a log that several backends write and read at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from builders import PROJECT, a_comparison, a_row, an_annotation, task_key
from fakes import FakeClock
from review_copilot.analysis.table import table_of
from review_copilot.flows.columns import read_table, reading_of_log
from review_copilot.store import SqlStore, open_store

WRITERS = 3
EACH = 25


def test_no_reading_misses_what_was_written_before_it(
    store: SqlStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two backends write and read, parcels are parted all the time, and each reading holds what was acknowledged."""
    monkeypatch.setattr("review_copilot.store.parcels.PARCEL_ANNOTATIONS", 4)
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
