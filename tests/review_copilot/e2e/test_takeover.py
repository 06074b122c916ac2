"""A backend is killed with work that it owes: another one on the same database takes it over, and delivers it once."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
import requests

from backends import AUTH, PASSWORD, BackendProcess, backends
from fake_endpoint import Busy, endpoint
from opened import opened
from pictures import noise_uris
from postgres import fresh_database
from review_copilot.demo.label_studio_server import LabelStudioServer
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connect import Backend, ConnectOptions, connect
from review_copilot.settings import load_settings

pytestmark = pytest.mark.labelstudio

TASKS = 40


def pending_count(backend: BackendProcess) -> int:
    answer = requests.get(f"{backend.url}/status", auth=AUTH, timeout=10)
    backlog: int = answer.json()["backlog"]
    return backlog


def wait_until_owed(backend: BackendProcess, *, most: int, within_s: float) -> None:
    ends_at = time.monotonic() + within_s
    while pending_count(backend) > most:
        assert time.monotonic() < ends_at, f"{pending_count(backend)} drafts are owed still"
        time.sleep(0.2)


@pytest.mark.timeout(300)
def test_what_a_killed_backend_owes_is_delivered_once_by_another(
    label_studio: LabelStudioServer, label_studio_client: LabelStudioClient, postgres_server: str, tmp_path: Path
) -> None:
    """40 tasks, 3 s of patience; the backend that was asked is killed in the midst of what it does afterwards."""
    model = Busy()
    with endpoint(model) as running:
        settings = {
            "database_url": fresh_database(postgres_server),
            "label_studio_url": label_studio.url,
            "label_studio_token": label_studio.account.legacy_token,
            "inspector": "openai",
            "model": "a-model",
            "model_base_url": running.url,
            "model_close_ups": 0,
            "concurrency": 1,
            "predict_deadline_s": 3,
            "lease_s": 6,
        }
        with backends(2, settings=settings, folder=tmp_path) as (asked, other):
            copilot = opened(load_settings(_env_file=None, **settings))
            backend = Backend(url=asked.url, username=AUTH[0], password=PASSWORD, webhook_secret="open too")
            project = label_studio_client.create_project(title="Taken over", label_config="<View/>")
            connect(copilot.client, project.id, backend=backend, options=ConnectOptions(guideline=copilot.guideline))
            label_studio_client.import_tasks(project.id, [{"image": image} for image in noise_uris(TASKS)])
            answer = requests.post(
                f"{label_studio.url}/api/dm/actions",
                params={"id": "retrieve_tasks_predictions", "project": str(project.id)},
                json={"selectedItems": {"all": True, "excluded": []}, "ordering": []},
                headers={"Authorization": f"Token {label_studio.account.legacy_token}"},
                timeout=100,
            )
            assert answer.status_code == 200
            assert pending_count(other) == TASKS
            calls = len(running.turns)
            while len(running.turns) < calls + 3:
                time.sleep(0.05)
            asked.end(signal.SIGKILL)
            wait_until_owed(other, most=0, within_s=120)
            workspace = copilot.opener.open(project.id)
            stored = [p.task_id for p in workspace.predictions(rollout=copilot.rollout(workspace.key))]
            assert stored == sorted(workspace.task_ids())
            assert len(stored) == TASKS
            assert len(running.turns) <= TASKS + 2, "only what was under way when it was killed is asked again"
            copilot.client.close()
            copilot.store.close()
            label_studio_client.delete_project(project.id)
