"""Names in the database itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import PROJECT, a_comparison, an_annotation
from fake_clock import FakeClock
from review_copilot.domain.override import Override, OverrideKind, Subject
from review_copilot.store import SqlStore, open_store
from review_copilot.store.pseudonyms import pseudonym
from study_log import read_table

KEY = "a secret of the team"
ROW = Override(subject=Subject.REGION, kind=OverrideKind.ADDED)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'log.db'}", clock=FakeClock(), pseudonym_key=KEY)
    yield opened
    opened.close()


def everything(folder: Path) -> bytes:
    """All that stands on the disk: the database and its write-ahead log."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_a_name_never_reaches_the_disk_when_there_is_a_key(store: SqlStore, tmp_path: Path) -> None:
    store.append(a_comparison(an_annotation(author="ada@example.org", editor="bob@example.org"), [ROW]))
    (row,) = store.overrides()
    assert (row.author, row.editor) == (pseudonym("ada@example.org", KEY), pseudonym("bob@example.org", KEY))
    assert b"example.org" not in everything(tmp_path)


def test_a_pseudonym_is_the_same_each_time_and_another_under_another_key() -> None:
    assert pseudonym("3", KEY) == pseudonym("3", KEY)
    assert len({pseudonym("3", KEY), pseudonym("4", KEY), pseudonym("3", "other")}) == 3
    assert (pseudonym("", KEY), pseudonym("3", "")) == ("", "3")


def test_nothing_of_a_forgotten_name_is_left_on_the_disk(tmp_path: Path) -> None:
    """Not in a freed page, not in the write-ahead log, and not in columns that were packed for a study."""
    plain = open_store(f"sqlite:///{tmp_path / 'plain.db'}", clock=FakeClock())
    plain.append(a_comparison(an_annotation(author="ada@example.org"), [ROW]))
    assert read_table(plain, PROJECT).reviewers == ("ada@example.org",)
    assert b"ada@example.org" in everything(tmp_path)
    assert plain.forget("ada@example.org") == 1
    assert b"ada@example.org" not in everything(tmp_path)
    plain.close()


@pytest.mark.parametrize("named", ["3", pseudonym("3", KEY)])
def test_a_person_can_be_forgotten_by_name_or_by_pseudonym(store: SqlStore, named: str) -> None:
    store.append(a_comparison(an_annotation(author="3"), [ROW]))
    assert store.forget(named) == 1
    (row,) = store.overrides()
    assert row.author.startswith("forgotten-")
