"""Store packed rows of the log, and track which are out of date. Knows neither what is packed nor how.

A writer of the log notes the tasks that it changed, in the same transaction. A reader packs the chunks of these
tasks again from one snapshot of the database and stores them if no one else did meanwhile. The notes in this snapshot
are deleted with it, one by one, because PostgreSQL may commit a note with a lower number later. So a chunk
without a note is never older than the log, and rows that are read while others write are correct but not always stored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from review_copilot.domain.review import ProjectKey
from review_copilot.ports import ColumnChunk, Packing, Part
from review_copilot.store import schema
from review_copilot.store.read_columns import current_columns
from review_copilot.store.row_keys import find_project

PARCEL_ANNOTATIONS = 8192
"""Annotations in a new chunk; a chunk with twice as many is split. Larger chunks make it faster to
add the sums of all chunks; smaller ones leave less to pack again after a change."""

_FIRST_TASK, _END_TASK = -(2**63), 2**63 - 1
_BATCH = 10_000
_PARCEL = schema.chunks.c
_TOUCHED = schema.touched_tasks.c
_ANNOTATION = schema.annotations.c
_PROJECT = schema.projects.c
_EMPTIED: dict[str, Any] = {"version": _PARCEL.version + 1, "form": "", "counts": None, "rows": None}


@dataclass(frozen=True, slots=True)
class TaskRange:
    """A range of task ids, and the state of its chunk.

    Attributes:
        project_ref: Row id of the project.
        first_task: First task id.
        end_task: First task id after it.
        version: Version of its chunk; None if no chunk starts there.
        fresh: Whether the chunk contains the current rows, in the requested form.
    """

    project_ref: int
    first_task: int
    end_task: int
    version: int | None
    fresh: bool


def touch(connection: sa.Connection, annotations: Collection[int] | sa.Select[tuple[int]]) -> None:
    """Record that current rows of annotations may have changed.

    Args:
        connection: The transaction that changes them.
        annotations: Their row ids, or a query for them.
    """
    if isinstance(annotations, Collection) and not annotations:
        return
    tasks = sa.select(_ANNOTATION.project_ref, _ANNOTATION.task_id).where(_ANNOTATION.id.in_(annotations)).distinct()
    connection.execute(sa.insert(schema.touched_tasks).from_select(["project_ref", "task_id"], tasks))


def empty(connection: sa.Connection, projects: sa.ColumnElement[bool]) -> None:
    """Delete the packed rows of projects, to remove a name; a process that is packing them cannot store the result."""
    _lock(connection, projects)
    of_these = sa.select(_PROJECT.id).where(projects)
    connection.execute(sa.update(schema.chunks).where(_PARCEL.project_ref.in_(of_these)).values(_EMPTIED))


def stretches(connection: sa.Connection, project: ProjectKey, form: str) -> Sequence[TaskRange]:
    """All task ids in ascending order, in ranges of at most about two chunks; empty for an unknown project."""
    project_ref = find_project(connection, project)
    if project_ref is None:
        return ()
    query = sa.select(_PARCEL.first_task, _PARCEL.version, _PARCEL.form == form).order_by(_PARCEL.first_task)
    kept = connection.execute(query.where(_PARCEL.project_ref == project_ref)).all()
    starts = [first for first, _, _ in kept] or [_FIRST_TASK]
    stale = {starts[bisect_right(starts, task) - 1] for task in _touched(connection, project_ref)}
    state = {first: (version, bool(fits) and first not in stale) for first, version, fits in kept}
    found: list[TaskRange] = []
    for first, end in zip(starts, [*starts[1:], _END_TASK], strict=True):
        version, fresh = state.get(first, (None, False))
        cuts = [] if fresh else _cuts(connection, project_ref, first, end)
        versions = [version, *(None for _ in cuts)]
        for start, stop, of in zip([first, *cuts], [*cuts, end], versions, strict=True):
            found.append(TaskRange(project_ref, start, stop, of, fresh))
    return found


def lay_out(connection: sa.Connection, project: ProjectKey, form: str) -> None:
    """Create empty chunks for ranges without one; one process at a time does this."""
    _lock(connection, sa.and_(_PROJECT.id == find_project(connection, project)))
    found = stretches(connection, project, form)
    # A process that packs the whole of a chunk that is split here must not store it.
    parted = [s.first_task for s, after in pairwise(found) if after.version is None and s.version is not None]
    for first in parted:
        of_this = (_PARCEL.project_ref == found[0].project_ref, _PARCEL.first_task == first)
        connection.execute(sa.update(schema.chunks).where(*of_this).values(_EMPTIED))
    new = [stretch for stretch in found if stretch.version is None]
    rows = [{"project_ref": s.project_ref, "first_task": s.first_task, "version": 0, "form": ""} for s in new]
    if rows:
        connection.execute(sa.insert(schema.chunks), rows)


def notes_of(connection: sa.Connection, stretch: TaskRange) -> Sequence[int]:
    """The notes about a range in this snapshot of the database."""
    query = sa.select(_TOUCHED.id).where(
        _TOUCHED.project_ref == stretch.project_ref,
        _TOUCHED.task_id >= stretch.first_task,
        _TOUCHED.task_id < stretch.end_task,
    )
    return connection.scalars(query).all()


def keep(connection: sa.Connection, stretch: TaskRange, chunk: ColumnChunk, *, form: str, notes: Sequence[int]) -> None:
    """Store a packed chunk, and delete the notes that it includes; does nothing if another process was faster."""
    kept = connection.execute(
        sa.update(schema.chunks)
        .where(
            _PARCEL.project_ref == stretch.project_ref,
            _PARCEL.first_task == stretch.first_task,
            _PARCEL.version == stretch.version,
        )
        .values(version=_PARCEL.version + 1, form=form, counts=chunk.counts, rows=chunk.rows)
    )
    if kept.rowcount and notes:
        strike = sa.delete(schema.touched_tasks).where(_TOUCHED.id == sa.bindparam("note"))
        connection.execute(strike, [{"note": note} for note in notes])


def packed(connection: sa.Connection, stretch: TaskRange, packing: Packing) -> ColumnChunk:
    """The chunk of a range, packed from rows."""
    columns = current_columns(connection, stretch.project_ref, first_task=stretch.first_task, end_task=stretch.end_task)
    return packing.pack(columns)


def read(connection: sa.Connection, project: ProjectKey, packing: Packing, part: Part) -> Iterator[bytes]:
    """See `ports.ColumnLog.chunks`; chunks that are out of date in this snapshot are packed from rows."""
    query = sa.select(_PARCEL[part.value]).where(
        _PARCEL.project_ref == sa.bindparam("project"), _PARCEL.first_task == sa.bindparam("first")
    )
    for stretch in stretches(connection, project, packing.form):
        if not stretch.fresh:
            made = packed(connection, stretch, packing)
            yield made.counts if part is Part.COUNTS else made.rows
            continue
        found = connection.scalar(query, {"project": stretch.project_ref, "first": stretch.first_task})
        assert isinstance(found, bytes)  # noqa: S101  # a fresh chunk has both parts
        yield found


def _touched(connection: sa.Connection, project_ref: int) -> Iterator[int]:
    query = sa.select(_TOUCHED.task_id).where(_TOUCHED.project_ref == project_ref)
    return iter(connection.scalars(query.execution_options(yield_per=_BATCH)))


def _cuts(connection: sa.Connection, project_ref: int, first: int, end: int) -> list[int]:
    """Where to split a range; before a task, never within one."""
    cuts: list[int] = []
    while True:
        rest = (
            sa.select(_ANNOTATION.task_id)
            .where(_ANNOTATION.project_ref == project_ref, _ANNOTATION.task_id >= first, _ANNOTATION.task_id < end)
            .order_by(_ANNOTATION.task_id)
        )
        if connection.scalar(rest.offset(2 * PARCEL_ANNOTATIONS).limit(1)) is None:
            return cuts
        last = connection.scalar(rest.offset(PARCEL_ANNOTATIONS - 1).limit(1))
        following = connection.scalar(rest.where(_ANNOTATION.task_id > last).limit(1))
        if following is None:
            return cuts
        first = following
        cuts.append(first)


def _lock(connection: sa.Connection, projects: sa.ColumnElement[bool]) -> None:
    """Lock out concurrent splitting and forgetting of a person; SQLite has only one writer at a time."""
    query = sa.select(_PROJECT.id).where(projects).order_by(_PROJECT.id)
    connection.execute(query.with_for_update(key_share=True)).all()
