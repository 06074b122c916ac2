"""Rows of the log in bulk, kept in whatever form their reader packs them. Knows neither the form nor the numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from review_copilot.domain.log_columns import LogColumns
from review_copilot.domain.review import ProjectKey


class Part(StrEnum):
    """What is kept of a chunk; either is read without the other."""

    COUNTS = "counts"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class ColumnChunk:
    """The current rows of some tasks, each task whole, as their reader wants them kept.

    Attributes:
        counts: What was counted in them.
        rows: The rows themselves.
    """

    counts: bytes
    rows: bytes


@dataclass(frozen=True, slots=True)
class Packing:
    """How rows are packed.

    Attributes:
        form: Names the form; what was kept in another is made again.
        pack: Makes a chunk of rows.
    """

    form: str
    pack: Callable[[LogColumns], ColumnChunk]


class ColumnLog(Protocol):
    """The current rows of a project, read in bulk.

    What was packed once is kept until one of its tasks is written to, so a second reading costs no row.
    """

    def chunks(self, project: ProjectKey, packing: Packing, part: Part) -> Iterator[bytes]:
        """One part of every chunk of a project, by rising task ids; together they hold every current row once.

        What was committed before the call is in them. All are of one state of the log.
        """
        ...
