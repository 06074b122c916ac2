"""`review-copilot log` as an administrator runs it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from builders import a_review, a_suggestion, an_annotation, as_submitted, task_key, untouched
from command_line import Done, typed
from fake_clock import FakeClock
from review_copilot.compare import compare
from review_copilot.store import open_store
from review_copilot.store.pseudonyms import pseudonym


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> None:
    """A log in which reviewer 3 made two annotations, of which reviewer 4 edited the second."""
    fill(tmp_path / "log.db")


def fill(file: Path, *, pseudonym_key: str = "") -> None:
    store = open_store(f"sqlite:///{file}", clock=FakeClock(), pseudonym_key=pseudonym_key)
    first, second = a_review("r1", a_suggestion("s1")), a_review("r2", a_suggestion("s2"), key=task_key(2))
    store.remember([first, second])
    store.append(compare(untouched(first), [first]))
    edited = an_annotation(as_submitted(second.suggestions[0]), key=task_key(2), annotation_id=12, editor="4")
    store.append(compare(edited, [second]))
    store.close()


def run(folder: Path, *words: str, database: str = "log.db", **settings: str) -> Done:
    return typed(*words, cwd=folder, REVIEW_COPILOT_DATABASE_URL=f"sqlite:///{database}", **settings)


def people(folder: Path) -> list[tuple[str, str]]:
    lines = run(folder, "overrides", "export", "--format", "jsonl", "--all-revisions").stdout.splitlines()
    return [(row["author"], row["editor"]) for row in map(json.loads, lines)]


def test_a_forgotten_person_is_nowhere_in_the_file_and_the_rows_stay(tmp_path: Path) -> None:
    before = people(tmp_path)
    done = run(tmp_path, "log", "forget", "--reviewer", "3", "--yes")
    assert (done.returncode, done.stdout) == (0, "2 revisions named this person and no longer do.\n")
    for place in ("Label Studio", "backups", "reports", "a model provider"):
        assert place in done.stderr.partition("Not reached:")[2]
    after = people(tmp_path)
    (label,) = {author for author, _ in after}
    assert label.startswith("forgotten-")
    assert [(label, label if editor == "3" else editor) for _, editor in before] == after


def test_no_file_of_the_database_holds_the_name_of_a_forgotten_person(tmp_path: Path) -> None:
    """Neither a row, nor a packed column, nor a page that SQLite no longer uses."""
    name = b"planted.reviewer@example.org"
    planted = untouched(a_review("r1", a_suggestion("s1")), author=name.decode())
    store = open_store(f"sqlite:///{tmp_path / 'planted.db'}", clock=FakeClock())
    store.append(compare(planted, [a_review("r1", a_suggestion("s1"))]))
    store.close()
    assert run(tmp_path, "report", "--project", "7", "--format", "json", database="planted.db").returncode == 0
    files = list(tmp_path.glob("planted.db*"))
    assert any(name in file.read_bytes() for file in files)
    done = run(tmp_path, "log", "forget", "--reviewer", name.decode(), "--yes", database="planted.db")
    assert done.returncode == 0, done.stderr
    assert not [file.name for file in tmp_path.glob("planted.db*") if name in file.read_bytes()]


def test_forgetting_is_asked_about_first(tmp_path: Path) -> None:
    words = ("log", "forget", "--reviewer", "3")
    url = f"sqlite:///{tmp_path / 'log.db'}"
    before = people(tmp_path)
    refused = typed(*words, cwd=tmp_path, answer="n\n", REVIEW_COPILOT_DATABASE_URL=url)
    assert refused.returncode == 1
    assert f'Remove "3" from the log {url}? You cannot undo this.' in refused.stderr
    assert people(tmp_path) == before
    agreed = typed(*words, cwd=tmp_path, answer="y\n", REVIEW_COPILOT_DATABASE_URL=url)
    assert agreed.returncode == 0
    assert "3" not in {author for author, _ in people(tmp_path)}


@pytest.mark.parametrize("reviewer", ["99", ""])
def test_a_person_whom_the_log_does_not_name_is_an_error(tmp_path: Path, reviewer: str) -> None:
    done = run(tmp_path, "log", "forget", "--reviewer", reviewer, "--yes")
    assert done.returncode == 1
    assert done.stderr.startswith(f'Error: The log has no person "{reviewer}".\n')
    assert "overrides list" in done.stderr


def test_a_person_under_a_pseudonym_is_found_by_name_and_by_pseudonym(tmp_path: Path) -> None:
    fill(tmp_path / "secret.db", pseudonym_key="k")
    secret = {"database": "secret.db", "REVIEW_COPILOT_PSEUDONYM_KEY": "k"}
    shown = run(tmp_path, "overrides", "export", **secret).stdout
    assert pseudonym("3", "k") in shown
    for name, named in [("4", "1 revision named this person and no longer does."), (pseudonym("3", "k"), "2 revis")]:
        done = run(tmp_path, "log", "forget", "--reviewer", name, "--yes", **secret)
        assert named in done.stdout, done.stderr


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_a_backup_is_restored_into_a_new_database(tmp_path: Path, name: str) -> None:
    written = run(tmp_path, "log", "backup", name)
    assert written.returncode == 0, written.stderr
    assert f"of sqlite:///log.db written to {name}." in written.stdout
    assert "annotations 2" in written.stdout
    read = run(tmp_path, "log", "restore", name, database="new.db")
    assert read.returncode == 0, read.stderr
    assert read.stdout.split(" of ")[0] == written.stdout.split(" of ")[0]
    exports = [run(tmp_path, "overrides", "export", database=database).stdout for database in ("log.db", "new.db")]
    assert exports[0] == exports[1]


def test_a_filled_database_is_not_restored_into(tmp_path: Path) -> None:
    run(tmp_path, "log", "backup", "log.jsonl")
    done = run(tmp_path, "log", "restore", "log.jsonl")
    assert done.returncode == 1
    assert "The database is not empty" in done.stderr
    assert "Restore to a new database" in done.stderr


def test_what_is_no_backup_is_refused_and_fills_nothing(tmp_path: Path) -> None:
    run(tmp_path, "log", "backup", "whole.jsonl")
    lines = (tmp_path / "whole.jsonl").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "half.jsonl").write_text("".join(lines[:-2]), "utf-8")
    (tmp_path / "half.jsonl.gz").write_bytes(gzip.compress("".join(lines).encode())[:-20])
    (tmp_path / "other.jsonl").write_text('{"a": 1}\n', "utf-8")
    (tmp_path / "empty.jsonl").touch()
    for name in ("half.jsonl", "half.jsonl.gz", "other.jsonl", "empty.jsonl", "missing.jsonl"):
        done = run(tmp_path, "log", "restore", name, database="new.db")
        assert done.returncode == 1
        assert done.stderr.startswith("Error: "), done.stderr
        assert name in done.stderr
        assert "Traceback" not in done.stderr
    assert "The log is empty" in run(tmp_path, "overrides", "list", database="new.db").stdout


def test_a_backup_that_cannot_be_written_or_has_nothing_to_hold_is_an_error(tmp_path: Path) -> None:
    nowhere = run(tmp_path, "log", "backup", "no/such/folder/log.jsonl")
    assert (nowhere.returncode, "no/such/folder/log.jsonl" in nowhere.stderr) == (1, True)
    nothing = run(tmp_path, "log", "backup", "log.jsonl", database="none.db")
    assert (nothing.returncode, "This database has no override log" in nothing.stderr) == (1, True)
    assert not (tmp_path / "log.jsonl").exists()


def test_a_password_in_the_database_url_is_not_shown(tmp_path: Path) -> None:
    url = "postgresql://copilot:hunter2@127.0.0.1:1/log"
    words = ("log", "forget", "--reviewer", "3")
    done = typed(*words, cwd=tmp_path, answer="n\n", REVIEW_COPILOT_DATABASE_URL=url)
    assert "postgresql://copilot:***@127.0.0.1:1/log" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
