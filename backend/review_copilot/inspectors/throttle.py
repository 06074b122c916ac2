"""How many requests an endpoint gets at once, and when it wants to be left alone. Knows no protocol."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Throttle:
    """One limit that all threads of a process share for one endpoint."""

    def __init__(self, *, most: int) -> None:
        """Make a limit.

        Args:
            most: Most requests at once, at least 1.
        """
        self._seats = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._quiet_until = 0.0

    @contextmanager
    def seat(self, *, deadline: float) -> Iterator[None]:
        """Wait for a free place, and for the end of a pause; hold the place while the block runs.

        Args:
            deadline: Latest time by `time.monotonic`.

        Raises:
            TimeoutError: The deadline comes first.
        """
        if not self._seats.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise TimeoutError
        try:
            while (wait_s := self._quiet_until - time.monotonic()) > 0:
                if time.monotonic() + wait_s >= deadline:
                    raise TimeoutError
                time.sleep(wait_s)
            yield
        finally:
            self._seats.release()

    def pause(self, seconds: float) -> None:
        """Let no request start for so many seconds: the endpoint said so to one of us, and means all."""
        with self._lock:
            self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)
