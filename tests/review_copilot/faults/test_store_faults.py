"""The database's process, disk and server fail in mid-work: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from builders import at
from fake_clock import FakeClock
from postgres import Postgres, running_postgres
from review_copilot.errors import StoreBusy, StoreError
from review_copilot.store import SqlStore, open_store
from store_ledger import comparison, written

WRITER = Path(__file__).parents[2] / "support" / "store_writer.py"
MANY = 100_000


def start_writer(url: str, *, first: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), url, str(first), str(first + MANY)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def kill_after(writer: subprocess.Popen[str], *, lines: int, pause_s: float) -> frozenset[int]:
    """Read some acknowledgements, wait a little, kill without grace; returns all that was acknowledged."""
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(lines)]
    time.sleep(pause_s)
    writer.kill()
    acknowledged += writer.stdout.read().splitlines(keepends=True)
    writer.stdout.close()
    writer.wait()
    return frozenset(int(line) for line in acknowledged if line.endswith("\n"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_writers_killed_in_mid_sentence(store: SqlStore, url: str, seed: int) -> None:
    """Each lost at most the one append that nobody was told of; writing all again adds just what was missing."""
    random = Random(seed)
    writers = [start_writer(url, first=first) for first in (0, MANY)]
    told = [kill_after(writer, lines=random.randint(1, 8), pause_s=random.random() / 20) for writer in writers]
    acknowledged = told[0] | told[1]
    held = written(store)
    assert acknowledged <= held
    assert len(held - acknowledged) <= len(writers)
    assert {wake.task_ids[0] for wake in store.waiting(limit=MANY)} >= held
    wanted = range(max(told[0]) + 3)
    added = sum(store.append(comparison(annotation_id)).revisions for annotation_id in wanted)
    assert added == len(set(wanted) - held)
    assert written(store) == held | set(wanted)


def test_a_full_disk_loses_nothing_that_was_written(tmp_path: Path) -> None:
    """SQLite's own limit on pages gives the very error of a full disk."""
    store = open_store(f"sqlite:///{tmp_path / 'log.db'}", clock=FakeClock())
    with store.database.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    limit = {"pages": pages + 40}

    def keep_small(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {limit['pages']}")

    sa.event.listen(store.database.engine, "begin", keep_small, insert=True)
    acknowledged = set()

    def fill() -> None:
        for annotation_id in range(MANY):
            store.append(comparison(annotation_id))
            acknowledged.add(annotation_id)

    with pytest.raises(StoreError, match="disk is full"):
        fill()
    assert written(store) == acknowledged
    limit["pages"] = 2**30
    missing = len(acknowledged)
    assert store.append(comparison(missing)).revisions == 1
    assert written(store) == acknowledged | {missing}
    store.close()


def test_postgres_restarted_under_an_open_store(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What comes meanwhile is refused as busy, to be tried again; nothing has to be reopened."""
    server: Postgres
    with running_postgres(tmp_path_factory.mktemp("restarted")) as server:
        store = open_store(server.url, clock=FakeClock())
        store.append(comparison(1))
        server.stop()
        with pytest.raises(StoreBusy) as caught:
            store.append(comparison(2))
        assert caught.value.retryable
        server.start()
        for annotation_id in (1, 2, 3):
            store.append(comparison(annotation_id))
        assert written(store) == {1, 2, 3}
        store.close()


def test_a_clock_that_steps_back_changes_no_order(store: SqlStore) -> None:
    clock = FakeClock(at(1000))
    stepping = SqlStore(store.database, clock=clock)
    for annotation_id, now in ((1, 1000), (2, 10), (3, 500)):
        clock.time = at(now)
        stepping.append(comparison(annotation_id))
        stepping.record_deletion(comparison(annotation_id).annotation.key, annotation_ids=[annotation_id])
        stepping.append(comparison(annotation_id))
    assert [row.annotation_id for row in stepping.overrides()] == [1] * 5 + [2] * 5 + [3] * 5
    assert written(stepping) == {1, 2, 3}
