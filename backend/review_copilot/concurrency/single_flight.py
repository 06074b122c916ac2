"""One run for identical requests at the same time. Knows nothing about the requests.

Named after Go's `golang.org/x/sync/singleflight`, which does the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from review_copilot.errors import RequestAbandoned

_T = TypeVar("_T")


class SingleFlight(Generic[_T]):
    """Shares a result among all callers that request it while it is being computed. Stores nothing after that."""

    def __init__(self) -> None:
        """Start without requests."""
        self._running: dict[Hashable, Future[_T]] = {}
        self._lock = threading.Lock()

    def run(self, key: Hashable, work: Callable[[], _T]) -> _T:
        """The result of a request: from a caller that is already computing it, or from `work`.

        If the first caller abandons the work, one of the others does it.

        Args:
            key: The request; equal keys are identical requests.
            work: Computes the result.

        Raises:
            Exception: The exception that the work raised, for all callers.
        """
        while True:
            with self._lock:
                running = self._running.get(key)
                if running is None:
                    ours = self._running[key] = Future[_T]()
                    break
            try:
                return running.result()
            except RequestAbandoned:  # the first caller has left; this one has not
                continue
        try:
            answer = work()
        except BaseException as error:
            self._forget(key)
            ours.set_exception(error)
            raise
        self._forget(key)
        ours.set_result(answer)
        return answer

    def _forget(self, key: Hashable) -> None:
        with self._lock:
            del self._running[key]
