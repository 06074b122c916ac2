"""Create review contexts of workers: processes of a command, or actors of a cluster."""

from __future__ import annotations

from dataclasses import replace

from review_copilot.bootstrap.reviewing import SystemClock, image_fetcher, one_setup
from review_copilot.flows.review_context import ReviewContext
from review_copilot.ports import Shared
from review_copilot.settings import Settings


def worker_context(settings: Settings, shared: Shared) -> ReviewContext:
    """The review context of a worker: a process of its own, or an actor on a cluster.

    It opens the database only if model calls share limits and replies in it.

    Args:
        settings: The run's settings.
        shared: Limits and budget that the run passes to the worker.
    """
    if settings.model and settings.database_is_shared:
        from review_copilot.bootstrap.process import open_process  # noqa: PLC0415  most workers need no database

        return open_process(settings, shared=shared).setup_of()
    return one_setup(settings, images=image_fetcher(settings), clock=SystemClock(), shared=shared)()


def files_context(settings: Settings) -> ReviewContext:
    """The review context for files that are given on the command line."""
    return replace(worker_context(settings, Shared()), images=image_fetcher(settings, plain_files=True))
