"""Retrieving predictions for a thousand tasks of four seconds each: the page in time, a thousand drafts in the end."""

from __future__ import annotations

import logging
import os
import re
import time
from pathlib import Path

import pytest
import requests

import slow_backend as slow
from review_copilot.demo.label_studio_server import LabelStudioServer
from review_copilot.flows.predict import SETTLE_S
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connect import ConnectOptions, connect

pytestmark = pytest.mark.labelstudio

TASKS = int(os.environ.get("TASKS", "1000"))
LOOK_S = float(os.environ.get("LOOK_S", "4"))
SLOTS = 16
DEADLINE_S = float(os.environ.get("DEADLINE_S", "85"))
"""Label Studio waits 100 s for an answer."""


def seconds_of_predict(backend: slow.SlowBackend) -> float:
    """Seconds of all requests to `/predict` so far, of which there was one, as the backend's own metrics say."""
    page = requests.get(f"{backend.copilot.backend.url}/metrics", auth=("copilot", "open sesame"), timeout=30).text
    (said,) = re.findall(r'^review_copilot_request_seconds_sum{route="/predict"} (\S+)', page, re.MULTILINE)
    return float(said)


@pytest.mark.timeout(1200)
def test_a_thousand_slow_tasks_end_with_a_thousand_predictions(
    label_studio: LabelStudioServer,
    label_studio_client: LabelStudioClient,
    tmp_path: Path,
) -> None:
    patience = {"look_s": LOOK_S, "concurrency": SLOTS, "deadline_s": DEADLINE_S, "settle_s": SETTLE_S}
    with slow.served(label_studio, tmp_path, **patience) as backend:
        copilot = backend.copilot
        project = label_studio_client.create_project(title="A thousand", label_config="<View/>")
        connect(
            copilot.client, project.id, backend=copilot.backend, options=ConnectOptions(guideline=copilot.guideline)
        )
        label_studio_client.import_tasks(project.id, [{"image": f"http://images.test/{n}.png"} for n in range(TASKS)])
        with slow.finishing(backend):
            began = time.monotonic()
            requests.post(
                f"{label_studio.url}/api/dm/actions",
                params={"id": "retrieve_tasks_predictions", "project": str(project.id)},
                json={"selectedItems": {"all": True, "excluded": []}, "ordering": []},
                headers={"Authorization": f"Token {label_studio.account.legacy_token}"},
                timeout=100 + TASKS,  # it stores what it was answered before it answers itself
            ).raise_for_status()
            answered_s = seconds_of_predict(backend)
            at_first = sum(label_studio_client.model_versions(project.id).values())
            slow.wait_for(backend, pending=0, within_s=1.5 * TASKS * LOOK_S / SLOTS + 120)
            all_s = time.monotonic() - began
        workspace = copilot.opener.open(project.id)
        stored = [p.task_id for p in workspace.predictions(rollout=copilot.rollout(workspace.key))]
        logging.getLogger(__name__).info(
            "answered after %.1f s with %d, all %d stored after %.0f s", answered_s, at_first, len(stored), all_s
        )
        assert 0 < at_first < TASKS, "Label Studio stores what it was answered before it gives up, and nothing later"
        assert stored == sorted(workspace.task_ids())
        assert len(stored) == TASKS
        assert len(backend.inspector.seen) == TASKS
        label_studio_client.delete_project(project.id)
