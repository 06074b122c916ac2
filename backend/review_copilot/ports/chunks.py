"""Rows of the log in bulk, stored in the form in which their reader packs them. Knows neither form nor content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from review_copilot.domain.log_columns import LogColumns
from review_copilot.domain.review import ProjectKey


class Part(StrEnum):
    """The stored parts of a chunk; each can be read without the other."""

    COUNTS = "counts"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class ColumnChunk:
    """The current rows of some whole tasks, packed by their reader.

    Attributes:
        counts: Counts of the rows.
        rows: The rows themselves.
    """

    counts: bytes
    rows: bytes


@dataclass(frozen=True, slots=True)
class Packing:
    """How to pack rows.

    Attributes:
        form: Name of the packed format; chunks in another format are packed again.
        pack: Packs rows into a chunk.
    """

    form: str
    pack: Callable[[LogColumns], ColumnChunk]


class ColumnLog(Protocol):
    """The current rows of a project, read in bulk.

    A packed chunk is stored until one of its tasks changes, so that a second read needs no rows.
    """

    def chunks(self, project: ProjectKey, packing: Packing, part: Part) -> Iterator[bytes]:
        """One part of every chunk of a project, by ascending task ids; together they contain every current row once.

        They include everything that was committed before the call. All are from one snapshot of the log.
        """
        ...
