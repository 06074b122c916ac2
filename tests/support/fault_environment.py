"""A real Label Studio, a real backend and whatever may befall them. Knows no reviewer."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path

import requests

from review_copilot.demo import label_studio_server as ls
from review_copilot.demo.backend_process import BackendProcess, running_backend
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.labelstudio.transport import Transport

SECRET = "knock knock"
UNDER_FAKETIME = Path(__file__).parent / "under_faketime"
"""Python's path where time is faked."""


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

    def pids(self) -> list[int]:
        """The server and its workers, which are all of its process group."""
        assert self._process is not None
        listed = subprocess.run(["ps", "-e", "-o", "pid=,pgid="], capture_output=True, text=True, check=True).stdout
        pairs = (line.split() for line in listed.splitlines())
        return [int(pid) for pid, group in pairs if int(group) == self._process.pid]

    def sync(self, project_id: int, *, token: str = "") -> str:
        """Run `review-copilot sync` beside it; returns what it printed.

        Args:
            project_id: What to sweep.
            token: Of Label Studio, where the backend has none.
        """
        command = [sys.executable, "-m", "review_copilot.cli", "sync", "--project", str(project_id)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("REVIEW_COPILOT_")}
        given = {"REVIEW_COPILOT_LABEL_STUDIO_TOKEN": token} if token else {}
        done = subprocess.run(
            command,
            env=inherited | self.environment | given,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@dataclass
class LabelStudio:
    """A Label Studio that can be restarted on the same port and data."""

    environment: Path
    data: Path
    port: int = field(default_factory=ls.free_port)
    variables: Mapping[str, str] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return ls.Account().legacy_token

    def start(self) -> None:
        options = ls.ServerOptions(port=self.port, environment=self.variables)
        self._stack.enter_context(ls.running(self.environment, data=self.data, options=options))

    def stop(self) -> None:
        self._stack.close()

    def client(self) -> LabelStudioClient:
        return LabelStudioClient(Transport(self.url, self.token))


@dataclass(frozen=True)
class OutcomeCounts:
    """What becomes of webhooks on their way, as shares of all; the rest arrives once and at once."""

    lost: float = 0.0
    late: float = 0.0
    doubled: float = 0.0


class Road:
    """Carries webhooks from Label Studio to the backends in turn, and doubles, reorders and loses some, by seed."""

    def __init__(self, targets: Sequence[str], *, seed: int) -> None:
        self._targets = cycle(targets)
        self._random = random.Random(seed)
        self._held: list[bytes] = []
        self._lock = threading.Lock()
        self.outcome_counts = OutcomeCounts()
        self.told = 0
        self.not_taken = 0
        """Deliveries that no backend has acknowledged."""
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
        with self._lock:
            self.told += 1
            fate, outcome_counts = self._random.random(), self.outcome_counts
            if fate < outcome_counts.lost:
                return
            if fate < outcome_counts.lost + outcome_counts.late:
                self._held.append(body)
                return
        for _ in range(2 if fate < outcome_counts.lost + outcome_counts.late + outcome_counts.doubled else 1):
            self._deliver(body)

    def _deliver(self, body: bytes) -> None:
        headers = {SECRET_HEADER: SECRET, "Content-Type": "application/json"}
        with self._lock:
            target = next(self._targets)
        try:
            requests.post(f"{target}/webhook", data=body, headers=headers, timeout=1).raise_for_status()
        except requests.RequestException:
            with self._lock:
                self.not_taken += 1


def lock_database(file: Path, *, seconds: float) -> None:
    """Hold SQLite's write lock, as a backup or a careless tool does."""
    connection = sqlite3.connect(file, timeout=30, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    time.sleep(seconds)
    connection.execute("ROLLBACK")
    connection.close()


class SmallDisk:
    """A file system of a few megabytes that can be filled to the last byte and emptied again."""

    def __init__(self, folder: Path, *, megabytes: int = 16) -> None:
        """Mount it.

        Raises:
            MountRefused: This user, or this machine, may not.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._filler = folder / "filler"
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise MountRefused(done.stderr)

    def fill(self) -> None:
        with self._filler.open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(b"\0" * 4096)

    def empty(self) -> None:
        self._filler.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self._folder)], check=False)


class MountRefused(Exception):
    """No file system may be mounted here."""


def may_mount() -> bool:
    """Whether a small disk can be had."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            SmallDisk(Path(folder) / "disk").close()
        except MountRefused:
            return False
    return True


def limit_files(pids: Iterable[int], *, max_bytes: int) -> None:
    """Set a quota on the size of every file that the processes write; `resource.RLIM_INFINITY` lifts it."""
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (max_bytes, resource.RLIM_INFINITY))


class SteppingClock:
    """The wall clock of some processes, which can be set back while they run. Their monotonic clock goes on."""

    def __init__(self, folder: Path) -> None:
        """Find libfaketime.

        Raises:
            FileNotFoundError: It is not installed; says how to mend that.
        """
        roots = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
        found = [file for root in roots for file in Path(root).glob("**/faketime/libfaketimeMT.so.1")]
        if not found:
            raise FileNotFoundError("libfaketime is not installed. On Debian: apt-get install faketime")
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "clock"
        self._file.write_text("+0\n", encoding="utf-8")
        self.variables = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",  # gunicorn knows by a file's time whether a worker lives
            "PYTHONPATH": os.pathsep.join(filter(None, [str(UNDER_FAKETIME), os.environ.get("PYTHONPATH")])),
        }

    def set_back(self, *, hours: int) -> None:
        """For the processes that were started with `variables`, within a second."""
        self._file.write_text(f"-{hours}h\n", encoding="utf-8")
        time.sleep(1)
