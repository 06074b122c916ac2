"""The process that a command opens. It is closed when the command ends, also after an error."""

from __future__ import annotations

from contextlib import ExitStack

from review_copilot.bootstrap.process import Process, open_process
from review_copilot.ports import Shared
from review_copilot.settings import Settings

_opened = ExitStack()


def process_of(settings: Settings, *, shared: Shared | None = None) -> Process:
    """Open the process of a command; see `bootstrap.process.open_process`. `close_processes` closes it."""
    process = open_process(settings, shared=shared)
    _opened.callback(process.close)
    return process


def close_processes() -> None:
    """Close every process that commands have opened."""
    _opened.close()
