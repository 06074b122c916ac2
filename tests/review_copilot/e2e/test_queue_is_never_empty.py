"""New tasks and new roll-outs on a real Label Studio: whatever interrupts a run, `/next` shows a draft."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page

from command_line import Done, typed
from editor import Editor
from fake_endpoint import FakeEndpoint, Turn, endpoint, finding, reply
from pictures import noise_uris
from review_copilot.demo.backend_process import running_backend
from review_copilot.demo.label_studio_server import LabelStudioServer, free_port
from review_copilot.demo.run_demo import as_environment, demo_settings
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.library import source_of_guideline

pytestmark = [pytest.mark.labelstudio, pytest.mark.browser]
TASKS = 6
PRICES = "prices: [{match: a-model, input: 10, cached: 1, output: 50, read: '2026-11'}]\n"
BUDGET_USD = "0.06"
"""Covers a few calls of 1.15 cents, with what a call may cost at most reserved."""


class Model:
    """One finding in every image. It answers as many requests as it is allowed to; the others wait."""

    def __init__(self) -> None:
        self._gate = threading.Condition()
        self._left: int | None = None
        self.waiting = False

    def allow(self, most: int | None) -> None:
        """Answer so many requests more; all for None."""
        with self._gate:
            self._left, self.waiting = most, False
            self._gate.notify_all()

    def __call__(self, turn: Turn) -> str:
        with self._gate:
            while self._left == 0:
                self.waiting = True
                self._gate.wait(60)
            self._left = None if self._left is None else self._left - 1
        return reply(finding(turn.criteria[0], [100, 100, 400, 500]), verdict="fail", looked_at=turn.criteria)


@dataclass(frozen=True)
class Stream:
    """One project as its reviewers and its admin see it."""

    server: LabelStudioServer
    client: LabelStudioClient
    project_id: int
    environment: Mapping[str, str]
    folder: Path

    def command(self, name: str, *words: str) -> Done:
        return typed(*name.split(), "--project", str(self.project_id), *words, cwd=self.folder, **self.environment)

    @contextmanager
    def preannotating(self) -> Iterator[subprocess.Popen[str]]:
        """The command as a process of its own, to be interrupted."""
        # whoever starts the tests in the background may have told them to ignore the signal
        words = ["env", "--default-signal=INT", sys.executable, "-m", "review_copilot.cli"]
        words += ["preannotate", "--project", str(self.project_id)]
        with subprocess.Popen(
            words, cwd=self.folder, env={**os.environ, **self.environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            yield process

    def next_version(self) -> str:
        """The version of the draft that the label stream shows in its next task."""
        answer = requests.get(
            f"{self.server.url}/api/projects/{self.project_id}/next",
            headers={"Authorization": f"Token {self.server.account.legacy_token}"},
            timeout=60,
        ).json()
        (prediction,) = answer["predictions"]
        assert prediction["result"], "a draft without a region or a verdict"
        return str(prediction["model_version"])

    def by_task(self) -> dict[int, dict[str, int]]:
        """Task id to the newest prediction of each version."""
        found: dict[int, dict[str, int]] = {}
        for task in self.client.tasks(self.project_id, include=("id", "predictions")):
            ordered: Sequence[Mapping[str, Any]] = sorted(task["predictions"], key=lambda p: p["id"])
            found[task["id"]] = {p["model_version"]: p["id"] for p in ordered}
        return found

    def shown(self) -> str:
        """The one version that every task shows a draft of, in the label stream and by the pinned version."""
        pinned = self.client.project(self.project_id).model_version
        blank = [task_id for task_id, held in self.by_task().items() if pinned not in held]
        assert not blank, f"tasks {blank} show no draft of {pinned}"
        assert self.next_version() == pinned
        return pinned

    def wait_for_drafts(self, *, of: int, version: str = "", within_s: float = 40.0) -> None:
        """Return when so many tasks have a draft, of any version or of one."""
        ends_at = time.monotonic() + within_s
        while sum((version in held) if version else bool(held) for held in self.by_task().values()) < of:
            assert time.monotonic() < ends_at, f"after {within_s} s: {self.by_task()}"
            time.sleep(0.5)


@contextmanager
def stream(
    server: LabelStudioServer, client: LabelStudioClient, running: FakeEndpoint, folder: Path
) -> Iterator[Stream]:
    """A connected project without tasks, and its backend."""
    (folder / "prices.yaml").write_text(PRICES, encoding="utf-8")
    (folder / "listing.yaml").write_text(source_of_guideline("photo-quality"), encoding="utf-8")
    settings = demo_settings(server.url, token=server.account.legacy_token, port=free_port(), folder=folder).model_copy(
        update={
            "inspector": "openai", "model": "a-model", "model_base_url": running.url, "model_close_ups": 0,
            "model_max_tokens": 128,
            "model_prices": folder / "prices.yaml", "concurrency": 1, "sweep_every_s": 3600.0,
        }
    )  # fmt: skip
    environment = as_environment(settings)
    with running_backend(environment=environment, port=settings.port, folder=folder):
        words = ("connect", "--create", "Never empty", "--guideline", str(folder / "listing.yaml"))
        done = typed(*words, cwd=folder, **environment)
        assert done.returncode == 0, done.stderr
        (number,) = re.findall(r"^Project (\d+)", done.stdout, re.MULTILINE)
        yield Stream(server, client, int(number), environment, folder)


def interrupt(project: Stream, model: Model, how: signal.Signals) -> None:
    """Start a run, and interrupt it while the model works on its second task."""
    model.allow(1)
    with project.preannotating() as process:
        while not model.waiting:
            assert process.poll() is None, process.stdout and process.stdout.read()
            time.sleep(0.1)
        process.send_signal(how)
        if how is signal.SIGINT:
            model.allow(None)
        process.wait(60)
    model.allow(None)
    assert process.returncode != 0


@pytest.mark.timeout(600)
def test_reviewers_always_find_a_draft(
    label_studio: LabelStudioServer, label_studio_client: LabelStudioClient, page: Page, tmp_path: Path
) -> None:
    """Imports, and a second roll-out after a limit, a spent budget, Ctrl-C, and kill -9; then back."""
    model, images = Model(), noise_uris(TASKS + 1)
    with endpoint(model) as running, stream(label_studio, label_studio_client, running, tmp_path) as project:
        label_studio_client.import_tasks(project.project_id, [{"image": image} for image in images[:TASKS]])
        project.wait_for_drafts(of=TASKS)
        assert project.next_version().startswith("listing r1 "), "no command drafted it"
        done = project.command("preannotate")
        assert f"{TASKS} already had a draft" in done.stdout, done.stderr
        assert len(running.turns) == TASKS
        first = project.shown()

        changed = source_of_guideline("photo-quality").replace("Technical", "Plain technical", 1)
        (tmp_path / "listing.yaml").write_text(changed, encoding="utf-8")
        assert project.command("project set", "--guideline", str(tmp_path / "listing.yaml")).returncode == 0
        time.sleep(6)  # the backend reads the setup again after 5 s
        label_studio_client.import_tasks(project.project_id, [{"image": images[TASKS]}])
        project.wait_for_drafts(of=TASKS + 1, version=first)
        assert project.shown() == first

        done = project.command("preannotate", "--limit", "2")
        assert f"Reviewers still see {first}: {TASKS - 1} tasks have only that draft." in done.stdout, done.stderr
        assert project.shown() == first
        calls = len(running.turns)
        done = project.command("preannotate", "--budget", BUDGET_USD)
        assert (done.returncode, "Stopped: " in done.stderr) == (1, True), done.stderr
        assert len(running.turns) < calls + TASKS - 1
        assert project.shown() == first

        interrupt(project, model, signal.SIGINT)
        assert project.shown() == first
        interrupt(project, model, signal.SIGKILL)
        assert project.shown() == first
        editor = Editor(page, url=label_studio.url, project_id=project.project_id)
        assert editor.wait_for_regions(bool)
        opened, old = editor.task_id, project.by_task()

        done = project.command("preannotate")
        assert f"It replaces {first}." in done.stdout, done.stderr
        second = project.shown()
        assert second.startswith("listing r2 ")
        editor.submit()
        tasks = label_studio_client.tasks(project.project_id, include=("id", "annotations", "parent_prediction"))
        (annotation,) = next(task["annotations"] for task in tasks if task["id"] == opened)
        assert annotation["parent_prediction"] == old[opened][first], "opened before the switch, submitted after it"

        calls = len(running.turns)
        done = project.command("rollback")
        assert f"{first} is shown again" in done.stdout, done.stderr
        assert project.shown() == first
        assert len(running.turns) == calls
    label_studio_client.delete_project(project.project_id)
