"""What all who ask one model share: places at its endpoint, money, answers. Knows no one who fulfils it.

The same inspector works in one process, in several backends on one database, and on a cluster; only these differ.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from review_copilot.ports.inspecting import ReplyCache


class ConcurrencyLimit(Protocol):
    """How many requests an endpoint gets at once. Safe to use from several threads."""

    def slot(self, *, deadline: float, urgent: bool = False) -> AbstractContextManager[None]:
        """Wait for a free place, and for the end of a pause; hold the place while the block runs.

        Args:
            deadline: Latest time by `time.monotonic`.
            urgent: Whether a person waits with the tool in hand: goes before all others.

        Raises:
            TimeoutError: The deadline comes first.
        """
        ...

    def pause(self, seconds: float) -> None:
        """Let no request of this process start for so many seconds."""
        ...


class Budget(Protocol):
    """Money for model calls: a call sets aside the most that it can cost before it starts, so that a limit holds."""

    @property
    def limit_usd(self) -> float | None:
        """The most that may be spent; None for no limit."""
        ...

    def reserve(self, usd: float) -> None:
        """Set money aside for a call.

        Raises:
            BudgetSpent: It is not there.
        """
        ...

    def settle(self, *, reserved_usd: float, spent_usd: float) -> None:
        """Give back what was set aside and book what was spent."""
        ...


class NamedLocks(Protocol):
    """Lets one at a time do a thing that has a name. Safe to use from several threads."""

    def turn(self, name: str, *, wait_s: float) -> AbstractContextManager[bool]:
        """Whether it is ours for the block; the turn of a process that dies is free at once.

        Args:
            name: What is to be done.
            wait_s: How long to wait for others.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What an inspector shares with others beyond its process; None where it keeps its own.

    Attributes:
        concurrency: Places at the endpoint.
        budget: Money.
        replies: Answers that were paid for.
        named_locks: Who asks, where several want to ask the same.
    """

    concurrency: ConcurrencyLimit | None = None
    budget: Budget | None = None
    replies: ReplyCache | None = None
    named_locks: NamedLocks | None = None
