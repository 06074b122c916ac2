"""Write rows of the override log to CSV, JSONL, and Parquet, row by row. Knows no database and no filter.

Each writer reads rows one by one and keeps at most one batch in memory, so that a log of any length can be
exported.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from review_copilot.domain.override import LoggedOverride
from review_copilot.errors import ExtraMissing
from review_copilot.reports.override_columns import COLUMNS, SCHEMA_VERSION, ColumnType, Value, values

BATCH_ROWS = 10_000
"""Rows per Parquet row group."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Characters that make a spreadsheet read text as a formula (OWASP, CSV Injection), including full-width ones."""


def write_csv(rows: Iterable[LoggedOverride], out: TextIO) -> int:
    """Write rows with a header line; returns the number of rows.

    Args:
        rows: Rows of the log.
        out: A text stream opened with `newline=""`.
    """
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([column.name for column in COLUMNS])
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007  # counted after the loop
        writer.writerow([_cell(value) for value in values(row)])
    return count


def write_jsonl(rows: Iterable[LoggedOverride], out: TextIO) -> int:
    """Write one JSON object per line; returns the number of rows."""
    names = [column.name for column in COLUMNS]
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007  # counted after the loop
        entry = dict(zip(names, map(_json_value, values(row)), strict=True))
        out.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return count


def write_parquet(rows: Iterable[LoggedOverride], path: Path) -> int:
    """Write a Parquet file; returns the number of rows.

    Raises:
        ExtraMissing: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra
        from pyarrow import parquet  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise ExtraMissing(
            "The format Parquet needs the package pyarrow, which is not installed.",
            hint='Run: pip install "label-studio-review-copilot[parquet]".',
        ) from error
    types = {
        ColumnType.INTEGER: pa.int64(),
        ColumnType.NUMBER: pa.float64(),
        ColumnType.TEXT: pa.string(),
        ColumnType.BOOLEAN: pa.bool_(),
        ColumnType.TIME: pa.timestamp("us", tz="UTC"),
        ColumnType.LIST: pa.list_(pa.string()),
    }
    schema = pa.schema(
        [pa.field(column.name, types[column.type], metadata={"meaning": column.meaning}) for column in COLUMNS],
        metadata={"review_copilot_schema_version": str(SCHEMA_VERSION)},
    )
    count = 0
    with closing(parquet.ParquetWriter(path, schema, compression="zstd")) as writer:
        for batch in _batches(rows):
            columns = zip(*(values(row) for row in batch), strict=True)
            arrays = [pa.array(list(column), type=field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(batch)
    return count


def spreadsheet_safe(text: str) -> str:
    """The text, with a leading apostrophe if a spreadsheet would read it as a formula."""
    bare = text.lstrip(
        "'"
    )  # text that already starts with an apostrophe gets a second one, so that it can be read back
    begins = bare.startswith(FORMULA_STARTS) or bare.lstrip().startswith(FORMULA_STARTS)
    return f"'{text}" if begins else text


def _cell(value: Value) -> str | int | float | None:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return spreadsheet_safe(value)
        case datetime():
            return value.isoformat()
        case tuple():
            return spreadsheet_safe("|".join(value))
        case _:
            return value


def _json_value(value: Value) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case tuple():
            return list(value)
        case _:
            return value


def _batches(rows: Iterable[LoggedOverride]) -> Iterator[list[LoggedOverride]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH_ROWS)):
        yield batch
