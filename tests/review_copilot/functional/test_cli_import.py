"""`overrides import` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from review_copilot.cli.typer_app import build_whole_app

BOX = {
    "id": "s1", "from_name": "label", "to_name": "image", "type": "rectanglelabels",
    "value": {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["Out of focus"]},
}  # fmt: skip
DRAFT = {"id": 5, "model_version": "v1", "result": [BOX]}
KEPT = {"id": 11, "completed_by": 3, "result": [BOX], "created_at": "2026-03-02T12:10:00Z"}
TASK = {"id": 1, "project": 7, "data": {}, "annotations": [KEPT], "predictions": [DRAFT]}


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REVIEW_COPILOT_DATABASE_URL", f"sqlite:///{tmp_path}/log.db")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build_whole_app(), ["overrides", *arguments])


def write(name: str, content: object) -> str:
    Path(name).write_text(json.dumps(content), encoding="utf-8")
    return name


def test_an_export_is_logged_and_can_be_read_back() -> None:
    done = run("import", write("last-year.json", [TASK]))
    assert done.exit_code == 0, done.output
    assert "1 tasks read, 0 skipped: 1 annotations compared with 1 predictions, 1 new revisions" in done.stdout
    exported = run("export", "--format", "jsonl")
    rows = [json.loads(line) for line in exported.stdout.splitlines()]
    assert [row["kind"] for row in rows] == ["untouched"]
    assert rows[0]["instance"] == "file:last-year"


def test_a_one_click_export_is_told_how_to_get_a_full_one() -> None:
    done = run("import", write("one-click.json", [{**TASK, "predictions": [5]}]))
    assert done.exit_code == 1
    assert "only_id" in done.stderr
    assert "--from-project" in done.stderr


def test_the_label_config_decides_what_a_tag_means() -> None:
    """The same work under other tag names; without its label config the boxes count all the same."""
    labels = '<RectangleLabels name="tag" toName="img"><Label value="PQ-01"/></RectangleLabels>'
    config = f'<View><Image name="img" value="$i"/>{labels}</View>'
    Path("config.xml").write_text(config, encoding="utf-8")
    box = {**BOX, "from_name": "tag", "value": {**BOX["value"], "rectanglelabels": ["PQ-01"]}}  # type: ignore[dict-item]
    work = {**TASK, "annotations": [{**KEPT, "result": [box]}], "predictions": [{**DRAFT, "result": [box]}]}
    assert run("import", write("own.json", [work]), "--label-config", "config.xml", "--project", "7").exit_code == 0
    row = json.loads(run("export", "--format", "jsonl", "--project", "7").stdout.splitlines()[0])
    assert (row["criterion_from"], row["kind"]) == ("PQ-01", "untouched")


@pytest.mark.parametrize("arguments", [(), ("x.json", "--from-project", "3"), ("missing.json",)])
def test_what_cannot_be_is_said(arguments: tuple[str, ...]) -> None:
    done = run("import", *arguments)
    assert done.exception is not None
    assert str(done.exception)
