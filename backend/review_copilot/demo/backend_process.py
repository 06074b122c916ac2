"""Run the backend as a separate process, for the demo and the end-to-end tests. Knows no Label Studio."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from review_copilot.demo.child_process import end_group, tail, wait_until_answering

READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class BackendProcess:
    """A running backend.

    Attributes:
        url: Base URL, without a trailing slash.
        pid: Process id, which is also the id of its process group.
        log: File with its output.
    """

    url: str
    pid: int
    log: Path


@contextmanager
def running_backend(*, environment: Mapping[str, str], port: int, folder: Path) -> Iterator[BackendProcess]:
    """Run a backend during the block. Leaves no process behind.

    Args:
        environment: Settings, as `REVIEW_COPILOT_...` variables. The caller's other settings are not passed on.
        port: Loopback port to listen on.
        folder: Working directory, also for the log file.

    Raises:
        DemoFailed: It exited or did not respond in time. The message contains the end of the log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "backend.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REVIEW_COPILOT_")}
    command = [sys.executable, "-m", "review_copilot.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("ab") as sink:
        process = subprocess.Popen(  # noqa: S603  # a fixed command
            command, env={**inherited, **environment}, cwd=folder, stdout=sink, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    backend = BackendProcess(url=f"http://127.0.0.1:{port}", pid=process.pid, log=log)
    try:
        wait_until_answering(
            f"{backend.url}/health",
            process,
            name="The backend",
            within_s=READY_WITHIN_S,
            log=log,
            log_end=lambda: tail(log),
        )
        yield backend
    finally:
        end_group(process)
