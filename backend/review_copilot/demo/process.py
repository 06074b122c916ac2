"""Ending processes that we started, and reading what they said. Knows no program."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

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


def tail(path: Path, *, lines: int = TAIL_LINES) -> str:
    """The last lines of a text file."""
    return "\n".join(path.read_text("utf-8", errors="replace").splitlines()[-lines:])
