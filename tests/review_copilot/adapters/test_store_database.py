"""The database itself: migrations both ways, several writers at once, and errors that say what to do."""

from __future__ import annotations

import math
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from builders import PROJECT, a_comparison, a_review, a_suggestion, a_task, an_annotation, at, task_key, untouched
from fake_clock import FakeClock
from review_copilot.compare import compare
from review_copilot.domain.geometry import Box
from review_copilot.domain.override import Override, OverrideKind, Subject
from review_copilot.domain.review import Exposure, TaskKey
from review_copilot.domain.reviewed_crops import ReviewedCrops
from review_copilot.domain.setup import ProjectSetup
from review_copilot.domain.suggestion import Usage
from review_copilot.errors import StoreBusy, StoreError
from review_copilot.ports import ColumnChunk, Packing, Part, StoredPrediction, SweepPoint, WebhookNotice
from review_copilot.store import SqlStore, SqlWebhookSecrets, open_store, schema
from review_copilot.store.database import migrate
from review_copilot.store.database_breaker import DatabaseBreaker
from review_copilot.store.postgres_limits import DailyBudget, DatabaseReplyCache
from review_copilot.store.schema import metadata
from study_log import drafts


def fill(store: SqlStore) -> None:
    """At least one row in every table."""
    review = a_review("r1", a_suggestion("s1"))
    store.remember([review])
    store.remember_predictions(PROJECT, [StoredPrediction(5, 1, "v1", ("s1",))])
    store.append(compare(untouched(review), [review]))
    list(store.chunks(PROJECT, Packing("form", lambda _: ColumnChunk(b"c", b"r")), Part.ROWS))
    store.append(a_comparison(an_annotation(annotation_id=12)))
    store.record_deletion(review.key, annotation_ids=[12])
    store.keep_reviewed_crops(PROJECT, ReviewedCrops(made_at=at(0)))
    store.store_setup(PROJECT, ProjectSetup("photo-quality", "title: Photos\n", "0123456789ab", "builtin"))
    store.rollout(PROJECT, guideline_id="photo-quality", model_version="9f2c1a77aa01")
    store.put(WebhookNotice(0, "i", 7, (1,), "ANNOTATION_CREATED"))
    store.move_bookmark(PROJECT, at(0))
    store.mark_new_tasks(PROJECT, at(0))
    store.keep_sweep(PROJECT, SweepPoint(since=None, up_to=at(0), after=3))
    store.record_deletion(TaskKey(PROJECT, 99))
    store.add_pending([a_task()], rollout="photo-quality r1 9f2c1a", due_in_s=0)
    with store.database.writing() as connection:
        project = connection.scalar(sa.select(schema.projects.c.id).limit(1))
        connection.execute(sa.insert(schema.projects_without_setup), {"project_ref": project})
    SqlWebhookSecrets(store.database, clock=FakeClock()).add_webhook_secret("i", 7, "0" * 64)
    DatabaseReplyCache(store.database, clock=FakeClock()).put("reply-00", "{}")
    DailyBudget(store.database, limit_usd=1.0, clock=FakeClock()).reserve(0.1)
    DatabaseBreaker(store.database, endpoint="e", clock=FakeClock()).failed("HTTP 500.", final=False)


def tables(store: SqlStore) -> set[str]:
    return set(sa.inspect(store.database.engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_what_the_code_expects(store: SqlStore) -> None:
    with store.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_filled_database_goes_down_and_up_again(store: SqlStore) -> None:
    fill(store)
    with store.database.reading() as connection:
        for table in metadata.sorted_tables:
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)), table.name
    migrate(store.database, to="base")
    assert tables(store) == set()
    migrate(store.database)
    fill(store)
    assert len(list(store.overrides())) == 3


def test_the_log_survives_each_step_down_and_up(store: SqlStore) -> None:
    """Through the oldest schema and back, the log says the same."""
    fill(store)
    before = list(store.overrides(current=False))
    steps = ScriptDirectory(str(files("review_copilot.store") / "migrations"))
    older = [step.revision for step in steps.walk_revisions()][1:]
    for revision in [*older, *older[::-1], "head"]:
        migrate(store.database, to=revision)
    assert list(store.overrides(current=False)) == before
    assert before


def test_what_drafts_come_to_is_made_of_drafts_of_an_older_schema(store: SqlStore) -> None:
    """All exposures, all usages, errors with every character, more than are read at once, and none of Magic's."""
    kinds = [replace(review, error='NUL \x00, \ud83d, "quotes"') for review in drafts(PROJECT)]
    usages = [None, Usage(), Usage(calls=10**30, cost_usd=math.inf), Usage(cost_usd=math.nan)]
    odd = [replace(a_review(f"u{n}", key=task_key(50 + n)), usage=usage) for n, usage in enumerate(usages)]
    many = [a_review(f"m{n}", a_suggestion(), key=task_key(100 + n)) for n in range(600)]
    boxed = a_review("box", key=task_key(99), exposure=Exposure.OFFERED, box=Box(0, 0, 0.5, 0.5))
    store.remember([*kinds, boxed, *odd, *many])
    facts = sa.select(schema.draft_facts).order_by(schema.draft_facts.c.review_ref)
    with store.database.reading() as connection:
        before = connection.execute(facts).all()
    migrate(store.database, to="0009")
    assert "draft_facts" not in tables(store)
    migrate(store.database)
    with store.database.reading() as connection:
        assert connection.execute(facts).all() == before
    assert len(before) == 609
    assert store.draft_totals(PROJECT).tasks == 609


