"""Files that are no backups, or are made to harm: each gives a typed error and leaves an empty database."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from builders import PROJECT, a_review, a_suggestion, untouched
from fake_clock import FakeClock
from review_copilot.compare import compare
from review_copilot.errors import StoreError
from review_copilot.store import backup, open_store, restore

SEED, MUTATIONS = 16, 60


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A small backup, line by line."""
    folder = tmp_path_factory.mktemp("whole")
    url = f"sqlite:///{folder / 'log.db'}"
    store = open_store(url, clock=FakeClock())
    review = a_review("r1", a_suggestion("s1"))
    store.remember([review])
    store.append(compare(untouched(review), [review]))
    store.close()
    backup(url, folder / "log.jsonl")
    return (folder / "log.jsonl").read_text().splitlines()


def _is_refused(folder: Path, data: bytes, *, name: str = "bad.jsonl") -> None:
    file, database = folder / name, folder / "new.db"
    file.write_bytes(data)
    with pytest.raises(StoreError):
        restore(file, f"sqlite:///{database}")
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        found = sa.MetaData()
        found.reflect(connection)
        rows = {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in found.sorted_tables
            if table.name != "alembic_version"
        }
    engine.dispose()
    assert not any(rows.values())


HEADS: list[Any] = [
    "",
    "[]",
    "null",
    '"text"',
    "{}",
    "[" * 100_000,
    '{"a":' * 100_000,
    '{"format": "review-copilot log", "version": 1}',
    '{"format": "review-copilot log", "version": 1, "schema": null}',
    '{"format": "review-copilot log", "version": 1, "schema": ["0001"]}',
    '{"format": "review-copilot log", "version": 1, "schema": {"a": 1}}',
    '{"format": "review-copilot log", "version": 1, "schema": "base"}',
    '{"format": "review-copilot log", "version": 1, "schema": "../../x"}',
    '{"format": "review-copilot log", "version": 1, "schema": "9999"}',
    '{"format": "review-copilot log", "version": ' + "9" * 5000 + ', "schema": "0001"}',
    '{"format": ["review-copilot log"], "version": 1, "schema": "0001"}',
]


@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_heads(head: str, tmp_path: Path) -> None:
    _is_refused(tmp_path, head.encode())


ROWS: list[str] = [
    "[]",
    "{}",
    '{"row": {}}',
    '{"table": null, "row": {}}',
    '{"table": ["projects"], "row": {}}',
    '{"table": "alembic_version", "row": {"version_num": "0001"}}',
    '{"table": "sqlite_master", "row": {}}',
    '{"table": "projects"}',
    '{"table": "projects", "row": []}',
    '{"table": "projects", "row": {"nobody": 1}}',
    '{"table": "projects", "row": {"id": "one", "instance": "i", "project_id": 1, "created": ""}}',
    '{"table": "projects", "row": {"id": 1, "instance": "i", "project_id": 9223372036854775808, "created": ""}}',
    '{"table": "projects", "row": {"id": 1, "instance": "i", "project_id": ' + "9" * 5000 + ', "created": ""}}',
    '{"table": "projects", "row": {"id": 1, "instance": "\\ud800", "project_id": 1, "created": ""}}',
    '{"table": "projects", "row": {"id": 1, "instance": "a\\u0000b", "project_id": 1, "created": ""}}',
    '{"table": "projects", "row": {"id": 1, "instance": {"a": 1}, "project_id": 1, "created": ""}}',
    '{"table": "projects", "row": {"id": 1.5, "instance": "i", "project_id": 1, "created": ""}}',
    '{"table": "bookmarks", "row": {"project_ref": 1, "swept_to": "yesterday"}}',
    '{"table": "bookmarks", "row": {"project_ref": 1, "swept_to": 7}}',
    '{"table": "bookmarks", "row": {"project_ref": 77, "swept_to": "2026-01-01T00:00:00+00:00"}}',
    '{"rows": 7}',
    '{"rows": {"projects": 5}}',
    "[" * 100_000,
]


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_rows(row: str, lines: list[str], tmp_path: Path) -> None:
    _is_refused(tmp_path, "\n".join([lines[0], row, *lines[1:]]).encode())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bad.jsonl", b"\xff\xfe\x00"),
        ("bad.jsonl.gz", b"not packed"),
        ("bad.jsonl.gz", gzip.compress(b"{}")[:-8]),
        ("bad.jsonl.gz", gzip.compress(b"[" * 50_000_000)),
        ("bad.jsonl", b"\x00" * 1000),
    ],
)
def test_files(name: str, data: bytes, tmp_path: Path) -> None:
    _is_refused(tmp_path, data, name=name)


POISON: list[Any] = [
    None,
    "",
    -1,
    2**63,
    10**400,
    1.5,
    True,
    [],
    {},
    "\ud800",
    "a\0b",
    "x" * 100_000,
    [[[[]]]],
    {"a": {}},
]


def test_seeded_mutations_of_a_whole_backup(lines: list[str], tmp_path: Path) -> None:
    """Each either restores (a text may be any text) or is refused by a typed error."""
    rng = random.Random(SEED)
    refused = 0
    for number in range(MUTATIONS):
        changed = [json.loads(line) for line in lines]
        victim = rng.randrange(len(changed))
        entry = changed[victim]
        inner = entry.get("row", entry)
        key = rng.choice(sorted(inner))
        if rng.random() < 0.2:
            del inner[key]
        else:
            inner[key] = rng.choice(POISON)
        file, database = tmp_path / f"{number}.jsonl", tmp_path / f"{number}.db"
        file.write_text("\n".join(json.dumps(line) for line in changed) + "\n")
        try:
            restore(file, f"sqlite:///{database}")
        except StoreError:
            refused += 1
        else:
            store = open_store(f"sqlite:///{database}", clock=FakeClock())
            store.living_tasks(PROJECT)
            store.close()
    assert refused > MUTATIONS / 3
