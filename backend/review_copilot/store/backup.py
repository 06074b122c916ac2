"""Back up a whole database to one file, and restore it to an empty SQLite or PostgreSQL database. Knows no table names.

The file has one JSON object per line: a header with the schema revision, every row of every table with its column
values (except tables that can be created from others), and a last line with the number of rows, so that a truncated
file is detected. A file whose name ends in `.gz` is compressed.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from review_copilot.errors import StoreError
from review_copilot.private_files import create_private, keep_private
from review_copilot.store.database import connect, known_revisions, migrate
from review_copilot.store.schema import MADE_AGAIN

FORMAT = "review-copilot log"
VERSION = 1

_BATCH_ROWS = 1000
_LINE_CHARS = 1 << 28
"""Maximum length of a line; a review has some thousand characters."""
_INT64 = 1 << 63
_KINDS: Sequence[tuple[type[sa.types.TypeEngine[Any]], tuple[type, ...]]] = (
    (sa.Boolean, (bool, int)),
    (sa.Integer, (int,)),
    (sa.Float, (int, float)),
    (sa.String, (str,)),
)
_ALEMBIC = "alembic_version"


def backup(url: str, path: Path) -> Mapping[str, int]:
    """Back up one snapshot of the database, while others can write.

    Args:
        url: SQLAlchemy URL of the database.
        path: The file; an existing file is replaced when the new one is complete.

    Returns:
        Rows by table.

    Raises:
        StoreError: The database cannot be read, or the file cannot be written.
    """
    database = connect(url)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        create_private(unfinished)
        keep_private(unfinished)
        with database.reading() as connection, _opened(unfinished, "wt", named=path) as out:
            schema = MigrationContext.configure(connection).get_current_revision()
            if schema is None:
                raise StoreError("This database has no override log.", hint="Check REVIEW_COPILOT_DATABASE_URL.")
            _write_line(out, {"format": FORMAT, "version": VERSION, "schema": schema})
            counts = {table.name: _write_table(connection, table, out) for table in _tables(connection)}
            _write_line(out, {"rows": counts})
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"Cannot write the backup {path}: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
        database.engine.dispose()
    return counts


def restore(path: Path, url: str) -> Mapping[str, int]:
    """Restore a backup to an empty database, and migrate it to this release's schema.

    Args:
        path: A file written by `backup`, in this release or an older one.
        url: SQLAlchemy URL of the database.

    Returns:
        Rows by table.

    Raises:
        StoreError: The file is not a complete backup, or the database is not empty; nothing was written.
    """
    database = connect(url)
    try:
        with _opened(path, "rt", named=path) as lines:
            header = _read_line(lines.readline(_LINE_CHARS), path)
            schema = str(header.get("schema"))
            if header.get("format") != FORMAT or header.get("version") != VERSION or schema not in known_revisions():
                raise StoreError(f"This release cannot read the backup {path}.")
            _make_empty_schema(url, revision=schema)
            with database.writing() as connection:
                counts = _fill(connection, lines, path)
        migrate(database)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise StoreError(f"The backup {path} cannot be read or is truncated: {error}.") from error
    finally:
        database.engine.dispose()
    return counts


def _tables(connection: sa.Connection) -> list[sa.Table]:
    """The tables to back up, in the order of their references."""
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in {_ALEMBIC, *MADE_AGAIN}]


def _write_table(connection: sa.Connection, table: sa.Table, out: IO[str]) -> int:
    query = sa.select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH_ROWS)
    written = 0
    for written, row in enumerate(connection.execute(query).mappings(), start=1):  # noqa: B007  # counted after the loop
        values = {name: v.isoformat() if isinstance(v, datetime) else v for name, v in row.items()}
        _write_line(out, {"table": table.name, "row": values})
    return written


def _make_empty_schema(url: str, *, revision: str) -> None:
    database = connect(url)
    try:
        with database.reading() as connection:
            filled = [t.name for t in _tables(connection) if connection.execute(sa.select(t).limit(1)).first()]
        if filled:
            raise StoreError(
                f"The database is not empty: it has rows in {', '.join(filled)}.",
                hint="Restore to a new database, and set REVIEW_COPILOT_DATABASE_URL to it.",
            )
        migrate(database, to=revision)
    finally:
        database.engine.dispose()


def _fill(connection: sa.Connection, lines: IO[str], path: Path) -> Mapping[str, int]:
    tables = {table.name: table for table in _tables(connection)}
    counts = dict.fromkeys(tables, 0)
    batch: list[dict[str, Any]] = []
    name = ""
    while line := lines.readline(_LINE_CHARS):
        entry = _read_line(line, path)
        if batch and (entry.get("table") != name or len(batch) == _BATCH_ROWS):
            connection.execute(sa.insert(tables[name]), batch)
            batch = []
        if "rows" in entry:
            if entry["rows"] != counts:
                break
            _move_sequences_on(connection, tables)
            return counts
        name = str(entry.get("table"))
        if name not in tables:
            raise StoreError(f"{path} contains the table {name[:80]!r}, which is not in its schema.")
        counts[name] += 1
        batch.append(_from_json(tables[name], entry.get("row"), where=f"{path}, table {name}, row {counts[name]}"))
    raise StoreError(f"{path} is truncated: rows are missing at its end.", hint="Use another backup.")


def _from_json(table: sa.Table, row: object, *, where: str) -> dict[str, Any]:
    """A row as column values.

    Raises:
        StoreError: It is not a row of this table. SQLite itself would accept text as a number.
    """
    if not isinstance(row, dict) or not row.keys() == set(table.columns.keys()):
        raise StoreError(f"{where} is not a row of that table.", hint="Use another backup.")
    try:
        return {name: _value(table.columns[name].type, value) for name, value in row.items()}
    except (TypeError, ValueError, OverflowError) as error:
        raise StoreError(f"{where} contains a value of the wrong type.", hint="Use another backup.") from error


def _value(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    """The value, if it is valid in its column; JSON columns accept anything.

    Raises:
        TypeError: It has a different type.
        ValueError: It is not a time, a 64-bit integer, or text that a database can store.
    """
    if value is None or isinstance(kind, sa.JSON):
        return value
    if isinstance(kind, sa.DateTime):
        return datetime.fromisoformat(value)
    expected = next((types for column, types in _KINDS if isinstance(kind, column)), None)
    if expected is not None and not isinstance(value, expected):
        raise TypeError
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise ValueError
    if isinstance(value, str):
        value.encode()  # every database rejects half of a surrogate pair, within a transaction of many rows
        if "\0" in value:
            raise ValueError
    return value


def _move_sequences_on(connection: sa.Connection, tables: Mapping[str, sa.Table]) -> None:
    """Set the next id after the last one; SQLite does this automatically."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.values():
        if "id" in table.columns and (last := connection.scalar(sa.select(sa.func.max(table.c.id)))):
            connection.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, "id"), last)))


def _opened(file: Path, mode: str, *, named: Path) -> IO[Any]:
    """Open a text file, compressed if its name ends in `.gz`."""
    if named.suffix != ".gz":
        return file.open(mode, encoding="utf-8")
    packed: IO[Any] = gzip.open(file, mode, encoding="utf-8")  # type: ignore[assignment]  # noqa: SIM115  # closed by the caller
    return packed


def _write_line(out: IO[str], entry: Mapping[str, Any]) -> None:
    out.write(json.dumps(entry, separators=(",", ":")) + "\n")


def _read_line(line: str, path: Path) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not a backup, or is truncated.", hint="Use another backup.") from error
    if not isinstance(entry, dict):
        raise StoreError(f"{path} is not a backup.")
    return entry
