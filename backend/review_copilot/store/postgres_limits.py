"""Limits that several backends on one PostgreSQL share for model calls: slots, budget, replies, locks.

Implements `ports.ConcurrencyLimit`, `Budget`, `ReplyCache`, and `NamedLocks`. Knows no model.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from review_copilot.errors import BudgetSpent
from review_copilot.ports import Clock
from review_copilot.store import schema
from review_copilot.store.advisory_locks import Locks, key_of
from review_copilot.store.database import Database
from review_copilot.store.row_keys import insert_new

LOOK_AGAIN_S = 0.02
"""How often to retry a slot that is in use: a twentieth of a short call, and 50 small reads per second."""

_REPLY, _PURSE = schema.replies.c, schema.budgets.c


class DatabaseReplyCache:
    """Model replies, one row each."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, key: str) -> str | None:
        """See `ports.ReplyCache`."""
        with self._database.reading() as connection:
            return connection.scalar(sa.select(_REPLY.reply).where(_REPLY.key == key))

    def put(self, key: str, reply: str) -> None:
        """See `ports.ReplyCache`."""
        with self._database.writing() as connection:
            fresh = {"reply": reply, "kept_at": self._clock.now()}
            if not connection.execute(sa.update(schema.replies).where(_REPLY.key == key).values(**fresh)).rowcount:
                insert_new(connection, schema.replies, [{"key": key, **fresh}])


class DailyBudget:
    """Budget of all backends on a database for one day, by the clock's UTC date."""

    def __init__(self, database: Database, *, limit_usd: float | None, clock: Clock) -> None:
        """Configure the budget; the first call of a day creates its row.

        Args:
            database: Shared with the others.
            limit_usd: Maximum amount per day; None for no limit.
            clock: Gives the date.
        """
        self._database = database
        self._limit_usd = limit_usd
        self._clock = clock

    @property
    def limit_usd(self) -> float | None:
        """See `ports.Budget`."""
        return self._limit_usd

    @property
    def spent_usd(self) -> float:
        """What all backends have spent today, as far as they have reported it."""
        with self._database.reading() as connection:
            return connection.scalar(sa.select(_PURSE.spent_usd).where(_PURSE.name == self._name)) or 0.0

    def reserve(self, usd: float) -> None:
        """See `ports.Budget`. If a day ends before `settle`, the amount counts for the new day."""
        if self._limit_usd is None:
            return
        with self._database.writing() as connection:
            insert_new(connection, schema.budgets, [{"name": self._name, "committed_usd": 0.0, "spent_usd": 0.0}])
            covered = _PURSE.committed_usd + usd <= self._limit_usd + 1e-12
            row = sa.update(schema.budgets).where(_PURSE.name == self._name)
            taken = connection.execute(row.where(covered).values(committed_usd=_PURSE.committed_usd + usd))
        if not taken.rowcount:
            raise BudgetSpent(
                f"Today's budget of ${self._limit_usd:g} for all backends is too small for another call: "
                f"${self.spent_usd:.4f} is spent, and the call may cost up to ${usd:.4f}.",
                hint="Raise REVIEW_COPILOT_MODEL_BUDGET_USD, or wait until midnight UTC. Finished drafts are stored.",
            )

    def settle(self, *, reserved_usd: float, spent_usd: float) -> None:
        """See `ports.Budget`."""
        if self._limit_usd is None:
            return
        with self._database.writing() as connection:
            booked = {
                "committed_usd": _PURSE.committed_usd - reserved_usd + spent_usd,
                "spent_usd": _PURSE.spent_usd + spent_usd,
            }
            connection.execute(sa.update(schema.budgets).where(_PURSE.name == self._name).values(**booked))

    @property
    def _name(self) -> str:
        return f"backends {self._clock.now().date().isoformat()}"


class DatabaseConcurrencyLimit:
    """Slots at one endpoint: each is an advisory lock, so that a backend that stops releases its slots at once."""

    def __init__(self, locks: Locks, *, endpoint: str, most: int, reserved: int = 0) -> None:
        """Configure the slots.

        Args:
            locks: The locks of this process.
            endpoint: Name of the endpoint; the same in all processes.
            most: Maximum number of concurrent requests; the same in all processes.
            reserved: Number of them that only urgent requests can use.
        """
        self._locks = locks
        self._keys = [key_of("seat", endpoint, number) for number in range(most)]
        self._reserved = reserved
        self._flag = key_of("urgent", endpoint)
        self._freed = threading.Condition()
        self._quiet_until = 0.0

    @contextmanager
    def slot(self, *, deadline: float, urgent: bool = False) -> Iterator[None]:
        """See `ports.ConcurrencyLimit`. An urgent caller sets a flag, and others acquire no slot while it is set."""
        key = self._take_first(deadline=deadline) if urgent else self._take(deadline=deadline)
        try:
            yield
        finally:
            self._locks.give_back(key)
            with self._freed:
                self._freed.notify()

    def pause(self, seconds: float) -> None:
        """See `ports.ConcurrencyLimit`: the endpoint tells the other processes itself."""
        with self._freed:
            self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)

    def _take_first(self, *, deadline: float) -> int:
        """Acquire a slot for an urgent request. Others lock the flag while checking it, so it can be missed briefly."""
        flag: int | None = None
        try:
            while True:
                if not self._quiet and (key := self._locks.take_any(self._keys)) is not None:
                    return key
                flag = self._locks.take_any([self._flag]) if flag is None else flag
                self._wait(deadline)
        finally:
            if flag is not None:
                self._locks.give_back(flag)

    def _take(self, *, deadline: float) -> int:
        keys = self._keys[: len(self._keys) - self._reserved]
        while True:
            may = not self._quiet and self._locks.is_free(self._flag)
            if may and (key := self._locks.take_any(keys)) is not None:
                return key
            self._wait(deadline)

    @property
    def _quiet(self) -> bool:
        return time.monotonic() < self._quiet_until

    def _wait(self, deadline: float) -> None:
        """Wait until this process releases a slot, or until the next retry.

        Raises:
            TimeoutError: The deadline passed.
        """
        wait_s = max(LOOK_AGAIN_S, self._quiet_until - time.monotonic())
        if time.monotonic() + wait_s >= deadline:
            raise TimeoutError
        with self._freed:
            self._freed.wait(wait_s)


class DatabaseNamedLocks:
    """Locks by name across all processes of a database."""

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    @contextmanager
    def turn(self, name: str, *, wait_s: float) -> Iterator[bool]:
        """See `ports.NamedLocks`."""
        key, until = key_of("turn", name), time.monotonic() + wait_s
        while (taken := self._locks.take_any([key])) is None and time.monotonic() < until:
            time.sleep(LOOK_AGAIN_S)
        try:
            yield taken is not None
        finally:
            if taken is not None:
                self._locks.give_back(key)
