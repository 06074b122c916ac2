"""Threads or processes that review files for a command. Knows no review."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import cv2

from review_copilot.bootstrap.workers import files_context
from review_copilot.cli.quiet_logging import quiet_failures_in_worker
from review_copilot.domain.review import Review, ReviewTask
from review_copilot.errors import InspectorError
from review_copilot.flows.inspect_files import file_review
from review_copilot.flows.review_context import ReviewContext
from review_copilot.settings import Settings

MEASURING = "builtin"
"""The inspector that computes on this machine's cores; the others wait for a model."""
WORTH_PROCESSES = 24
"""Minimum number of files for which starting processes, about a second each, saves time."""

_context: ReviewContext | None = None


@dataclass(frozen=True, slots=True)
class FileWorkers:
    """Workers that review files.

    Attributes:
        pool: Runs the reviews.
        review: Reviews one file; can be pickled for the pool.
        size: Maximum number of simultaneous reviews.
    """

    pool: Executor
    review: Callable[[ReviewTask], Review]
    size: int


@contextmanager
def file_workers(settings: Settings, *, files: int) -> Iterator[FileWorkers]:
    """Start one process per core for many files of the built-in inspector, else threads.

    Ctrl-C cancels the files that are waiting; files in progress are finished.

    Raises:
        LibraryError: The guideline cannot be read.
        InspectorError: A worker process was killed.
    """
    size = _cores()
    context = files_context(settings)  # wrong settings are reported here, not by each process
    use_processes = settings.inspector == MEASURING and files >= WORTH_PROCESSES and size > 1
    if use_processes:  # not forked, because this process may have threads
        pool: Executor = ProcessPoolExecutor(
            size, mp_context=get_context("spawn"), initializer=_initialize, initargs=(settings,)
        )
        _start_all(pool, size)
        review: Callable[[ReviewTask], Review] = _review_in_worker
    else:
        pool = ThreadPoolExecutor(size, thread_name_prefix="inspect")
        review = file_review(context)
    try:
        yield FileWorkers(pool, review, size)
    except BrokenExecutor as error:
        raise InspectorError(
            "A worker process was killed while it inspected an image.",
            hint="The machine may be out of memory. Inspect fewer files at once, or free memory.",
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _cores() -> int:
    """Number of cores that this process may use; containers and `taskset` can allow fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start_all(pool: Executor, size: int) -> None:
    """Start every process now, with Ctrl-C ignored: a process inherits the signals that its parent ignores."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for _ in range(size):
            pool.submit(os.getpid)
    finally:
        signal.signal(signal.SIGINT, before)


def _initialize(settings: Settings) -> None:
    """Prepare a worker process: one core, and its own review context."""
    global _context  # noqa: PLW0603  one context for all files of this process
    cv2.setNumThreads(1)
    quiet_failures_in_worker()
    _context = files_context(settings)


def _review_in_worker(task: ReviewTask) -> Review:
    if _context is None:
        raise RuntimeError("The worker process has no review context.")
    return file_review(_context)(task)
