"""Limit the concurrent requests to an endpoint, and pause them. Knows no protocol."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Throttle:
    """One limit that all threads of a process share for one endpoint; implements `ports.ConcurrencyLimit`."""

    def __init__(self, *, most: int, reserved: int = 0) -> None:
        """Create a limit.

        Args:
            most: Maximum number of concurrent requests, at least 1.
            reserved: Number of them that are reserved for urgent requests, less than `most`.
        """
        self._most = most
        self._reserved = reserved
        self._changed = threading.Condition()
        self._taken = self._urgent = 0
        self._quiet_until = 0.0

    @contextmanager
    def slot(self, *, deadline: float, urgent: bool = False) -> Iterator[None]:
        """See `ports.ConcurrencyLimit`."""
        self._take(deadline=deadline, urgent=urgent)
        try:
            while (wait_s := self._quiet_until - time.monotonic()) > 0:
                if time.monotonic() + wait_s >= deadline:
                    raise TimeoutError
                time.sleep(wait_s)
            yield
        finally:
            with self._changed:
                self._taken -= 1
                self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """See `ports.ConcurrencyLimit`: an endpoint's request to pause applies to all threads."""
        with self._changed:
            self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)

    def _take(self, *, deadline: float, urgent: bool) -> None:
        with self._changed:
            self._urgent += urgent
            try:
                while not self._free(urgent=urgent):
                    if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                        raise TimeoutError
                self._taken += 1
            finally:
                self._urgent -= urgent

    def _free(self, *, urgent: bool) -> bool:
        if urgent:
            return self._taken < self._most
        return self._taken < self._most - self._reserved and not self._urgent
