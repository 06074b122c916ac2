"""Last year's work on a real server: read from the project itself, from a snapshot, and from the one-click export."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from command_line import Done, typed
from review_copilot.demo.label_studio_server import LabelStudioServer
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.label_config import generate
from review_copilot.library import load_guideline

pytestmark = pytest.mark.labelstudio

SNAPSHOT = {"serialization_options": {"predictions": {"only_id": False}}}


def box(region_id: str, *, x: float) -> dict[str, object]:
    place = {"x": x, "y": 10, "width": 20, "height": 20, "rotation": 0}
    return {
        "id": region_id, "from_name": "label", "to_name": "image", "type": "rectanglelabels", "original_width": 100,
        "original_height": 100, "value": {**place, "rectanglelabels": ["Out of focus"]},
    }  # fmt: skip


@pytest.fixture
def project(label_studio_client: LabelStudioClient) -> Iterator[int]:
    """Two tasks, of whose two drafted boxes the reviewer moved one and deleted one; one skipped; one not begun."""
    made = label_studio_client.create_project(
        title="Last year", label_config=generate(load_guideline("photo-quality"))
    ).id
    drafts = [{"result": [box("kept", x=10), box("gone", x=60)], "model_version": "v1", "score": 0.5}]
    left = [{"result": [box("kept", x=14)], "lead_time": 12.0}]
    skipped = [{"result": [], "was_cancelled": True}]
    tasks = [(left, drafts), (left, drafts), (skipped, drafts), ([], drafts)]
    label_studio_client.import_tasks(
        made,
        [
            {"data": {"image": f"http://example.org/{n}.png"}, "annotations": annotations, "predictions": predictions}
            for n, (annotations, predictions) in enumerate(tasks)
        ],
    )
    yield made
    label_studio_client.delete_project(made)


class Terminal:
    """Where a person types `overrides`."""

    def __init__(self, server: LabelStudioServer, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            "REVIEW_COPILOT_LABEL_STUDIO_URL": server.url,
            "REVIEW_COPILOT_LABEL_STUDIO_TOKEN": server.account.legacy_token,
            "REVIEW_COPILOT_DATABASE_URL": f"sqlite:///{folder}/log.db",
        }

    def overrides(self, *words: str) -> Done:
        return typed("overrides", *words, cwd=self._folder, **self._environment)

    def kinds(self) -> Counter[tuple[str, str]]:
        lines = self.overrides("export", "--format", "jsonl").stdout.splitlines()
        return Counter((row["subject"], row["kind"]) for row in map(json.loads, lines))


@pytest.fixture
def terminal(label_studio: LabelStudioServer, tmp_path: Path) -> Terminal:
    return Terminal(label_studio, tmp_path)


EXPECTED = Counter({("region", "edited"): 2, ("region", "rejected"): 2, ("task", "skipped"): 1})


def exported(server: LabelStudioServer, project: int, *, full: bool) -> bytes:
    """The one-click export, or a snapshot with whole predictions."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Token {server.account.legacy_token}"
        exports = f"{server.url}/api/projects/{project}/export"
        if not full:
            answer = session.get(exports, params={"exportType": "JSON", "download_all_tasks": "true"}, timeout=60)
            answer.raise_for_status()
            return answer.content
        made = session.post(f"{exports}s/", json=SNAPSHOT, timeout=60)
        made.raise_for_status()
        number = made.json()["id"]
        until = time.monotonic() + 60
        while session.get(f"{exports}s/{number}", timeout=60).json()["status"] != "completed":
            assert time.monotonic() < until
            time.sleep(0.2)
        return session.get(f"{exports}s/{number}/download", params={"exportType": "JSON"}, timeout=60).content


def test_a_project_is_read_from_the_server_itself(terminal: Terminal, project: int) -> None:
    """Twice gives the same; what had no annotation gives no row."""
    done = terminal.overrides("import", "--from-project", str(project))
    assert done.returncode == 0, done.stderr
    assert "4 tasks read, 0 skipped: 3 annotations compared with 4 predictions, 3 new revisions" in done.stdout
    assert terminal.kinds() == EXPECTED
    again = terminal.overrides("import", "--from-project", str(project))
    assert "0 new revisions with 0 rows" in again.stdout


def test_a_full_snapshot_gives_the_same_rows(
    terminal: Terminal, label_studio: LabelStudioServer, project: int, tmp_path: Path
) -> None:
    (tmp_path / "snapshot.json").write_bytes(exported(label_studio, project, full=True))
    done = terminal.overrides("import", "snapshot.json")
    assert done.returncode == 0, done.stderr
    assert terminal.kinds() == EXPECTED


def test_a_one_click_export_is_refused_with_the_way_to_a_full_one(
    terminal: Terminal, label_studio: LabelStudioServer, project: int, tmp_path: Path
) -> None:
    """Unless the log knows what was shown: then the ids are enough."""
    (tmp_path / "one-click.json").write_bytes(exported(label_studio, project, full=False))
    done = terminal.overrides("import", "one-click.json", "--project", str(project))
    assert done.returncode == 1
    assert "only the ids of their predictions" in done.stderr
    assert "only_id" in done.stderr
    assert not terminal.kinds()
    terminal.overrides("import", "--from-project", str(project))
    done = terminal.overrides("import", "one-click.json", "--project", str(project))
    assert done.returncode == 0, done.stderr
    assert "0 new revisions" in done.stdout
    assert terminal.kinds() == EXPECTED
