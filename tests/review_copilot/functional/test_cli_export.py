"""`review-copilot overrides export` as a person types it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from builders import a_review, a_suggestion, an_annotation, as_submitted, at, task_key, untouched
from command_line import Done, typed
from fake_clock import FakeClock
from review_copilot.compare import compare
from review_copilot.domain.override import Reason
from review_copilot.store import open_store

URL = "sqlite:///log.db"


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> None:
    """Reviewer 3 confirmed a suggestion; an hour later reviewer 5 left another one as it was, without a word."""
    clock = FakeClock()
    store = open_store(f"sqlite:///{tmp_path / 'log.db'}", clock=clock)
    first = replace(a_review("r1", a_suggestion("s1")), image="https://example.org/street.jpg")
    second = a_review("r2", a_suggestion("s2", criterion_id="PQ-06", label="Noise"), key=task_key(2))
    store.remember([first, second])
    agreed = replace(as_submitted(first.suggestions[0]), reasons=(Reason.AGREE,))
    store.append(compare(an_annotation(agreed), [first]))
    clock.time = at(3600)
    store.append(compare(untouched(second, key=task_key(2), annotation_id=12, author="5", editor="5"), [second]))
    store.close()


def export(folder: Path, *words: str, **settings: str) -> Done:
    return typed("overrides", "export", *words, cwd=folder, REVIEW_COPILOT_DATABASE_URL=URL, **settings)


@pytest.mark.parametrize(
    ("words", "tasks"),
    [
        ((), {1, 2}),
        (("--kind", "confirmed"), {1}),
        (("--criterion", "PQ-06"), {2}),
        (("--reviewer", "5"), {2}),
        (("--since", "2026-03-02T12:30:00"), {2}),
        (("--since", "2026-03-02T14:30:00+02:00"), {2}),
        (("--since", "2026-03-02"), {1, 2}),
        (("--project", "7", "--reviewer", "3", "--kind", "confirmed"), {1}),
        (("--project", "8"), set()),
        (("--reviewer", "5", "--criterion", "PQ-01"), set()),
    ],
)
def test_rows_are_narrowed(tmp_path: Path, words: tuple[str, ...], tasks: set[int]) -> None:
    done = export(tmp_path, "--format", "jsonl", *words)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["task_id"] for row in rows} == tasks
    assert f"{len(rows)} row{'' if len(rows) == 1 else 's'} written." in done.stderr
    assert ("No matching rows." in done.stderr) == (not tasks)


def test_training_examples_come_with_the_prompt_and_a_count_of_what_is_left_out(tmp_path: Path) -> None:
    done = export(tmp_path, "--format", "finetune", "--out", "train.jsonl")
    assert done.returncode == 0, done.stderr
    (line,) = map(json.loads, (tmp_path / "train.jsonl").read_text("utf-8").splitlines())
    system, user, assistant = line["messages"]
    assert "# Guideline: Photo quality" in system["content"]
    assert user["content"][1] == {"type": "image_url", "image_url": {"url": "https://example.org/street.jpg"}}
    assert json.loads(assistant["content"])["findings"][0]["box"] == [100, 100, 300, 300]
    assert "1 example written to train.jsonl." in done.stderr
    assert "1 skipped: the draft was not reviewed." in done.stderr
    more = export(tmp_path, "--format", "finetune", "--untouched")
    assert "1 skipped: the image's location is unknown." in more.stderr


def test_the_models_own_way_of_writing_boxes_is_taught(tmp_path: Path) -> None:
    done = export(tmp_path, "--format", "finetune", REVIEW_COPILOT_MODEL="gemini-2.5-flash")
    (finding,) = json.loads(json.loads(done.stdout)["messages"][-1]["content"])["findings"]
    assert finding["box_2d"] == [100, 100, 300, 300]


def test_final_boxes_are_written_as_coco(tmp_path: Path) -> None:
    done = export(tmp_path, "--format", "coco", "--reviewer", "3")
    data = json.loads(done.stdout)
    assert [box["bbox"] for box in data["annotations"]] == [[120.0, 80.0, 240.0, 160.0]]
    assert "1 box written." in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--since", "yesterday"), "'yesterday' is not a date"),
        (("--kind", "wrong"), "'wrong' is not one of"),
        (("--format", "coco", "--kind", "added"), "--project, --since, and --reviewer"),
        (("--format", "finetune", "--all-revisions"), "exports whole annotations"),
        (("--untouched",), "--format finetune"),
        (("--format", "parquet"), "--out overrides.parquet"),
        (("--out", "no/such.csv"), "no/such.csv cannot be written: No such file or directory."),
        (("--format", "parquet", "--out", "no/such.parquet"), "no/such.parquet cannot be written"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    done = export(tmp_path, *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""
