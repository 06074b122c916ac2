"""One run for all who ask the same thing at the same time. Knows nothing of what is asked.

The name is that of Go's `golang.org/x/sync/singleflight`, which does the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from review_copilot.errors import RequestAbandoned

_T = TypeVar("_T")


class SingleFlight(Generic[_T]):
    """Shares an answer among all who ask for it while it is being found. Keeps nothing afterwards."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._running: dict[Hashable, Future[_T]] = {}
        self._lock = threading.Lock()

    def run(self, key: Hashable, work: Callable[[], _T]) -> _T:
        """The answer to a question: somebody else's who is finding it now, or the result of `work`.

        Where the first to ask abandons the work, one of the others does it.

        Args:
            key: What is asked; equal keys are one question.
            work: Finds the answer.

        Raises:
            Exception: Whatever the work raised, to all who asked.
        """
        while True:
            with self._lock:
                running = self._running.get(key)
                if running is None:
                    ours = self._running[key] = Future[_T]()
                    break
            try:
                return running.result()
            except RequestAbandoned:  # whoever asked first has left; we have not
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
