"""What workers review with: processes of a command, actors of a cluster. Opens a database only if it must."""

from __future__ import annotations

from dataclasses import replace

from review_copilot.bootstrap.reviewing import SystemClock, image_fetcher, one_setup
from review_copilot.flows.review_context import ReviewContext
from review_copilot.ports import Shared
from review_copilot.settings import Settings


def worker_context(settings: Settings, shared: Shared) -> ReviewContext:
    """What a worker of a run reviews with: a process of its own, or an actor on a cluster.

    It opens the database only where model calls share limits and replies through it.

    Args:
        settings: The run's settings.
        shared: What the run gave the worker.
    """
    if settings.model and settings.database_is_shared:
        from review_copilot.bootstrap.process import open_process  # noqa: PLC0415  most workers need no database

        return open_process(settings, shared=shared).setup_of()
    return one_setup(settings, images=image_fetcher(settings), clock=SystemClock(), shared=shared)()


def files_context(settings: Settings) -> ReviewContext:
    """What reviews the command line's own files."""
    return replace(worker_context(settings, Shared()), images=image_fetcher(settings, plain_files=True))
