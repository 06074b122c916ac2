"""Generated pages are up to date, and pages name only files that exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HOW_TO = ROOT / "docs" / "how-to"
CHANGES = (
    "add-a-criterion", "add-an-inspector", "add-an-export-column", "add-a-cli-command", "add-a-setting", "add-a-chart",
    "add-a-label-config-field",
)  # fmt: skip
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))


def named_files(page: str) -> set[str]:
    """Paths of this repository in backticks, without placeholders in capitals."""
    folders = "backend|docs|tests|prompts|label_config|training|benchmarks|docker"
    paths = re.findall(rf"`((?:{folders})/[\w./-]+|[A-Z]+\.md|Makefile|pyproject\.toml)`", page)
    return {path.rstrip("/") for path in paths}


def links(page: str) -> set[str]:
    """Targets of relative links and pictures, without anchors."""
    return {target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", page) if "://" not in target} - {""}


@pytest.mark.parametrize("script", ["make_settings_table.py", "make_export_schema.py", "make_reliability_table.py"])
def test_a_made_page_is_up_to_date(script: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "backend")}
    command = [sys.executable, str(ROOT / "docs" / script), "--check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("change", CHANGES)
def test_a_how_to_page_names_files_of_this_repository(change: str) -> None:
    page = (HOW_TO / f"{change}.md").read_text("utf-8")
    assert len(named_files(page)) >= 3
    assert f"docs/how-to/{change}.md" in links((ROOT / "CONTRIBUTING.md").read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_and_links_only_what_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    missing = {path for path in named_files(text) if not (ROOT / path).exists()}
    missing |= {link for link in links(text) if not (page.parent / link).exists()}
    assert not missing


def test_a_missing_file_is_noticed() -> None:
    page = (
        "Edit `backend/review_copilot/nowhere.py` and `README.md`; see [this](gone.md#part), `settings.py` and `docs/`."
    )
    assert named_files(page) == {"backend/review_copilot/nowhere.py", "README.md"}
    assert links(page) == {"gone.md"}


def test_each_threat_names_a_test_that_exists() -> None:
    rows = [line for line in (ROOT / "docs" / "security.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) > 15
    for row in rows[2:]:
        named = re.findall(r"`([a-z_0-9]+/test_[a-z_0-9]+\.py)`", row)
        assert named, row
        assert all((ROOT / "tests" / "review_copilot" / name).exists() for name in named), row