def test_opening_again_keeps_what_is_there(store: SqlStore, url: str) -> None:
    fill(store)
    again = open_store(url, clock=FakeClock())
    assert list(again.overrides(current=False)) == list(store.overrides(current=False))
    again.close()


def test_several_processes_may_open_a_new_database_at_once(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(url, clock=FakeClock()), range(4)))
    assert all(store.bookmark(PROJECT) is None for store in stores)
    for store in stores:
        store.close()


def test_a_database_of_a_newer_release_is_refused(store: SqlStore, url: str) -> None:
    with store.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"9999.*newer release"):
        open_store(url, clock=FakeClock())


def test_writers_at_once_lose_nothing_and_write_nothing_twice(store: SqlStore) -> None:
    """Eight writers push the same forty revisions of four annotations, each in an order of its own."""
    comparisons = [
        a_comparison(
            an_annotation(annotation_id=annotation, content_hash=f"c{number}", updated_at=at(number)),
            [Override(subject=Subject.REGION, kind=OverrideKind.ADDED, note=f"{annotation}/{number}")],
        )
        for annotation in range(1, 5)
        for number in range(10)
    ]

    def push(writer: int) -> int:
        turned = comparisons[writer * 5 :] + comparisons[: writer * 5]
        return sum(store.append(comparison).revisions for comparison in turned)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(push, range(8))) == len(comparisons)
    notes = [row.override.note for row in store.overrides(current=False)]
    assert sorted(notes) == sorted(c.overrides[0].note for c in comparisons)
    assert sorted(row.override.note for row in store.overrides()) == [f"{annotation}/9" for annotation in range(1, 5)]


def test_errands_are_shared_out_among_processes_and_none_is_taken_twice(store: SqlStore, url: str) -> None:
    """Two backends behind one address, each with connections of its own, work one backlog off."""
    tasks = [a_task(number) for number in range(1, 201)]
    store.add_pending(tasks, rollout="r", due_in_s=0)
    other = open_store(url, clock=FakeClock())

    def take(backend: SqlStore) -> list[int]:
        taken: list[int] = []
        while claimed := backend.claim(limit=7, lease_s=60):
            taken += [pending_draft.key.task_id for pending_draft in claimed]
        return taken

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(take, [store, other, store, other]))
    assert sorted(task_id for share in shares for task_id in share) == list(range(1, 201))
    other.close()


def test_a_long_log_is_read_page_by_page(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review_copilot.store.sql_store.PAGE_ROWS", 3)
    row = Override(subject=Subject.REGION, kind=OverrideKind.ADDED)
    store.append(a_comparison(an_annotation(), [replace(row, note=str(n)) for n in range(7)]))
    assert [row.override.note for row in store.overrides()] == [str(n) for n in range(7)]


def test_sqlite_is_kept_durable(tmp_path: Path) -> None:
    """WAL with synchronous FULL (2): what was acknowledged is on disk."""
    store = open_store(f"sqlite:///{tmp_path / 'log.db'}", clock=FakeClock())
    with store.database.writing() as connection:
        pragmas = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    store.close()
    assert pragmas == ["wal", 2]


def test_a_locked_database_is_busy_and_may_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review_copilot.store.database.BUSY_TIMEOUT_MS", 50)
    store = open_store(f"sqlite:///{tmp_path / 'log.db'}", clock=FakeClock())
    other = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy) as caught:
        store.move_bookmark(PROJECT, at(0))
    assert caught.value.retryable
    other.execute("ROLLBACK")
    other.close()
    store.move_bookmark(PROJECT, at(0))
    store.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("not a url", "is not valid"),
        ("oracle9://x", "is not valid"),
        ("sqlite:////nowhere/at/all/log.db", "cannot be opened"),
        ("postgresql://u@127.0.0.1:1/x", "cannot be reached"),
    ],
)
def test_a_wrong_url_is_told_in_words(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        open_store(url, clock=FakeClock())


def test_events_that_come_at_once_each_get_their_own_id(store: SqlStore) -> None:
    """They share commits, and none is lost or mixed up."""
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(lambda n: store.put(WebhookNotice(0, "i", 7, (n,), "ANNOTATION_CREATED")), range(200)))
    assert {wake.id: wake.task_ids for wake in store.waiting()} == {ids[n]: (n,) for n in range(200)}
