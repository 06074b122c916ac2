"""What all callers of one model share: slots at its endpoint, budget, replies. Knows no implementation.

The same inspector works in one process, in several backends on one database, and on a cluster. Only these ports differ.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from review_copilot.ports.inspecting import ReplyCache


class ConcurrencyLimit(Protocol):
    """Limits the number of concurrent requests to an endpoint. Safe to use from several threads."""

    def slot(self, *, deadline: float, urgent: bool = False) -> AbstractContextManager[None]:
        """Wait for a free slot and for the end of a pause; hold the slot while the block runs.

        Args:
            deadline: Latest time by `time.monotonic`.
            urgent: Whether a reviewer waits for the Magic tool; urgent requests go first.

        Raises:
            TimeoutError: The deadline passed.
        """
        ...

    def pause(self, seconds: float) -> None:
        """Start no request of this process for this many seconds."""
        ...


class Budget(Protocol):
    """Budget for model calls. A call first reserves the most that it can cost, so that the limit is never exceeded."""

    @property
    def limit_usd(self) -> float | None:
        """Maximum amount; None for no limit."""
        ...

    def reserve(self, usd: float) -> None:
        """Reserve an amount for a call.

        Raises:
            BudgetSpent: The budget is too small.
        """
        ...

    def settle(self, *, reserved_usd: float, spent_usd: float) -> None:
        """Release a reserved amount and record what was spent."""
        ...


class NamedLocks(Protocol):
    """Locks by name: one holder at a time. Safe to use from several threads."""

    def turn(self, name: str, *, wait_s: float) -> AbstractContextManager[bool]:
        """Whether the lock is held for the block; the lock of a process that stops is released at once.

        Args:
            name: Name of the lock.
            wait_s: Maximum seconds to wait.
        """
        ...


class CircuitBreaker(Protocol):
    """Stops all who ask an endpoint when it fails whatever it is asked. Safe to use from several threads."""

    def check(self) -> None:
        """See whether the endpoint may be asked.

        Raises:
            ModelHalted: Too many consecutive calls failed, or one failed permanently, and the pause is not over.
        """
        ...

    def answered(self) -> None:
        """Record a successful call."""
        ...

    def failed(self, why: str, *, final: bool) -> None:
        """Record a failed call.

        Args:
            why: The reason, in one sentence that is safe to show to anyone.
            final: Whether all other calls would fail in the same way.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What an inspector shares with other processes; None for what it does not share.

    Attributes:
        concurrency: Slots at the endpoint.
        budget: Budget for model calls.
        replies: Cached model replies.
        named_locks: Locks, so that only one process sends the same request.
        breaker: Stops requests to an endpoint that keeps failing.
    """

    concurrency: ConcurrencyLimit | None = None
    budget: Budget | None = None
    replies: ReplyCache | None = None
    named_locks: NamedLocks | None = None
    breaker: CircuitBreaker | None = None
