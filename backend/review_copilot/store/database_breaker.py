"""A circuit breaker that several backends on one database share. Knows no model."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import sqlalchemy as sa

from review_copilot.concurrency.breaker import MOST_IN_A_ROW, PAUSE_S, halted, last_failures
from review_copilot.ports import Clock
from review_copilot.store import schema
from review_copilot.store.database import Database
from review_copilot.store.row_keys import insert_new

_ROW = schema.breakers.c


class DatabaseBreaker:
    """One row per endpoint. Implements `ports.CircuitBreaker`, like `concurrency.breaker.Breaker` for one process.

    A process that starts while the circuit is open makes one call: someone may have fixed the cause just before.
    """

    def __init__(
        self,
        database: Database,
        *,
        endpoint: str,
        clock: Clock,
        most_in_a_row: int = MOST_IN_A_ROW,
        pause_s: float = PAUSE_S,
    ) -> None:
        """Configure the circuit breaker; the first failure creates its row.

        Args:
            database: Shared with the others.
            endpoint: Names the endpoint, its model, and the account; the same in all processes.
            clock: Gives the time.
            most_in_a_row: Number of consecutive failures, of all processes, after which calls stop.
            pause_s: Seconds until one call is allowed again.
        """
        self._database = database
        self._name = hashlib.sha256(endpoint.encode()).hexdigest()[:32]
        self._clock = clock
        self._most = most_in_a_row
        self._pause = timedelta(seconds=pause_s)
        self._called = False

    def check(self) -> None:
        """See `ports.CircuitBreaker`."""
        first, self._called = not self._called, True
        with self._database.reading() as connection:
            row = connection.execute(sa.select(_ROW.why, _ROW.open_until).where(_ROW.name == self._name)).one_or_none()
        if row is None or not row.why or first:
            return
        now = self._clock.now()
        if now < row.open_until:
            raise halted(row.why)
        with self._database.writing() as connection:  # of all processes, one makes the next call
            again = sa.update(schema.breakers).where(_ROW.name == self._name, _ROW.open_until == row.open_until)
            if not connection.execute(again.values(open_until=now + self._pause)).rowcount:
                raise halted(row.why)

    def answered(self) -> None:
        """See `ports.CircuitBreaker`."""
        with self._database.writing() as connection:
            failing = sa.update(schema.breakers).where(_ROW.name == self._name, _ROW.in_a_row > 0)
            connection.execute(failing.values(in_a_row=0, why="", open_until=None))

    def failed(self, why: str, *, final: bool) -> None:
        """See `ports.CircuitBreaker`."""
        mine = _ROW.name == self._name
        with self._database.writing() as connection:
            fresh = {"name": self._name, "in_a_row": 0, "why": "", "open_until": None}
            insert_new(connection, schema.breakers, [fresh])
            connection.execute(sa.update(schema.breakers).where(mine).values(in_a_row=_ROW.in_a_row + 1))
            row = connection.execute(sa.select(_ROW.in_a_row, _ROW.why).where(mine)).one()
            said = why if final else last_failures(row.in_a_row, why) if row.in_a_row >= self._most else row.why
            if said:
                opened = {"why": said, "open_until": self._clock.now() + self._pause}
                connection.execute(sa.update(schema.breakers).where(mine).values(**opened))
