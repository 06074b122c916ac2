"""Waiting for processes that we started, ending them, and reading what they said. Knows no program."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import requests

from review_copilot.errors import DemoFailed

STOP_WITHIN_S = 10.0
TAIL_LINES = 25


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything that it started; returns when it is gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_WITHIN_S)
            break
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def wait_until_answering(
    url: str,
    process: subprocess.Popen[bytes],
    *,
    name: str,
    within_s: float,
    log: Path,
    said: Callable[[], str],
) -> None:
    """Return when a GET of the URL is answered well.

    Args:
        url: Its health page.
        process: Who should answer.
        name: What people call it.
        within_s: Seconds to wait.
        log: Its log file, for the hint.
        said: The end of its log, without secrets.

    Raises:
        DemoFailed: It ended, or did not answer in time; carries what it said.
    """
    began = time.monotonic()
    while time.monotonic() - began < within_s:
        if (code := process.poll()) is not None:
            raise DemoFailed(
                f"{name} ended with exit code {code} before it was ready:\n{said()}", hint=f"The whole log is {log}."
            )
        with suppress(requests.RequestException):
            if requests.get(url, timeout=5).ok:
                return
        time.sleep(0.1)
    raise DemoFailed(
        f"{name} did not answer at {url} within {within_s:.0f} s:\n{said()}", hint=f"The whole log is {log}."
    )


def tail(path: Path, *, lines: int = TAIL_LINES) -> str:
    """The last lines of a text file."""
    return "\n".join(path.read_text("utf-8", errors="replace").splitlines()[-lines:])
