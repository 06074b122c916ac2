"""A backup taken from one database and read into another one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import PROJECT, a_comparison, a_review, a_suggestion, an_annotation, at, untouched
from fake_clock import FakeClock
from postgres import fresh_database
from review_copilot.compare import compare
from review_copilot.domain.draft_totals import Drafts
from review_copilot.errors import StoreError
from review_copilot.ports import ColumnChunk, Packing, Part, StoredPrediction, WebhookNotice
from review_copilot.store import SqlStore, backup, open_store, restore
from review_copilot.store.database import migrate
from study_log import drafts

KINDS = ("sqlite", "postgresql")


def a_url(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'log.db'}"
    return fresh_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, SqlStore]]:
    """A database with something in every table, of the kind that the test asks for (SQLite when it does not)."""
    (tmp_path / "from").mkdir()
    url = a_url(getattr(request, "param", "sqlite"), request, tmp_path / "from")
    store = open_store(url, clock=FakeClock())
    review = a_review("r1", a_suggestion("s1"))
    store.remember([review])
    store.remember_predictions(PROJECT, [StoredPrediction(5, 1, "v1", ("s1",))])
    store.append(compare(untouched(review), [review]))
    list(store.chunks(PROJECT, Packing("form", lambda _: ColumnChunk(b"c", b"r")), Part.ROWS))
    store.append(a_comparison(an_annotation(annotation_id=12, updated_at=None)))
    store.record_deletion(review.key, annotation_ids=[12])
    store.put(WebhookNotice(0, "i", 7, (1,), "ANNOTATION_CREATED"))
    store.move_bookmark(PROJECT, at(1))
    yield url, store
    store.close()


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("filled", KINDS, indirect=True)
def test_everything_comes_back_and_ids_go_on(
    request: pytest.FixtureRequest, filled: tuple[str, SqlStore], kind: str, name: str, tmp_path: Path
) -> None:
    """From either kind of database into either."""
    url, store = filled
    (tmp_path / "to").mkdir()
    target = a_url(kind, request, tmp_path / "to")
    counts = backup(url, tmp_path / name)
    assert counts["overrides"] == 3
    assert restore(tmp_path / name, target) == counts
    again = open_store(target, clock=FakeClock())
    key = an_annotation().key
    assert list(again.overrides(current=False)) == list(store.overrides(current=False))
    assert list(again.recall(key)) == list(store.recall(key))
    assert list(again.predictions_of(key)) == list(store.predictions_of(key))
    assert list(again.waiting()) == list(store.waiting())
    assert again.draft_totals(PROJECT) == store.draft_totals(PROJECT) == Drafts(tasks=1)
    assert (again.living(key), again.bookmark(PROJECT)) == (store.living(key), at(1))
    later = compare(untouched(a_review("r1"), content_hash="c2", updated_at=at(900)), [])
    assert again.append(later).revisions == 1
    assert again.put(WebhookNotice(0, "i", 7, (), "X")) > max(wake.id for wake in store.waiting())
    again.close()
    backup(target, tmp_path / "second.jsonl")


def test_a_backup_of_an_older_schema_tells_what_its_drafts_come_to(
    filled: tuple[str, SqlStore], tmp_path: Path
) -> None:
    url, store = filled
    store.remember(drafts(PROJECT))
    before = store.draft_totals(PROJECT)
    migrate(store.database, to="0009")
    backup(url, tmp_path / "log.jsonl")
    target = f"sqlite:///{tmp_path / 'new.db'}"
    restore(tmp_path / "log.jsonl", target)
    again = open_store(target, clock=FakeClock())
    assert again.draft_totals(PROJECT) == before
    assert before.without == 4
    again.close()


def test_a_database_that_holds_something_is_not_overwritten(filled: tuple[str, SqlStore], tmp_path: Path) -> None:
    url, store = filled
    backup(url, tmp_path / "log.jsonl")
    with pytest.raises(StoreError, match="not empty"):
        restore(tmp_path / "log.jsonl", url)
    assert len(list(store.overrides())) == 3


@pytest.mark.parametrize("kept", [0, 1, 3, -1])
def test_a_file_that_was_cut_off_restores_nothing(filled: tuple[str, SqlStore], kept: int, tmp_path: Path) -> None:
    url, _ = filled
    backup(url, tmp_path / "log.jsonl")
    lines = (tmp_path / "log.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_text("".join(lines[:kept]))
    target = f"sqlite:///{tmp_path / 'new.db'}"
    with pytest.raises(StoreError, match="truncated"):
        restore(tmp_path / "cut.jsonl", target)
    restore(tmp_path / "log.jsonl", target)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps({"format": "something else"}).encode(), "cannot read the backup"),
        (b"[1]", "is not a backup"),
        (gzip.compress(b"{}"), "cannot be read"),
    ],
)
def test_another_file_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(StoreError, match=words):
        restore(tmp_path / "x.jsonl", f"sqlite:///{tmp_path / 'new.db'}")


def test_a_packed_file_that_was_cut_off_restores_nothing(filled: tuple[str, SqlStore], tmp_path: Path) -> None:
    backup(filled[0], tmp_path / "log.jsonl.gz")
    whole = (tmp_path / "log.jsonl.gz").read_bytes()
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="truncated"):
        restore(tmp_path / "cut.jsonl.gz", f"sqlite:///{tmp_path / 'new.db'}")


def test_a_folder_that_is_not_there_is_said(filled: tuple[str, SqlStore], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Cannot write the backup"):
        backup(filled[0], tmp_path / "nowhere" / "log.jsonl")


def test_a_database_without_a_log_has_no_backup(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no override log"):
        backup(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path / "log.jsonl")
    assert not (tmp_path / "log.jsonl").exists()
