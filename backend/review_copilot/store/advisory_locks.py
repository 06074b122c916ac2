"""Locks that PostgreSQL holds for this process and releases when it exits. Knows no table.

Session-level advisory locks (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS), all on one
connection of their own. They are tried and never waited for, so that one connection serves all threads. They need a
permanent connection: a connection pooler must not pool by transaction.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from review_copilot.store.database import Database, translated


class Locks:
    """The advisory locks of a database that this process holds. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        """Store the database; the first lock opens a connection."""
        self._engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._mutex = threading.Lock()
        self._connection: sa.Connection | None = None
        self._held: set[int] = set()

    def take_any(self, keys: Sequence[int]) -> int | None:
        """Acquire the first key that is not held, including by this process; None if there is none.

        Raises:
            StoreError: The database cannot be reached; all locks of this process are lost.
        """
        with self._mutex:
            for key in keys:
                if key not in self._held and self._said("SELECT pg_try_advisory_lock(:key)", key):
                    self._held.add(key)
                    return key
        return None

    def give_back(self, key: int) -> None:
        """Release a lock; a lost connection is not an error, because it has released the lock."""
        with self._mutex:
            self._held.discard(key)
            if self._connection is not None:
                self._said("SELECT pg_advisory_unlock(:key)", key)

    def is_free(self, key: int) -> bool:
        """Whether a key is not held, including by this process."""
        with self._mutex:
            if key in self._held or not self._said("SELECT pg_try_advisory_lock(:key)", key):
                return False
            self._said("SELECT pg_advisory_unlock(:key)", key)
            return True

    def close(self) -> None:
        """Release all locks."""
        with self._mutex:
            self._drop()

    def _said(self, statement: str, key: int) -> bool:
        with translated():
            try:
                if self._connection is None:
                    self._connection = self._engine.connect()
                return bool(self._connection.scalar(sa.text(statement), {"key": key}))
            except SQLAlchemyError:
                self._drop()
                raise

    def _drop(self) -> None:
        self._held.clear()
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def key_of(*names: object) -> int:
    """A lock's number from its names: 63 bits of a hash, so that collisions do not occur in practice."""
    digest = hashlib.sha256("\0".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
