"""Who reviews files for a command: threads, or a process for every core. Knows no review."""

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
from review_copilot.cli.quiet_logging import quiet_failures
from review_copilot.domain.review import Review, ReviewTask
from review_copilot.errors import InspectorError
from review_copilot.flows.inspect_files import file_review
from review_copilot.flows.review_context import ReviewContext
from review_copilot.settings import Settings

MEASURING = "builtin"
"""The inspector whose work is done on this machine's cores; the others wait for a model."""
WORTH_PROCESSES = 24
"""Files from which starting processes, about a second each, pays."""

_context: ReviewContext | None = None


@dataclass(frozen=True, slots=True)
class FileWorkers:
    """Where files are reviewed.

    Attributes:
        pool: Runs the reviews.
        review: Reviews one file; can be sent to the pool.
        size: How many reviews are made at once.
    """

    pool: Executor
    review: Callable[[ReviewTask], Review]
    size: int


@contextmanager
def file_workers(settings: Settings, *, files: int) -> Iterator[FileWorkers]:
    """A process for every core where measuring many files keeps them busy, else threads.

    On Ctrl-C what is not begun is given up, and what is begun is finished.

    Raises:
        LibraryError: The guideline cannot be read.
        InspectorError: A process was ended from outside.
    """
    size = _cores()
    context = files_context(settings)  # wrong settings are reported here, not by each process
    apart = settings.inspector == MEASURING and files >= WORTH_PROCESSES and size > 1
    if apart:  # not forked: this process may have threads already
        pool: Executor = ProcessPoolExecutor(
            size, mp_context=get_context("spawn"), initializer=_sit_down, initargs=(settings,)
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
            "A process that measured images was ended from outside.",
            hint="Memory may have run out: inspect fewer files at once, or free some.",
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _cores() -> int:
    """Cores that this process may use; containers and `taskset` leave it fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start_all(pool: Executor, size: int) -> None:
    """Start every process now, deaf to Ctrl-C from its first moment: a process inherits what its parent ignores."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for _ in range(size):
            pool.submit(os.getpid)
    finally:
        signal.signal(signal.SIGINT, before)


def _sit_down(settings: Settings) -> None:
    """What a process does first; each keeps to one core."""
    global _context  # noqa: PLW0603  one context for all files of this process
    cv2.setNumThreads(1)
    quiet_failures()
    _context = files_context(settings)


def _review_in_worker(task: ReviewTask) -> Review:
    if _context is None:
        raise RuntimeError("The process has no context.")
    return file_review(_context)(task)
