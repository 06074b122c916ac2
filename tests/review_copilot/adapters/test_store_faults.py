"""The database under faults around it: a killed migration, a disk without rights, a file system without WAL."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import sqlalchemy as sa

from builders import PROJECT, a_review, a_suggestion, task_key, untouched
from fake_clock import FakeClock
from review_copilot.compare import compare
from review_copilot.errors import StoreError
from review_copilot.store import SqlStore, open_store
from review_copilot.store.database import known_revisions, migrate

OLDER = "0009"
"""The schema of an earlier release, several migrations ago."""
NOBODY = 65534
START = """
import sys
from review_copilot.bootstrap.reviewing import SystemClock
from review_copilot.store import open_store
print("ready", flush=True)
open_store(sys.argv[1], clock=SystemClock()).close()
"""


def fill(store: SqlStore, *, tasks: int) -> None:
    for number in range(1, tasks + 1):
        review = a_review(f"r{number}", a_suggestion(f"s{number}"), key=task_key(number))
        store.remember([review])
        store.append(compare(untouched(review, key=review.key, annotation_id=number), [review]))


def start_and_kill(url: str, *, after_s: float) -> None:
    """Start a process that opens the database, and so migrates it, and kill it in the middle."""
    with subprocess.Popen([sys.executable, "-c", START, url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)


def test_a_migration_that_is_killed_is_completed_by_the_next_start(store: SqlStore, url: str) -> None:
    fill(store, tasks=40)
    rows = list(store.overrides(current=False))
    migrate(store.database, to=OLDER)
    for after_s in (0.0, 0.05, 0.1, 0.2):
        start_and_kill(url, after_s=after_s)
        with store.database.reading() as connection:
            revision = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        assert revision in known_revisions()
    again = open_store(url, clock=FakeClock())
    assert list(again.overrides(current=False)) == rows
    assert again.draft_totals(PROJECT).tasks == 40
    again.close()


def test_a_file_system_without_shared_memory_loses_nothing(tmp_path: Path) -> None:
    """SQLite cannot use WAL there, as on network drives, and keeps a rollback journal instead."""
    url = f"sqlite:///file:{tmp_path}/log.db?vfs=unix-dotfile&uri=true"
    first, second = open_store(url, clock=FakeClock()), open_store(url, clock=FakeClock())
    with first.database.reading() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "delete"
    reviews = [a_review(f"r{number}", a_suggestion(f"s{number}"), key=task_key(number)) for number in range(1, 31)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: pair[0].remember(pair[1]), [(first, reviews[:20]), (second, reviews[10:])]))
    assert first.draft_totals(PROJECT).tasks == second.draft_totals(PROJECT).tasks == 30
    first.close()
    second.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def _open_without_rights(url: str, sender: Connection) -> None:
    if os.getuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        store = open_store(url, clock=FakeClock())
        store.remember([a_review("r9", key=task_key(9))])
        sender.send(("", ""))
    except StoreError as error:
        sender.send((error.public, error.hint))


@pytest.mark.parametrize("existing", [True, False], ids=["existing database", "new database"])
def test_a_disk_that_cannot_be_written_is_one_sentence(open_folder: Path, *, existing: bool) -> None:
    url = f"sqlite:///{open_folder}/log.db"
    if existing:
        made = open_store(url, clock=FakeClock())
        fill(made, tasks=1)
        made.close()
        (open_folder / "log.db").chmod(0o444)
    open_folder.chmod(0o555)
    receiver, sender = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(target=_open_without_rights, args=(url, sender))
    process.start()
    assert receiver.poll(30)
    public, hint = receiver.recv()
    process.join(30)
    assert public in {"The database is read-only.", "The database file cannot be opened."}
    assert "write permission" in hint or "writable" in hint
