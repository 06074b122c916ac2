"""Stop calling an endpoint after repeated failures. Knows no protocol."""

from __future__ import annotations

import threading
import time

from review_copilot.errors import ModelHalted

MOST_IN_A_ROW = 20
PAUSE_S = 60.0
"""After this pause, one call is allowed, so that calls resume without a restart when the endpoint works again."""


def halted(why: str) -> ModelHalted:
    """The error of a call that is not made."""
    return ModelHalted(why, hint="Fix the cause and run the command again. Finished drafts are stored.")


def last_failures(count: int, why: str) -> str:
    """The reason after several failures in a row."""
    return f"The last {count} calls to the model failed. The latest error: {why}"


class Breaker:
    """One circuit breaker that all threads of a process share for one endpoint; implements `ports.CircuitBreaker`."""

    def __init__(self, *, most_in_a_row: int = MOST_IN_A_ROW, pause_s: float = PAUSE_S) -> None:
        """Create a circuit breaker.

        Args:
            most_in_a_row: Number of consecutive failures after which calls stop.
            pause_s: Seconds until one call is allowed again.
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
                raise halted(self._why)
            self._open_until = time.monotonic() + self._pause_s  # other calls wait for the result of this one

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
                self._why = last_failures(self._in_a_row, why)
            if self._why:
                self._open_until = time.monotonic() + self._pause_s
