"""Retrieving predictions for many slow tasks: the page comes back in time, and each task has one draft in the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pytest
import requests
from werkzeug.serving import make_server

from fake_label_studio import FakeImages, FakeInspector
from review_copilot.bootstrap import Copilot, SystemClock
from review_copilot.demo.label_studio import LabelStudioServer
from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.flows.predict import Counter
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connect import ProjectWish, connect
from review_copilot.ports import ImageSource, Inspector
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from review_copilot.web.finisher import Finisher

pytestmark = pytest.mark.labelstudio

TASKS = 30
LOOK_S = 0.5
DEADLINE_S = 3.0
SEATS = 2


class SlowInspector(FakeInspector):
    """Takes its time, as a large model does."""

    def inspect(self, brief: Brief) -> Inspection:
        time.sleep(LOOK_S)
        return super().inspect(brief)


class SlowCopilot(Copilot):
    """A copilot with a slow inspector, and little patience with Label Studio."""

    @cached_property
    def inspector(self) -> Inspector:
        return SlowInspector()

    @cached_property
    def images(self) -> ImageSource:
        return FakeImages()

    @cached_property
    def counter(self) -> Counter:
        return Counter(self.desk, self.store, self.bench, deadline_s=DEADLINE_S, delivers=True, settle_s=2.0)


def a_copilot(server: LabelStudioServer, folder: Path, *, port: int) -> SlowCopilot:
    settings = load_settings(
        _env_file=None,
        label_studio_url=server.url,
        label_studio_token=server.account.legacy_token,
        database_url=f"sqlite:///{folder}/log.db",
        password="open sesame",
        port=port,
        concurrency=SEATS,
    )
    return SlowCopilot(settings, SystemClock())


def close(copilot: SlowCopilot) -> None:
    copilot.bench.close(timeout_s=5)
    copilot.client.close()
    copilot.store.close()


@contextmanager
def served(server: LabelStudioServer, folder: Path) -> Iterator[SlowCopilot]:
    """The backend on a free port; its requests are answered, and nothing works in the background."""
    http = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    copilot = a_copilot(server, folder, port=http.server_port)
    http.app = create_app(copilot)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield copilot
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
        close(copilot)


@contextmanager
def finishing(copilot: SlowCopilot) -> Iterator[None]:
    finisher = Finisher(copilot)
    finisher.start()
    try:
        yield
    finally:
        finisher.stop(timeout_s=60)


def wait_for(copilot: SlowCopilot, *, owed: int, within_s: float) -> None:
    ends_at = time.monotonic() + within_s
    while copilot.store.owed() > owed:
        assert time.monotonic() < ends_at, f"{copilot.store.owed()} drafts are owed still"
        time.sleep(0.5)


def test_late_drafts_come_later_and_once_and_survive_a_restart(
    label_studio: LabelStudioServer, label_studio_client: LabelStudioClient, tmp_path: Path
) -> None:
    """30 tasks of half a second on two seats, asked for with 3 s of patience; the first backend then stops for good."""
    with served(label_studio, tmp_path) as copilot:
        wish = ProjectWish(guideline=copilot.guideline)
        project = label_studio_client.create_project(title="Slow drafts", label_config="<View/>")
        connect(copilot.client, project.id, backend=copilot.backend, wish=wish)
        label_studio_client.import_tasks(project.id, [{"image": f"http://images.test/{n}.png"} for n in range(TASKS)])
        began = time.monotonic()
        answer = requests.post(
            f"{label_studio.url}/api/dm/actions",
            params={"id": "retrieve_tasks_predictions", "project": str(project.id)},
            json={"selectedItems": {"all": True, "excluded": []}, "ordering": []},
            headers={"Authorization": f"Token {label_studio.account.legacy_token}"},
            timeout=100,
        )
        took_s = time.monotonic() - began
        assert answer.status_code == 200
        assert took_s < DEADLINE_S + 10
        at_first = sum(label_studio_client.model_versions(project.id).values())
        assert 0 < at_first < TASKS
        assert copilot.store.owed() == TASKS
    reopened = a_copilot(label_studio, tmp_path, port=0)
    with finishing(reopened):
        wait_for(reopened, owed=0, within_s=90)
    workspace = reopened.opener.open(project.id)
    rollout = reopened.rollout(workspace.key)
    stored = [prediction.task_id for prediction in workspace.predictions(rollout=rollout)]
    assert stored == sorted(workspace.task_ids())
    looked = len(copilot.inspector.seen) + len(reopened.inspector.seen)  # type: ignore[attr-defined]  # the slow ones'
    assert looked == TASKS
    close(reopened)
    label_studio_client.delete_project(project.id)
