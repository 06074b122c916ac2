"""What the product writes can be read by its owner alone, whatever the umask says and whatever was there before."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from builders import PROJECT, a_review, a_suggestion, a_task
from fake_clock import FakeClock
from review_copilot.inspectors.reply_cache import FolderReplyCache
from review_copilot.private_files import open_private
from review_copilot.store import backup, open_store


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _database(folder: Path, *, found: Callable[[Path], None]) -> None:
    store = open_store(f"sqlite:///{folder / 'log.db'}", clock=FakeClock())
    store.remember([a_review("r1", a_suggestion("s1"))])
    store.add_pending([a_task(1)], rollout="r", due_in_s=0)
    assert store.projects() == (PROJECT,)
    found(folder)
    store.close()


@pytest.mark.parametrize("before", ["nothing", "open files"])
def test_the_database_and_its_wal(before: str, tmp_path: Path) -> None:
    seen: list[str] = []

    def look(folder: Path) -> None:
        for file in folder.iterdir():
            seen.append(file.name)
            assert rights(file) == 0o600, file.name

    if before == "open files":
        _database(tmp_path, found=lambda _: None)
        for file in tmp_path.iterdir():
            file.chmod(0o666)
    _database(tmp_path, found=look)
    assert {"log.db", "log.db-wal"} <= set(seen)


@pytest.mark.parametrize("name", ["backup.jsonl", "backup.jsonl.gz"])
def test_backups(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch(0o666)
    _database(tmp_path, found=lambda _: None)
    backup(f"sqlite:///{tmp_path / 'log.db'}", tmp_path / name)
    assert rights(tmp_path / name) == 0o600


def test_cached_replies(tmp_path: Path) -> None:
    FolderReplyCache(tmp_path / "replies").put("abcdef", "a reply")
    files = [path for path in (tmp_path / "replies").rglob("*") if path.is_file()]
    assert [rights(file) for file in files] == [0o600]


def test_reports_and_exports_over_an_older_file(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.touch(0o666)
    with open_private(file) as out:
        out.write("secret\n")
        assert rights(file) == 0o600
    assert file.read_text() == "secret\n"
    with pytest.raises(FileExistsError):
        open_private(file, "x")
