"""`review-copilot report`, run as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fake_clock import FakeClock
from review_copilot.domain.review import ProjectKey
from review_copilot.store import open_store
from study_log import PHOTO, fill
from study_world import Plan

KEY = ProjectKey("http://127.0.0.1:9", 3, "1760000000")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a log in which the copilot is wrong about one criterion."""
    url = f"sqlite:///{tmp_path_factory.mktemp('report')}/log.db"
    store = open_store(url, clock=FakeClock())
    fill(store, [Plan(2, "model_wrong", 0.5, tasks=500, criteria=PHOTO[:6])], project=KEY)
    store.close()
    return url


def run(database: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "review_copilot.cli", "report", *words]
    environment = {**os.environ, "REVIEW_COPILOT_DATABASE_URL": database}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_page_is_one_file_that_says_what_to_do(database: str, tmp_path: Path) -> None:
    done = run(database, "--project", "3", "--out", "report.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 flag written to report.html." in done.stderr
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "is drafted wrongly" in page
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_json_is_what_the_documentation_says(database: str, tmp_path: Path) -> None:
    done = run(database, "--project", "3", "--format", "json", "--out", "report.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "report.json").read_text("utf-8"))
    flag = said["flags"][0]
    assert flag["cause"] == "model_wrong"
    assert flag["criterion"] in PHOTO
    assert {"evidence", "confidence", "tasks"} <= flag.keys()
    assert {"flags", "novel_patterns", "agreement", "criteria"} <= said.keys()


def test_markdown_goes_to_standard_output_without_a_file(database: str, tmp_path: Path) -> None:
    done = run(database, "--project", "3", "--format", "md", "--since", "2026-03-20", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# Project 3: what reviewers override\n")
    assert "reviews of 20 Mar 2026 to" in done.stdout


def test_an_unknown_project_is_said_in_two_lines(database: str, tmp_path: Path) -> None:
    done = run(database, "--project", "9", "--out", "report.html", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "Error: The log has no data on project 9.\nIt has data on these projects: 3.\n"
