"""Wait for child processes, end them, and read their logs. Knows no program."""

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
SAY_EVERY_S = 10.0


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all processes that it started. Returns when the process has ended."""
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
    log_end: Callable[[], str],
    say: Callable[[str], None] = lambda _line: None,
    say_every_s: float = SAY_EVERY_S,
) -> None:
    """Wait until a GET request to the URL succeeds.

    Args:
        url: Health page of the process.
        process: The process that should answer.
        name: Its name in messages.
        within_s: Maximum wait, in seconds.
        log: Its log file, for the hint.
        log_end: Returns the end of its log, without secrets.
        say: Called with a line of progress.
        say_every_s: Seconds between two lines.

    Raises:
        DemoFailed: It exited or did not respond in time. The message contains the end of the log.
    """
    began = said_at = time.monotonic()
    while time.monotonic() - began < within_s:
        if (code := process.poll()) is not None:
            raise DemoFailed(
                f"{name} exited with code {code} before it was ready:\n{log_end()}", hint=f"See the whole log in {log}."
            )
        with suppress(requests.RequestException):
            if requests.get(url, timeout=5).ok:
                return
        if (now := time.monotonic()) - said_at >= say_every_s:
            said_at = now
            say(f"  {now - began:4.0f} s  {name} is still starting ...")
        time.sleep(0.1)
    raise DemoFailed(
        f"{name} did not respond at {url} within {within_s:.0f} s:\n{log_end()}", hint=f"See the whole log in {log}."
    )


def tail(path: Path, *, lines: int = TAIL_LINES) -> str:
    """The last lines of a text file."""
    return "\n".join(path.read_text("utf-8", errors="replace").splitlines()[-lines:])
