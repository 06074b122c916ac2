"""One limit on concurrent work, shared by all requests. Knows no task, no project, and no model.

The most urgent work runs first. Work that is requested twice runs once. Canceled work never starts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from itertools import count
from typing import Generic, TypeVar

from review_copilot.domain.request_context import REQUEST_STATE, RequestState
from review_copilot.errors import RequestAbandoned

_T = TypeVar("_T")


class Urgency(IntEnum):
    """Priority of work, most urgent first."""

    MAGIC = 0
    """A reviewer who uses the Magic tool."""
    ASKED = 1
    """A request from Label Studio."""
    OWED = 2
    """No one is waiting; the draft is delivered when it is ready."""


@dataclass
class _Job(Generic[_T]):
    key: Hashable
    work: Callable[[], _T]
    urgency: Urgency
    number: int
    future: Future[_T] = field(default_factory=Future)
    wishes: set[int] = field(default_factory=set)
    prepared: bool = False


@dataclass(frozen=True, eq=False)
class Ticket(Generic[_T]):
    """One request for work."""

    future: Future[_T]
    _withdraw: Callable[[], None]

    def withdraw(self) -> None:
        """Cancel the request. Work that no one else requested does not start, or makes no more model calls."""
        self._withdraw()


class PriorityPool(Generic[_T]):
    """Threads that run the work.

    One slot in addition to `concurrency` is reserved for `Urgency.MAGIC`: a reviewer with the Magic tool never waits
    for a bulk request that fills all other slots. Nothing else starts while that reviewer's image is being prepared.
    """

    def __init__(self, *, concurrency: int) -> None:
        """Create the pool; threads start with the first work.

        Args:
            concurrency: Maximum amount of concurrent work, not counting the slot for Magic; at least 1.
        """
        self._concurrency = concurrency
        self._lock = threading.Condition()
        self._waiting: dict[Hashable, _Job[_T]] = {}
        self._running: dict[Hashable, _Job[_T]] = {}
        self._numbers = count(1)
        self._threads: list[threading.Thread] = []
        self._closed = False

    def submit(self, key: Hashable, work: Callable[[], _T], *, urgency: Urgency) -> Ticket[_T]:
        """Request work. If work with the same key already waits or runs, it is shared, with the higher urgency."""
        wish = next(self._numbers)
        with self._lock:
            job = self._running.get(key) or self._waiting.get(key)
            if job is None:
                context = copy_context()  # keeps the request id in log lines
                job = self._waiting[key] = _Job(key, partial(context.run, work), urgency, wish)
                context.run(
                    REQUEST_STATE.set,
                    RequestState(partial(_wanted, job), partial(_urgent, job), partial(self._prepared, job)),
                )
                self._hire()
            job.urgency = min(job.urgency, urgency)
            job.wishes.add(wish)
            self._lock.notify_all()
        return Ticket(job.future, lambda: self._withdraw(job, wish))

    @property
    def waiting(self) -> int:
        """Amount of work that has not started."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Amount of work that has started and is not finished."""
        return len(self._running)

    def close(self, *, timeout_s: float = 0.0) -> None:
        """Start no more work; wait this long for running work."""
        with self._lock:
            self._closed = True
            dropped = list(self._waiting.values())
            self._waiting.clear()
            self._lock.notify_all()
        for job in dropped:
            job.future.set_exception(RequestAbandoned("The backend is stopping."))
        ends_at = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, ends_at - time.monotonic()))

    def _withdraw(self, job: _Job[_T], wish: int) -> None:
        with self._lock:
            job.wishes.discard(wish)
            if job.wishes or self._waiting.get(job.key) is not job:
                return
            del self._waiting[job.key]
        job.future.set_exception(RequestAbandoned("The request was canceled."))

    def _hire(self) -> None:
        if len(self._threads) <= self._concurrency:
            thread = threading.Thread(target=self._work, name=f"priority-pool-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                result = job.work()
            except BaseException as error:  # noqa: BLE001  # handed to whoever waits
                self._done(job)
                job.future.set_exception(error)
            else:
                self._done(job)
                job.future.set_result(result)

    def _next(self) -> _Job[_T] | None:
        with self._lock:
            while True:
                if self._closed:
                    return None
                best = _most_urgent(self._waiting.values())
                if best is not None and (best.urgency is Urgency.MAGIC or self._has_room()):
                    self._running[best.key] = self._waiting.pop(best.key)
                    return best
                self._lock.wait()

    def _has_room(self) -> bool:
        if any(job.urgency is Urgency.MAGIC and not job.prepared for job in self._running.values()):
            return False
        return len(self._running) < self._concurrency

    def _prepared(self, job: _Job[_T]) -> None:
        with self._lock:
            job.prepared = True
            self._lock.notify_all()

    def _done(self, job: _Job[_T]) -> None:
        with self._lock:
            del self._running[job.key]
            self._lock.notify_all()


def _most_urgent(jobs: Iterable[_Job[_T]]) -> _Job[_T] | None:
    return min(jobs, key=lambda job: (job.urgency, job.number), default=None)


def _wanted(job: _Job[_T]) -> bool:
    return bool(job.wishes)


def _urgent(job: _Job[_T]) -> bool:
    return job.urgency is Urgency.MAGIC
