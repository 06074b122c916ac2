"""A real Label Studio, a real backend and whatever may befall them. Knows no reviewer."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from review_copilot.demo import label_studio as ls
from review_copilot.demo.backend import BackendProcess, running_backend
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.labelstudio.transport import Transport

SECRET = "knock knock"


@dataclass
class Backend:
    """The backend as a process that can be killed and started again on the same port and database."""

    url: str
    environment: dict[str, str]
    folder: Path
    _stack: ExitStack = field(default_factory=ExitStack)
    _process: BackendProcess | None = None

    def start(self) -> None:
        port = int(self.url.rpartition(":")[2])
        running = running_backend(environment=self.environment, port=port, folder=self.folder)
        self._process = self._stack.enter_context(running)

    def kill(self) -> None:
        """SIGKILL to the server and its workers: nobody gets to tidy up."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._stack.close()

    def stop(self) -> None:
        self._stack.close()

    def sync(self, project_id: int) -> str:
        """Run `review-copilot sync` beside it; returns what it printed."""
        command = [sys.executable, "-m", "review_copilot.cli", "sync", "--project", str(project_id)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("REVIEW_COPILOT_")}
        done = subprocess.run(
            command, env=inherited | self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@dataclass
class LabelStudio:
    """A Label Studio that can be restarted on the same port and data."""

    environment: Path
    data: Path
    port: int = field(default_factory=ls.free_port)
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return ls.Account().legacy_token

    def start(self) -> None:
        options = ls.ServerOptions(port=self.port)
        self._stack.enter_context(ls.running(self.environment, data=self.data, options=options))

    def stop(self) -> None:
        self._stack.close()

    def client(self) -> LabelStudioClient:
        return LabelStudioClient(Transport(self.url, self.token))


class Road:
    """Carries webhooks from Label Studio to the backend, and doubles, reorders and loses some, the same by seed."""

    def __init__(self, target: str, *, seed: int) -> None:
        self._target = target
        self._random = random.Random(seed)
        self._held: list[bytes] = []
        self._lock = threading.Lock()
        self.bad = False
        self.told = 0
        road = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # a name that http.server looks for
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                road._take(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhook"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def settle(self) -> None:
        """Deliver what was held back, the youngest first."""
        with self._lock:
            held, self._held = self._held, []
        for body in reversed(held):
            self._deliver(body)

    def _take(self, body: bytes) -> None:
        self.told += 1
        fate = self._random.random() if self.bad else 1.0
        if fate < 0.3:
            return
        if fate < 0.5:
            with self._lock:
                self._held.append(body)
            return
        for _ in range(2 if fate < 0.75 else 1):
            self._deliver(body)

    def _deliver(self, body: bytes) -> None:
        headers = {SECRET_HEADER: SECRET, "Content-Type": "application/json"}
        with suppress(requests.RequestException):
            requests.post(f"{self._target}/webhook", data=body, headers=headers, timeout=1)


def lock_database(file: Path, *, seconds: float) -> None:
    """Hold SQLite's write lock, as a backup or a careless tool does."""
    connection = sqlite3.connect(file, timeout=30, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    time.sleep(seconds)
    connection.execute("ROLLBACK")
    connection.close()


class SmallDisk:
    """A file system of a few megabytes that can be filled to the last byte and emptied again."""

    def __init__(self, folder: Path, *, megabytes: int = 8) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._filler = folder / "filler"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
        )
        self.mounted = done.returncode == 0

    def fill(self) -> None:
        with self._filler.open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(b"\0" * 4096)

    def empty(self) -> None:
        self._filler.unlink()

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self._folder)], check=False)
