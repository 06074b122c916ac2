"""Read a project's log as columns that are packed once and stored. Knows ports and the packed format."""

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


PACKING = Packing("counts 4, rows 2", _pack)
"""Name of the packed format. Change it whenever the packed content or the meaning of its numbers changes."""


@dataclass(frozen=True)
class Reading:
    """Rows of a log, read each time they are used.

    Attributes:
        counts: The counts of the rows.
        tables: The rows, in parts with whole tasks, so that a long log is never in memory as a whole.
    """

    counts: Callable[[], Counts]
    tables: Callable[[], Iterable[OverrideTable]]


def reading_of_log(log: ColumnLog, project: ProjectKey) -> Reading:
    """The current rows of a project: those already packed, and those not packed yet."""
    return Reading(
        counts=lambda: total(map(unpack_counts, log.chunks(project, PACKING, Part.COUNTS))),
        tables=lambda: map(unpack_table, log.chunks(project, PACKING, Part.ROWS)),
    )


def pack_log(log: ColumnLog, project: ProjectKey) -> None:
    """Pack the rows written since a project was last read, so that the next reader does not wait for it."""
    next(iter(log.chunks(project, PACKING, Part.COUNTS)), None)


def reading_of(table: OverrideTable) -> Reading:
    """Rows in memory."""
    return Reading(counts=lambda: count(table), tables=lambda: (table,))


def some_of(reading: Reading, narrow: Callable[[OverrideTable], OverrideTable]) -> Reading:
    """The filtered rows of each part, counted again."""
    return Reading(
        counts=lambda: total(count(narrow(table), of=table) for table in reading.tables()),
        tables=lambda: map(narrow, reading.tables()),
    )


def rows_of(reading: Reading, *, rows: Collection[int], annotations: Collection[int] = ()) -> OverrideTable:
    """Selected rows: by row id, and all rows of selected annotations."""

    def narrow(table: OverrideTable) -> OverrideTable:
        return table.where(np.isin(table.row, list(rows)) | np.isin(table.annotation, list(annotations)))

    return joined([found for table in reading.tables() if len(found := narrow(table))])
