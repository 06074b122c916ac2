"""One time limit for one call to another machine, whatever it waits for. Knows no protocol.

Time limits of HTTP libraries hold for a single read or write, so a host that sends a byte a second never exceeds them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

LONGEST_S = 120.0
"""Seconds for a call for which nobody set a deadline."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What holds for the calls that this thread makes now.

    Attributes:
        until: Latest time by `time.monotonic`.
        public_only: Whether only public addresses may be called.
    """

    until: float
    public_only: bool = False

    @property
    def left_s(self) -> float:
        """Seconds that are left; 0 or less when the time is over."""
        return self.until - time.monotonic()


_LIMITS: ContextVar[CallLimits | None] = ContextVar("call_limits", default=None)


def current_limits() -> CallLimits:
    """The limits of this thread's calls; `LONGEST_S` from now where none are set."""
    return _LIMITS.get() or CallLimits(time.monotonic() + LONGEST_S)


@contextmanager
def call_limits(*, until: float, public_only: bool = False) -> Iterator[None]:
    """Let limits hold for every call that this thread makes in the block. An earlier outer deadline stays in force.

    Args:
        until: Latest time by `time.monotonic`.
        public_only: Whether only public addresses may be called.
    """
    outer = _LIMITS.get()
    limits = CallLimits(min(until, outer.until) if outer else until, public_only)
    token = _LIMITS.set(limits)
    try:
        yield
    finally:
        _LIMITS.reset(token)
