"""Read a project's log as columns that are packed once and kept. Knows ports and the form in which they are packed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np

from review_copilot.domain.log_columns import LogColumns
from review_copilot.domain.review import ProjectKey
from review_copilot.ports import ColumnChunk, ColumnLog, Packing, Part
from review_copilot.study.joining import joined, pack_table, unpack_table
from review_copilot.study.study_counts import Counts, count, pack_counts, total, unpack_counts
from review_copilot.study.table import OverrideTable, number_columns


def _pack(columns: LogColumns) -> ColumnChunk:
    table = number_columns(columns)
    return ColumnChunk(counts=pack_counts(count(table)), rows=pack_table(table))


PACKING = Packing("counts 3, rows 2", _pack)
"""Must be renamed with every change of what is packed, and of what its numbers mean."""


@dataclass(frozen=True)
class Reading:
    """Rows of a log, read as often as they are asked for.

    Attributes:
        counts: What is counted in them.
        tables: The rows, in parts that have whole tasks, so that a long log is never held as one.
    """

    counts: Callable[[], Counts]
    tables: Callable[[], Iterable[OverrideTable]]


def reading_of_log(log: ColumnLog, project: ProjectKey) -> Reading:
    """The current rows of a project: what was packed of them before, and what was not yet."""
    return Reading(
        counts=lambda: total(map(unpack_counts, log.chunks(project, PACKING, Part.COUNTS))),
        tables=lambda: map(unpack_table, log.chunks(project, PACKING, Part.ROWS)),
    )


def pack_log(log: ColumnLog, project: ProjectKey) -> None:
    """Pack what was written since a project was last read, so that who reads it next need not wait for that."""
    next(iter(log.chunks(project, PACKING, Part.COUNTS)), None)


def reading_of(table: OverrideTable) -> Reading:
    """Rows that are at hand."""
    return Reading(counts=lambda: count(table), tables=lambda: (table,))


def some_of(reading: Reading, narrow: Callable[[OverrideTable], OverrideTable]) -> Reading:
    """The rows that are left of each part; they are counted anew."""
    return Reading(
        counts=lambda: total(count(narrow(table), of=table) for table in reading.tables()),
        tables=lambda: map(narrow, reading.tables()),
    )


def rows_of(reading: Reading, *, rows: Collection[int], annotations: Collection[int] = ()) -> OverrideTable:
    """Some rows: by row id, and all of some annotations."""

    def narrow(table: OverrideTable) -> OverrideTable:
        return table.where(np.isin(table.row, list(rows)) | np.isin(table.annotation, list(annotations)))

    return joined([found for table in reading.tables() if len(found := narrow(table))])
