"""`review-copilot study`: an exported file says what the log that it came from says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import Done, typed
from fake_clock import FakeClock
from review_copilot.domain.review import ProjectKey
from review_copilot.store import open_store
from study_log import PHOTO, fill
from study_world import Plan

KEY = ProjectKey("http://127.0.0.1:9", 3, "1760000000")
OTHER = ProjectKey("http://127.0.0.1:9", 4, "1760000000")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a log of two projects; something is wrong in the first, with notes that tell of a new pattern."""
    url = f"sqlite:///{tmp_path_factory.mktemp('study')}/log.db"
    store = open_store(url, clock=FakeClock())
    plans = [Plan(2, "model_wrong", 0.5, tasks=300, criteria=PHOTO[:6]), Plan(4, "uncovered", 0.5, tasks=120)]
    fill(store, plans, project=KEY)
    fill(store, [Plan(3, "", 0.2, tasks=40, criteria=PHOTO[:6])], project=OTHER)
    store.close()
    return url


def say(database: str, folder: Path, *words: str) -> Done:
    return typed(*words, cwd=folder, REVIEW_COPILOT_DATABASE_URL=database)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_file_says_what_the_store_says(database: str, tmp_path: Path, ending: str) -> None:
    name = f"overrides.{ending}"
    assert say(database, tmp_path, "overrides", "export", "--format", ending, "--out", name).returncode == 0
    wanted = say(database, tmp_path, "report", "--project", "3", "--format", "json", "--no-thumbnails")
    found = say("sqlite:///nowhere.db", tmp_path, "study", name, "--project", "3", "--format", "json")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["flags"]
    assert json.loads(found.stdout) == json.loads(wanted.stdout)
    assert not (tmp_path / "nowhere.db").exists()


def test_superseded_rows_are_left_out_and_counted(database: str, tmp_path: Path) -> None:
    say(database, tmp_path, "overrides", "export", "--format", "jsonl", "--project", "4", "--out", "log.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    rows[0]["current"] = False
    rows[1]["deleted"] = True
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = typed("study", "log.jsonl", "--out", "report.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 rows skipped: revised or deleted later." in done.stderr
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    said = json.loads(typed("study", "log.jsonl", "--format", "json", cwd=tmp_path).stdout)
    assert said["counts"]["rows"] == len(rows) - 2


def test_an_export_of_an_earlier_release_has_fewer_columns_and_can_be_studied(database: str, tmp_path: Path) -> None:
    """Columns at the end of the table were added without a new schema version."""
    say(database, tmp_path, "overrides", "export", "--format", "jsonl", "--project", "3", "--out", "log.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    names = list(rows[0])
    added = names[names.index("box_to_height") + 1 :]
    assert added
    earlier = [{name: value for name, value in row.items() if name not in added} for row in rows]
    (tmp_path / "earlier.jsonl").write_text("".join(json.dumps(row) + "\n" for row in earlier), "utf-8")
    done = typed("study", "earlier.jsonl", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == typed("study", "log.jsonl", "--format", "json", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("name", "text", "words", "said"),
    [
        ("log.txt", "x", (), "log.txt is no export that can be read."),
        ("gone.csv", None, (), "cannot be read"),
        ("log.csv", "", (), "The export holds no row."),
        ("log.csv", '"schema_version","id"\n2,1\n', (), "The table lacks these columns: instance, project_id"),
        ("log.csv", '"schema_version","id"\n2,"one"\n', (), "Row 1: id is 'one', which is no integer."),
        ("log.csv", '"current"\n"maybe"\n', (), "Row 1: current is 'maybe', which is no boolean."),
        ("log.csv", '"created_at"\n"soon"\n', (), "Row 1: created_at is 'soon', which is no time."),
        ("log.jsonl", "{", (), "log.jsonl is damaged"),
        ("log.jsonl", "[]\n", (), "Line 1 is no object."),
        ("log.parquet", "PAR", (), "log.parquet is no Parquet file."),
    ],
)
def test_a_wrong_file_is_said_in_words(
    tmp_path: Path, name: str, text: str | None, words: tuple[str, ...], said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    done = typed("study", name, *words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        ({"schema_version": 3}, ("--project", "3"), "Row 1 has schema version 3; this release reads 1 to 2."),
        ({}, (), "The export holds several projects: 3, 4."),
        ({}, ("--project", "9"), "The export holds no row of project 9."),
    ],
)
def test_a_wrong_table_is_said_in_words(
    database: str, tmp_path: Path, change: dict[str, object], words: tuple[str, ...], said: str
) -> None:
    say(database, tmp_path, "overrides", "export", "--format", "jsonl", "--out", "log.jsonl")
    rows = [json.loads(line) | change for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = typed("study", "log.jsonl", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


def test_skipped_tasks_of_version_1_are_still_read(database: str, tmp_path: Path) -> None:
    say(database, tmp_path, "overrides", "export", "--format", "jsonl", "--project", "4", "--out", "log.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    skipped = rows[-1] | {"id": rows[-1]["id"] + 1, "annotation_id": 10**6, "task_id": 10**6, "subject": "task"}
    said = []
    for version, kind in ((1, "rejected"), (2, "skipped")):
        told = [row | {"schema_version": version} for row in (*rows, skipped | {"kind": kind})]
        (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told), "utf-8")
        said.append(json.loads(typed("study", "log.jsonl", "--format", "json", cwd=tmp_path).stdout))
    assert said[0] == said[1]
    assert said[0]["counts"]["skipped"] == 1
