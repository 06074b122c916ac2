"""Read an exported override log back: CSV, JSONL or Parquet to columns that a study reads. Knows no database.

Only what stands now is taken: rows of superseded revisions and of deleted annotations are counted and left out.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from review_copilot.domain.log_columns import LogColumns
from review_copilot.domain.override import OverrideKind, Subject
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import ExtraMissing, LibraryError
from review_copilot.reports.override_columns import COLUMNS, SCHEMA_VERSION, ColumnType
from review_copilot.reports.write_overrides import spreadsheet_safe

READABLE = frozenset(range(1, SCHEMA_VERSION + 1))
"""Versions of the table that can be read. Version 1 logs a skipped task as rejected."""

_TYPES: Mapping[str, ColumnType] = {column.name: column.type for column in COLUMNS}
_OPTIONAL = frozenset(
    {"prompt_hash", "inspector", "rollout", "region_id", "text_distance", "confirmed", "unexamined", "left_out"}
)
"""Columns that a study does not need, so that a table from another tool may leave them out. Each column that was added
to the table without a new schema version is one of them, because earlier exports do not have it."""
_NAMED_ALIKE = ("suggestion_id", "criterion_from", "criterion_to", "severity_from", "severity_to", "subject", "kind")

Record = Mapping[str, Any]


@dataclass(frozen=True)
class ExportedLog:
    """One project's rows of an export.

    Attributes:
        project: Which project.
        guideline_id: The guideline that most of its rows name; empty where none does.
        columns: Rows of newest revisions of living annotations, by rising id.
        left_out: Rows of superseded revisions and of deleted annotations.
    """

    project: ProjectKey
    guideline_id: str
    columns: LogColumns
    left_out: int


def read_export(path: Path, *, project: int | None = None) -> ExportedLog:
    """Read a file that `overrides export` wrote.

    Args:
        path: Ends in .csv, .jsonl or .parquet.
        project: Label Studio's project id; None where the file holds one project.

    Raises:
        LibraryError: The file is missing, is no such table, or holds several projects and none was chosen.
        ExtraMissing: It is a Parquet file and pyarrow is not installed.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise LibraryError(
            f"{path.name} is no export that can be read.",
            hint="Name a .csv, .jsonl or .parquet file from `review-copilot overrides export`.",
        )
    try:
        return log_of(reader(path), project=project)
    except OSError as error:
        raise LibraryError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path and its rights."
        ) from error
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise LibraryError(
            f"{path.name} is damaged: {error}.", hint="Export it again with `review-copilot overrides export`."
        ) from error


def log_of(records: Iterable[Record], *, project: int | None = None) -> ExportedLog:
    """Rows of the documented table, as values of Python.

    Args:
        records: One mapping a row: column name to value. Times are aware datetimes, lists are sequences of texts, and
            None stands for an empty cell. See docs/override-export.md.
        project: See `read_export`.

    Raises:
        LibraryError: A column or the version is wrong, or several projects are there and none was chosen.
    """
    kept: list[Record] = []
    projects: Counter[tuple[str, int, str]] = Counter()
    left_out = 0
    for number, record in enumerate(records, start=1):
        if number == 1:
            _check_columns(record)
        _check_version(record, number)
        key = (str(record["instance"] or ""), int(record["project_id"] or 0), str(record["project_created"] or ""))
        if project is not None and key[1] != project:
            continue
        projects[key] += 1
        if record["current"] and not record["deleted"]:
            kept.append(record)
        else:
            left_out += 1
    if not projects:
        missing = "The export holds no row." if project is None else f"The export holds no row of project {project}."
        raise LibraryError(missing, hint="Check that the export ran after reviewers submitted annotations.")
    if len(projects) > 1:
        ids = ", ".join(sorted({str(key[1]) for key in projects}, key=int))
        raise LibraryError(f"The export holds several projects: {ids}.", hint="Choose one with --project.")
    kept.sort(key=lambda record: int(record["id"]))
    guidelines = Counter(str(record["guideline_id"]) for record in kept if record["guideline_id"])
    return ExportedLog(
        project=ProjectKey(*next(iter(projects))),
        guideline_id=guidelines.most_common(1)[0][0] if guidelines else "",
        columns=_columns(kept),
        left_out=left_out,
    )


def _check_columns(record: Record) -> None:
    missing = [name for name in _TYPES if name not in record and name not in _OPTIONAL]
    if missing:
        raise LibraryError(
            f"The table lacks these columns: {', '.join(missing)}.",
            hint="docs/override-export.md lists every column. Export again with `review-copilot overrides export`.",
        )


