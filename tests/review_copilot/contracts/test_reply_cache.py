"""All reply caches keep their word."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fake_clock import FakeClock
from postgres import fresh_database
from review_copilot.inspectors.reply_cache import FolderReplyCache, MemoryReplyCache
from review_copilot.ports import ReplyCache
from review_copilot.store import open_store
from review_copilot.store.postgres_limits import DatabaseReplyCache


@pytest.fixture(params=["memory", "folder", "sqlite", "postgresql"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReplyCache]:
    if request.param == "memory":
        yield MemoryReplyCache()
    elif request.param == "folder":
        yield FolderReplyCache(tmp_path / "replies")
    else:
        sqlite, server = request.param == "sqlite", "postgres_server"
        url = f"sqlite:///{tmp_path / 'log.db'}" if sqlite else fresh_database(request.getfixturevalue(server))
        store = open_store(url, clock=FakeClock())
        yield DatabaseReplyCache(store.database, clock=FakeClock())
        store.close()


def test_what_was_put_is_got_and_what_was_not_is_none(cache: ReplyCache) -> None:
    assert cache.get("reply-00") is None
    cache.put("reply-00", '{"a": "ü\n"}')
    cache.put("reply-01", "{}")
    assert cache.get("reply-00") == '{"a": "ü\n"}'


def test_a_later_answer_replaces_an_earlier_one(cache: ReplyCache) -> None:
    cache.put("reply-00", "1")
    cache.put("reply-00", "2")
    assert cache.get("reply-00") == "2"


def test_many_threads_may_write_the_same_key(cache: ReplyCache) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: cache.put("reply-aa", "x" * 10_000 + str(n)), range(40)))
    kept = cache.get("reply-aa")
    assert kept is not None
    assert kept.startswith("x" * 10_000)


def test_a_folder_outlives_the_process_and_leaves_no_rest(tmp_path: Path) -> None:
    FolderReplyCache(tmp_path).put("reply-ab", "kept")
    assert FolderReplyCache(tmp_path).get("reply-ab") == "kept"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["reply-ab.json"]


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    cache = FolderReplyCache(tmp_path / "taken")
    cache.put("reply-ab", "lost")
    assert cache.get("reply-ab") is None


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "A/B", "reply.00"])
def test_a_key_that_is_no_name_of_ours_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no key"):
        FolderReplyCache(tmp_path).get(key)
