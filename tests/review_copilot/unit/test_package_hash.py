"""A package's hash changes with any of its files, and only with them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from review_copilot.plugin import draft_version, hash_of_package

_NUMBERS = itertools.count()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a subpackage and a weight file, importable by its folder's name."""
    folder = tmp_path / f"hashed_package_{next(_NUMBERS)}"
    (folder / "deep" / "deeper").mkdir(parents=True)
    for path, text in (("__init__.py", ""), ("deep/__init__.py", ""), ("deep/deeper/weights.bin", "w")):
        (folder / path).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def hash_now(package: Path) -> str:
    """The hash of the files as they are; the hash of a running process is computed once."""
    return hash_of_package.__wrapped__(package.name)


def version_now(package: Path) -> str:
    hash_of_package.cache_clear()
    return draft_version.__wrapped__(package.name)


@pytest.mark.parametrize("path", ["__init__.py", "deep/__init__.py", "deep/deeper/weights.bin", "deep/new.json"])
def test_a_changed_or_new_file_at_any_depth_changes_the_hash(package: Path, path: str) -> None:
    before = hash_now(package)
    (package / path).write_text("changed")
    assert hash_now(package) != before


def test_a_moved_or_deleted_file_changes_the_hash(package: Path) -> None:
    before = hash_now(package)
    (package / "deep" / "deeper" / "weights.bin").rename(package / "deep" / "weights.bin")
    moved = hash_now(package)
    (package / "deep" / "weights.bin").unlink()
    assert len({before, moved, hash_now(package)}) == 3


@pytest.mark.parametrize("path", ["__pycache__/a.cpython-311.pyc", "deep/__pycache__/b.txt", "deep/c.pyc"])
def test_caches_do_not_count(package: Path, path: str) -> None:
    before = hash_now(package)
    (package / path).parent.mkdir(exist_ok=True)
    (package / path).write_text("compiled")
    assert hash_now(package) == before


def test_a_record_keeps_the_version_until_a_file_changes(package: Path) -> None:
    """Without a record, and with a record of other files, the version is the hash."""
    files = hash_now(package)
    assert version_now(package) == files
    (package / "draft_version.json").write_text(json.dumps({"files": files, "version": "kept"}))
    assert hash_now(package) == files
    assert version_now(package) == "kept"
    (package / "deep" / "deeper" / "weights.bin").write_text("changed")
    assert version_now(package) == hash_now(package) != files
