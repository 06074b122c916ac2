"""Open a database, configure it, migrate its schema, and translate its errors. Knows no table."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)

from review_copilot.errors import StoreBusy, StoreError
from review_copilot.private_files import create_private, keep_private

BUSY_TIMEOUT_MS = 15_000
"""How long a writer waits for another one; a sweep and a bulk run on one file wait far less."""

_MIGRATION_LOCK = 0x7265766965
"""An arbitrary number, the same in every release: the lock under which one process at a time migrates PostgreSQL."""


@dataclass(frozen=True)
class Database:
    """An open database.

    Attributes:
        engine: SQLAlchemy's pool of connections.
        write_lock: Lets one writer of this process write at a time. SQLite has one writer at a time; a writer that
            finds it busy sleeps up to a tenth of a second before it tries again.
    """

    engine: sa.Engine
    write_lock: AbstractContextManager[object] = field(default_factory=nullcontext)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one snapshot of the database.

        Raises:
            StoreError: See `translated`.
        """
        postgresql = self.engine.dialect.name == "postgresql"
        options = {"isolation_level": "REPEATABLE READ"} if postgresql else {}
        with translated(), self.engine.execution_options(**options).begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that is durable when it ends: its data is on disk.

        Raises:
            StoreError: See `translated`.
        """
        with self.write_lock, translated(), self.engine.execution_options(begins_writing=True).begin() as connection:
            yield connection

    def overwrite(self) -> None:
        """Remove replaced and deleted data from SQLite's files; PostgreSQL's vacuum does this later.

        Raises:
            StoreError: See `translated`.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with translated(), closing(self.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")  # not inside a transaction


def connect(url: str) -> Database:
    """Open a database without changing its schema.

    SQLite runs in WAL mode, so that readers never wait for a writer, and with `synchronous=FULL`: in WAL mode, the
    weaker NORMAL can lose the last transactions in a power failure, after the inbox has acknowledged the
    event (https://sqlite.org/pragma.html#pragma_synchronous). `secure_delete` overwrites deleted data, because people
    can be removed from the log.

    Raises:
        StoreError: The URL is invalid, or the database driver is not installed.
    """
    with translated():
        parsed = _with_driver(make_url(url))
        if parsed.get_backend_name() != "sqlite":
            return Database(sa.create_engine(parsed, pool_pre_ping=True, pool_recycle=1800))
        engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        if parsed.database and parsed.database != ":memory:" and not parsed.database.startswith("file:"):
            sa.event.listen(engine, "do_connect", partial(_keep_private, Path(parsed.database)))
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return Database(engine, write_lock=threading.Lock())


def shown(url: str) -> str:
    """The URL without its password, safe to print.

    Raises:
        StoreError: It cannot be read.
    """
    with translated():
        return make_url(url).render_as_string(hide_password=True)


def file_of(url: str) -> Path | None:
    """The file of an SQLite database; None for a database in memory and for PostgreSQL.

    Raises:
        StoreError: The URL cannot be read.
    """
    with translated():
        parsed = make_url(url)
    name = parsed.database or ":memory:"
    if parsed.get_backend_name() != "sqlite" or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def is_shared(url: str) -> bool:
    """Whether several machines can use the database: true for PostgreSQL, false for a file.

    Raises:
        StoreError: The URL cannot be read.
    """
    with translated():
        return _with_driver(make_url(url)).get_backend_name() != "sqlite"


def migrate(database: Database, *, to: str = "head") -> None:
    """Migrate the schema to a revision, up or down ("base" empties the database). One process at a time does this.

    Raises:
        StoreError: The database was written by a newer release, or a step failed; nothing was changed.
    """
    config, script = _alembic(), _migrations()
    target = script.get_current_head() if to == "head" else None if to == "base" else to
    with database.reading() as connection:
        if MigrationContext.configure(connection).get_current_revision() == target:
            return
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        here = MigrationContext.configure(connection).get_current_revision()
        known = {step.revision for step in script.walk_revisions()}
        if here is not None and here not in known:
            raise StoreError(
                f"The database has schema {here}, which this release does not support.",
                hint="A newer release of review-copilot wrote it. Install that release.",
            )
        config.attributes["connection"] = connection
        try:
            if here is None or (target is not None and target > here):
                command.upgrade(config, to)
            elif here != target:
                command.downgrade(config, to)
        except CommandError as error:
            raise StoreError(f"The database schema cannot be migrated to {to!r}.") from error


def known_revisions() -> frozenset[str]:
    """The schema's revisions that this release knows."""
    return frozenset(step.revision for step in _migrations().walk_revisions())


def _migrations() -> ScriptDirectory:
    return ScriptDirectory.from_config(_alembic())


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", "review_copilot.store:migrations")
    return config


@contextmanager
def translated() -> Iterator[None]:
    """Translate SQLAlchemy's errors.

    Raises:
        StoreBusy: The database is locked or temporarily unreachable.
        StoreError: Any other error of the database or its driver.
    """
    try:
        yield
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError(
            "The database URL is not valid.",
            hint="Use sqlite:///review-copilot.db or postgresql://USER:PASSWORD@HOST/NAME.",
        ) from error
    except ModuleNotFoundError as error:
        raise StoreError(
            f"The database driver {error.name} is not installed.",
            hint='Run: pip install "label-studio-review-copilot[postgres]".',
        ) from error
    except (OperationalError, InterfaceError) as error:
        raise _operational(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreBusy("The connection to the database was lost.", hint="It is tried again.") from error
        raise StoreError("The database rejected a statement.", hint="The log says more.") from error
    except SQLAlchemyError as error:
        raise StoreError("The database failed.", hint="The log says more.") from error


def _operational(error: DBAPIError) -> StoreError:
    words = str(error.orig).lower()
    if "disk is full" in words or "no space left" in words:
        return StoreError("The disk of the database is full.", hint="Free some disk space. No partial data was stored.")
    if "readonly" in words or "read-only" in words:
        return StoreError(
            "The database is read-only.", hint="Give this user write permission for the file and its folder."
        )
    if "unable to open" in words:
        return StoreError("The database file cannot be opened.", hint="Check that its folder exists and is writable.")
    if "password" in words or "authentication" in words or "does not exist" in words:
        return StoreError(
            "The database rejected the sign-in.",
            hint="Check the user, password, and database name in REVIEW_COPILOT_DATABASE_URL.",
        )
    return StoreBusy("The database is locked or cannot be reached.", hint="It is tried again.")


def _with_driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgresql", "postgres"} else url


def _keep_private(file: Path, *_: Any) -> None:
    """Let nobody else read the database; SQLite gives its WAL the rights of the file when it creates one."""
    with suppress(OSError):  # SQLite says better what is wrong
        create_private(file)
    keep_private(file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm"))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions; `_begin_sqlite` does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that reads first and then writes cannot wait for a lock; one that begins IMMEDIATE can.
    writes = connection.get_execution_options().get("begins_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
