"""`preannotate`, `predictions list | remove` and `rollback` as an admin types them, against a real Label Studio."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from pictures import noise_uris
from review_copilot.demo.label_studio_server import LabelStudioServer
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.label_config import generate
from review_copilot.library import load_guideline

Done: TypeAlias = subprocess.CompletedProcess[str]

pytestmark = pytest.mark.labelstudio

TASKS = 5


@pytest.fixture
def command(label_studio: LabelStudioServer, tmp_path: Path) -> Callable[..., Done]:
    """Types a command with this server's settings."""

    def type_it(*words: str, **settings: str) -> Done:
        shared = {
            "REVIEW_COPILOT_LABEL_STUDIO_URL": label_studio.url,
            "REVIEW_COPILOT_LABEL_STUDIO_TOKEN": label_studio.account.legacy_token,
            "COLUMNS": "200",
        }
        typed = [sys.executable, "-m", "review_copilot.cli", *words]
        environment = {**os.environ, **shared, **settings}
        return subprocess.run(typed, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return type_it


def versions(done: Done) -> list[list[str]]:
    """The rows of `predictions list`: version, count, and "yes" where it is shown."""
    rows = [line.strip("│ \n") for line in done.stdout.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in row.split("│")] for row in rows]


@pytest.mark.timeout(600)
def test_two_rollouts_and_back(label_studio_client: LabelStudioClient, command: Callable[..., Done]) -> None:
    """A second threshold makes a second roll-out; going back restores the first from the store, every draft."""
    project = label_studio_client.create_project(title="Two roll-outs", label_config=generate(load_guideline("pcb")))
    label_studio_client.import_tasks(project.id, [{"image": image} for image in noise_uris(TASKS)])
    number, pcb = str(project.id), {"REVIEW_COPILOT_GUIDELINE": "pcb"}
    dry = command("preannotate", "--project", number, "--dry-run", **pcb)
    assert f"would draft {TASKS}" in dry.stdout, dry.stderr
    done = command("preannotate", "--project", number, "--limit", "2", **pcb)
    assert "2 predictions stored and pinned" in done.stdout, done.stderr
    done = command("preannotate", "--project", number, **pcb)
    assert f"{TASKS} predictions stored and pinned" in done.stdout, done.stderr
    first = done.stdout.split(":")[0]
    assert versions(command("predictions", "list", "--project", number, **pcb)) == [[first, str(TASKS), "yes"]]

    other = {**pcb, "REVIEW_COPILOT_MIN_SCORE": "0.4"}
    done = command("preannotate", "--project", number, **other)
    assert f"It replaces {first}." in done.stdout, done.stderr
    second = done.stdout.split(":")[0]
    assert second != first
    listed = versions(command("predictions", "list", "--project", number, **other))
    assert sorted(listed) == sorted([[first, str(TASKS)], [second, str(TASKS), "yes"]])

    back = command("rollback", "--project", number, **other)
    assert (
        f"{first} is shown again: 0 predictions restored, 0 copied, {TASKS} of the newer roll-out removed"
        in back.stdout
    )
    assert versions(command("predictions", "list", "--project", number, **pcb)) == [[first, str(TASKS), "yes"]]
    nowhere = command("rollback", "--project", number, **pcb)
    assert nowhere.returncode != 0
    assert "There is no roll-out before" in nowhere.stderr

    gone = command("predictions", "remove", "--project", number, "--model-version", first, **pcb)
    assert f"{TASKS} predictions of {first} removed. 0 started tasks" in gone.stdout, gone.stderr
    assert versions(command("predictions", "list", "--project", number, **pcb)) == [[first, "0", "yes"]]
    label_studio_client.delete_project(project.id)
