"""Stop asking an endpoint that fails whatever it is asked. Knows no protocol."""

from __future__ import annotations

import threading
import time

from review_copilot.errors import ModelHalted

MOST_IN_A_ROW = 20
PAUSE_S = 60.0
"""After this pause one question is let through: an endpoint that works again is asked again without a restart."""


class Breaker:
    """One breaker that all threads of a process share for one endpoint; fulfils `ports.CircuitBreaker`."""

    def __init__(self, *, most_in_a_row: int = MOST_IN_A_ROW, pause_s: float = PAUSE_S) -> None:
        """Make a breaker.

        Args:
            most_in_a_row: Failures in a row after which nothing more is asked.
            pause_s: Seconds until one question is let through again.
        """
        self._most = most_in_a_row
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._why = ""
        self._open_until = 0.0

    def check(self) -> None:
        """See `ports.CircuitBreaker`."""
        with self._lock:
            if not self._why:
                return
            if time.monotonic() < self._open_until:
                raise ModelHalted(self._why, hint="Fix this, then run again: what is done is kept.")
            self._open_until = time.monotonic() + self._pause_s  # the others wait for what comes of this one

    def answered(self) -> None:
        """See `ports.CircuitBreaker`."""
        with self._lock:
            self._in_a_row, self._why = 0, ""

    def failed(self, why: str, *, final: bool) -> None:
        """See `ports.CircuitBreaker`."""
        with self._lock:
            self._in_a_row += 1
            if final:
                self._why = why
            elif self._in_a_row >= self._most:
                self._why = f"{self._in_a_row} questions to the model failed in a row, the last one so: {why}"
            if self._why:
                self._open_until = time.monotonic() + self._pause_s
