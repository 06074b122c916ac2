"""Reduce logging in commands that print failures themselves."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import typer

_FAILURES = logging.getLogger("review_copilot.flows.review_context")


def quiet_failures(command: typer.Context) -> None:
    """Do not log failed tasks for the rest of a command, because it lists them in order at its end."""
    command.with_resource(_without_failures())


def quiet_failures_in_worker() -> None:
    """Do not log failed tasks in this worker process, because the command that started it lists them at its end."""
    _FAILURES.setLevel(logging.ERROR)


@contextmanager
def _without_failures() -> Iterator[None]:
    """Raise the level of the logger, and restore it at the end: a command can be part of a longer process."""
    before = _FAILURES.level
    _FAILURES.setLevel(logging.ERROR)
    try:
        yield
    finally:
        _FAILURES.setLevel(before)
