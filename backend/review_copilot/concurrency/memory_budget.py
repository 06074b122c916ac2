"""One bound on the memory that concurrent work takes. Knows nothing of the work."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class MemoryBudget:
    """Hands out bytes in the order in which they were asked for. Safe to use from several threads.

    Ask once for everything that a piece of work needs: who holds some and asks for more may wait for somebody who does
    the same.
    """

    def __init__(self, max_bytes: int) -> None:
        """Make a budget of that many bytes."""
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._held_bytes = 0
        self._queue: deque[object] = deque()

    @contextmanager
    def hold(self, wanted_bytes: int) -> Iterator[None]:
        """Hold bytes during the block, waiting until they are free. More than the whole budget is had alone."""
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
