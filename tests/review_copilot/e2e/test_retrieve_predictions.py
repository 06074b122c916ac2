"""Retrieving predictions for many slow tasks: the page comes back in time, and each task has one draft in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from review_copilot.demo.label_studio_server import LabelStudioServer
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connect import ConnectOptions, connect
from slow_backend import TASKS, finishing, served, slow_backend, wait_for

pytestmark = pytest.mark.labelstudio


def test_late_drafts_come_later_and_once_and_survive_a_restart(
    label_studio: LabelStudioServer, label_studio_client: LabelStudioClient, tmp_path: Path
) -> None:
    """30 tasks of half a second on two slots, asked for with 3 s of patience; the first backend then stops for good."""
    with served(label_studio, tmp_path) as backend:
        copilot = backend.copilot
        options = ConnectOptions(guideline=copilot.guideline)
        project = label_studio_client.create_project(title="Slow drafts", label_config="<View/>")
        connect(
            copilot.client,
            project.id,
            backend=copilot.backend,
            options=options,
            secrets=copilot.process.webhook_secrets,
        )
        label_studio_client.import_tasks(project.id, [{"image": f"http://images.test/{n}.png"} for n in range(TASKS)])
        answer = requests.post(
            f"{label_studio.url}/api/dm/actions",
            params={"id": "retrieve_tasks_predictions", "project": str(project.id)},
            json={"selectedItems": {"all": True, "excluded": []}, "ordering": []},
            headers={"Authorization": f"Token {label_studio.account.legacy_token}"},
            timeout=100,
        )
        assert answer.status_code == 200
        at_first = sum(label_studio_client.model_versions(project.id).values())
        assert 0 < at_first < TASKS
        assert copilot.store.pending_count() == TASKS
    again = slow_backend(label_studio, tmp_path, port=0)
    reopened = again.copilot
    with finishing(again):
        wait_for(again, pending=0, within_s=90)
    workspace = reopened.opener.open(project.id)
    rollout = reopened.rollout(workspace.key)
    stored = [prediction.task_id for prediction in workspace.predictions(rollout=rollout)]
    assert stored == sorted(workspace.task_ids())
    looked = len(backend.inspector.seen) + len(again.inspector.seen)
    assert looked == TASKS
    again.close()
    label_studio_client.delete_project(project.id)
