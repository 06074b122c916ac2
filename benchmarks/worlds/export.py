"""Writes a world as the documented export of the override table: CSV, JSONL, Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from worlds.nouns import COLUMNS, Row, World

_INTEGERS = frozenset(
    {"schema_version", "id", "project_id", "task_id", "annotation_id", "revision", "text_distance"},
)
_BOOLEANS = frozenset({"current", "deleted", "confirmed"})
_TIMES = frozenset({"created_at", "updated_at", "logged_at"})
_LISTS = frozenset({"edits", "reasons", "unexamined"})
_NUMBERS = frozenset({"lead_time_s", "iou", "text_similarity", "score"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
FORMATS = ("csv", "jsonl", "parquet")


def write_export(world: World, path: Path) -> None:
    """Write the rows in the format that the file's ending names: .csv, .jsonl or .parquet.

    Raises:
        ValueError: The ending is none of these.
    """
    writers = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
    if path.suffix not in writers:
        raise ValueError(f"No such format: {path.suffix or path.name}.")
    writers[path.suffix](world.rows, path)


def write_truth(world: World, path: Path) -> None:
    """Write what was planted, and the facts of the world, as one JSON object."""
    truths = [{name: getattr(truth, name) for name in truth.__slots__} for truth in world.truth]
    told = {
        "world": world.name,
        "seed": world.seed,
        "clean": world.clean,
        "guideline_id": world.guideline_id,
        "criteria": world.criteria,
        "reviewers": world.reviewers,
        "truth": truths,
        "allowed": world.allowed,
        "left_out": world.left_out,
        "facts": world.facts,
        "looks": world.looks,
    }
    path.write_text(json.dumps(told, default=_plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.lstrip().startswith(_FORMULA) or value.startswith(_FORMULA) else value
    if isinstance(value, list):
        return "|".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else value


def _csv(rows: Iterable[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(["" if row[name] is None else _cell(row[name]) for name in COLUMNS])


def _jsonl(rows: Iterable[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, default=lambda v: v.isoformat(), ensure_ascii=False) + "\n")


def _parquet(rows: Sequence[Row], path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.parquet as pq  # noqa: PLC0415 - an extra

    def kind(name: str) -> pa.DataType:
        if name in _INTEGERS:
            return pa.int64()
        if name in _BOOLEANS:
            return pa.bool_()
        if name in _TIMES:
            return pa.timestamp("us", tz="UTC")
        if name in _LISTS:
            return pa.list_(pa.string())
        return pa.float64() if name in _NUMBERS or name.startswith("box_") else pa.string()

    schema = pa.schema([(name, kind(name)) for name in COLUMNS])
    columns = [pa.array([row[name] for row in rows], type=kind(name)) for name in COLUMNS]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path)