def _check_version(record: Record, number: int) -> None:
    version = record["schema_version"]
    if version not in READABLE:
        raise LibraryError(
            f"Row {number} has schema version {version}; this release reads {min(READABLE)} to {max(READABLE)}.",
            hint="Use the release that wrote the file, or export again.",
        )


def _columns(records: list[Record]) -> LogColumns:
    plain: dict[str, Any] = {name: [_text(record[name]) for record in records] for name in _NAMED_ALIKE}
    for at, record in enumerate(records):
        # Version 1 called a skipped task rejected.
        if record["schema_version"] == 1 and plain["subject"][at] == Subject.TASK:
            plain["kind"][at] = OverrideKind.SKIPPED.value
    nan = float("nan")
    sides = [f"box_to_{side}" for side in ("x", "y", "width", "height")]
    boxes = [nan if record[side] is None else float(record[side]) for record in records for side in sides]
    return LogColumns(
        id=[int(r["id"]) for r in records],
        task_id=[int(r["task_id"]) for r in records],
        annotation_id=[int(r["annotation_id"]) for r in records],
        reviewer=[_text(r["editor"]) or _text(r["author"]) for r in records],
        time_s=[(r["created_at"] or r["updated_at"] or r["logged_at"]).timestamp() for r in records],
        lead_time_s=[r["lead_time_s"] for r in records],
        exposure=[_text(r["exposure"]) for r in records],
        edits=[tuple(r["edits"] or ()) for r in records],
        iou=[r["iou"] for r in records],
        text_similarity=[r["text_similarity"] for r in records],
        reasons=[tuple(r["reasons"] or ()) for r in records],
        note=[_text(r["note"]) for r in records],
        drawn_text=[_text(r["text_to"]) if r["kind"] == OverrideKind.ADDED else "" for r in records],
        score=[r["score"] for r in records],
        box_to=boxes,
        guideline_revision=[_text(r["guideline_revision"]) for r in records],
        model_version=[_text(r["model_version"]) for r in records],
        **plain,
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _csv_records(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            yield {name: _value(text, name, number) for name, text in row.items() if name is not None}


def _value(text: str | None, name: str, number: int) -> object:
    if text is None or name not in _TYPES:
        return text
    try:
        return _PARSED[_TYPES[name]](text)
    except ValueError as error:
        raise LibraryError(
            f"Row {number}: {name} is {text!r}, which is no {_TYPES[name].value}.",
            hint="A spreadsheet may have changed the file. Export it again.",
        ) from error


def _boolean(text: str) -> bool:
    if text.casefold() not in {"true", "false"}:
        raise ValueError(text)
    return text.casefold() == "true"


def _time(text: str) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def calculated_safely(text: str) -> str:
    """The text as it was before `spreadsheet_safe` put an apostrophe in front."""
    bare = text.removeprefix("'")
    return bare if spreadsheet_safe(bare) != bare else text


def _list(text: str) -> tuple[str, ...]:
    bare = calculated_safely(text)
    return tuple(bare.split("|")) if bare else ()


_PARSED: Mapping[ColumnType, Callable[[str], object]] = {
    ColumnType.INTEGER: lambda text: int(text) if text else None,
    ColumnType.NUMBER: lambda text: float(text) if text else None,
    ColumnType.TEXT: calculated_safely,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.TIME: _time,
    ColumnType.LIST: _list,
}


def _jsonl_records(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            entry = json.loads(line)
            if not isinstance(entry, dict):
                raise LibraryError(f"Line {number} is no object.", hint="Export it again as JSONL.")
            for name in ("created_at", "updated_at", "logged_at"):
                if isinstance(entry.get(name), str):
                    entry[name] = _value(entry[name], name, number)
            yield entry


def _parquet_records(path: Path) -> Iterator[Record]:
    try:
        from pyarrow import ArrowInvalid, parquet  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise ExtraMissing(
            "Parquet files need pyarrow.", hint='Run: pip install "label-studio-review-copilot[parquet]".'
        ) from error
    try:
        file = parquet.ParquetFile(path)
    except ArrowInvalid as error:
        raise LibraryError(f"{path.name} is no Parquet file.", hint="Export it again as Parquet.") from error
    with file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()


_READERS: Mapping[str, Callable[[Path], Iterator[Record]]] = {
    ".csv": _csv_records,
    ".jsonl": _jsonl_records,
    ".parquet": _parquet_records,
}
