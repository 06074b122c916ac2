"""Limit the memory of concurrent work. Knows nothing about the work."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class MemoryBudget:
    """Grants bytes in the order of the requests. Safe to use from several threads.

    Request all bytes of a piece of work at once. Two threads that hold bytes and request more can wait for each other
    forever.
    """

    def __init__(self, max_bytes: int) -> None:
        """Create a budget of that many bytes."""
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._held_bytes = 0
        self._queue: deque[object] = deque()

    @contextmanager
    def hold(self, wanted_bytes: int) -> Iterator[None]:
        """Hold bytes during the block. Waits until they are free; a request above the budget waits for all of it."""
        needed = min(wanted_bytes, self._max_bytes)
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                while self._queue[0] is not ticket or self._held_bytes + needed > self._max_bytes:
                    self._changed.wait()
                self._held_bytes += needed
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._held_bytes -= needed
                self._changed.notify_all()
