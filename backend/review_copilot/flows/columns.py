"""Read a project's log as columns that are packed once and kept. Knows ports and the form in which they are packed."""

from __future__ import annotations

from review_copilot.analysis.joining import joined, pack_table, unpack_table
from review_copilot.analysis.table import OverrideTable, number_columns
from review_copilot.domain.log_columns import LogColumns
from review_copilot.domain.review import ProjectKey
from review_copilot.ports import ColumnLog, Packing, Parcel, Part


def _pack(columns: LogColumns) -> Parcel:
    return Parcel(counts=b"", rows=pack_table(number_columns(columns)))


PACKING = Packing("rows 1", _pack)
"""Must be renamed with every change of what is packed, and of what its numbers mean."""


def read_table(log: ColumnLog, project: ProjectKey) -> OverrideTable:
    """The current rows of a project."""
    return joined([unpack_table(rows) for rows in log.parcels(project, PACKING, Part.ROWS)])
