"""Backends as processes of their own: `review-copilot serve`, a gunicorn master and its worker each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from review_copilot.demo.label_studio_server import free_port
from review_copilot.labelstudio.label_config import generate
from review_copilot.library import load_guideline

PASSWORD = "open sesame"
AUTH = ("copilot", PASSWORD)


@dataclass
class BackendProcess:
    """A running backend."""

    settings: Mapping[str, object]
    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        own = {"password": PASSWORD, "port": self.port, "label_studio_url": "http://127.0.0.1:1"}
        names = {f"REVIEW_COPILOT_{name.upper()}": str(value) for name, value in {**own, **self.settings}.items()}
        command = [sys.executable, "-m", "review_copilot.cli", "serve"]
        with (self.folder / f"{self.port}.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env={**os.environ, **names}, stdout=log, stderr=log, start_new_session=True
            )
        ends_at = time.monotonic() + 60
        while time.monotonic() < ends_at and self._process.poll() is None:
            try:
                if requests.get(f"{self.url}/health", timeout=2).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError((self.folder / f"{self.port}.log").read_text())

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End master and worker; SIGKILL is what a power cut is like."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, how)
            self._process.wait(30)

    def predict(
        self, images: Sequence[str], *, first_id: int = 1, box: object = None, patience_s: float = 120
    ) -> list[Any]:
        """Ask for drafts as Label Studio does; one result for each image."""
        tasks = [{"id": first_id + number, "data": {"image": image}} for number, image in enumerate(images)]
        config = generate(load_guideline("photo-quality"))
        body = {"project": "7.1", "label_config": config, "tasks": tasks, "params": {}}
        if box is not None:
            body["params"] = {"context": {"result": [box]}}
        answer = requests.post(f"{self.url}/predict", json=body, auth=AUTH, timeout=patience_s)
        assert answer.ok, answer.text
        found: list[Any] = answer.json()["results"]
        return found


@contextmanager
def backends(number: int, *, settings: Mapping[str, object], folder: Path) -> Iterator[list[BackendProcess]]:
    """So many backends with the same settings, until the end of the block."""
    with ExitStack() as stack:
        started = []
        for _ in range(number):
            process = BackendProcess(settings, folder)
            process.start()
            stack.callback(process.end)
            started.append(process)
        yield started
