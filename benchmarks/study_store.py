"""A SQLite log of any size for the benchmarks of the study: one simulated project, written once and copied by SQL."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import importable  # noqa: F401  # first: the folders that the next imports need
from fake_clock import FakeClock
from review_copilot.store import open_store
from study_log import drafts, fill
from study_rows import PROJECT
from study_world import Plan

__all__ = ["PROJECT", "kept_bytes", "touch_one", "write_drafts", "write_log"]


def write_log(file: Path, plan: Plan, *, rows: int) -> int:
    """Write a log of at least so many override rows; returns how many they are.

    The project goes through the store as a sweep would bring it. Its tasks, annotations and suggestions are then copied
    under new numbers, which is what a longer project of the same kind would hold.
    """
    store = open_store(f"sqlite:///{file}", clock=FakeClock())
    fill(store, [plan], project=PROJECT)
    store.close()
    database = sqlite3.connect(file)
    database.execute("PRAGMA synchronous=OFF")  # nobody waits for a benchmark's disk
    spans = {table: _greatest(database, table, "id") for table in ("annotations", "revisions", "overrides")}
    tasks, annotations = (_greatest(database, "annotations", column) for column in ("task_id", "annotation_id"))
    for copy in range(1, -(-rows // spans["overrides"])):
        _copy(database, "annotations", spans["annotations"],
              id=f"id + {copy * spans['annotations']}",
              task_id=f"task_id + {copy * tasks}",
              annotation_id=f"annotation_id + {copy * annotations}")  # fmt: skip
        _copy(database, "revisions", spans["revisions"],
              id=f"id + {copy * spans['revisions']}",
              annotation_ref=f"annotation_ref + {copy * spans['annotations']}")  # fmt: skip
        _copy(database, "overrides", spans["overrides"],
              id=f"id + {copy * spans['overrides']}",
              revision_ref=f"revision_ref + {copy * spans['revisions']}",
              suggestion_id=f"CASE WHEN suggestion_id = '' THEN '' ELSE suggestion_id || '-{copy}' END")  # fmt: skip
        database.commit()
    written = _greatest(database, "overrides", "id")
    database.close()
    return written


def write_drafts(file: Path, *, least: int) -> int:
    """Add whole-image reviews to a log, at least so many, one a task and four of five without a suggestion shown.

    Five go through the store and are copied under new numbers, without their payloads, which no report reads.
    """
    store = open_store(f"sqlite:///{file}", clock=FakeClock())
    made = drafts(PROJECT)
    store.remember(made)
    store.close()
    database = sqlite3.connect(file)
    database.execute("PRAGMA synchronous=OFF")
    shift = f"{len(made)} * n"
    copies = -(-least // len(made)) - 1
    _copy_often(database, "reviews", copies, id=f"id + {shift}", task_id=f"task_id + {shift}",
                review_id="review_id || '-' || n", payload="'{}'")  # fmt: skip
    _copy_often(database, "draft_facts", copies, review_ref=f"review_ref + {shift}", task_id=f"task_id + {shift}")
    database.commit()
    (written,) = database.execute("SELECT count(*) FROM draft_facts").fetchone()
    database.close()
    return int(written)


def touch_one(file: Path) -> None:
    """Note that the first annotation's task was written to, as every write does."""
    with sqlite3.connect(file) as database:
        database.execute(
            "INSERT INTO touched_tasks (project_ref, task_id) SELECT project_ref, task_id FROM annotations WHERE id = 1"
        )
    database.close()


def kept_bytes(file: Path) -> int:
    """Bytes of packed rows and sums."""
    database = sqlite3.connect(file)
    (found,) = database.execute("SELECT sum(length(counts) + length(rows)) FROM parcels").fetchone()
    database.close()
    return int(found)


def _greatest(database: sqlite3.Connection, table: str, column: str) -> int:
    (found,) = database.execute(f"SELECT max({column}) FROM {table}").fetchone()  # noqa: S608  # names of our own
    return int(found)


def _copy_often(database: sqlite3.Connection, table: str, copies: int, **changed: str) -> None:
    """Insert all rows of a table again, with some columns changed by `n`, the number of the copy from 1."""
    names = [name for _, name, *_ in database.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(name, name) for name in names)
    database.execute(
        f"WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {copies}) "  # noqa: S608
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table}, copy ORDER BY n"
    )


def _copy(database: sqlite3.Connection, table: str, first_rows: int, **changed: str) -> None:
    """Insert the table's first rows again, with some columns changed."""
    names = [name for _, name, *_ in database.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(name, name) for name in names)
    database.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} WHERE id <= {first_rows}"  # noqa: S608
    )
