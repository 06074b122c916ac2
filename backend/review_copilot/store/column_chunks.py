"""Keep packed rows of the log, and know which are out of date. Knows neither what is packed nor how.

Who writes to the log notes the tasks that it touched, in the same transaction. Who reads packs the chunks of touched
tasks again from one state of the database and keeps them if nobody kept them since; the notes that this state showed
are struck out with it, one by one, for on PostgreSQL one with a smaller number may be committed later. So a chunk
without a note is never older than the log, and what is read while others write is right, only not always kept.
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
"""Annotations of a new chunk; one that grew to twice as many is parted. More make the sum of many chunks quicker to
add up, fewer make less to pack again after a change."""

_FIRST_TASK, _END_TASK = -(2**63), 2**63 - 1
_BATCH = 10_000
_PARCEL = schema.chunks.c
_TOUCHED = schema.touched_tasks.c
_ANNOTATION = schema.annotations.c
_PROJECT = schema.projects.c
_EMPTIED: dict[str, Any] = {"version": _PARCEL.version + 1, "form": "", "counts": None, "rows": None}


@dataclass(frozen=True, slots=True)
class TaskRange:
    """A range of task ids, and what is kept of it.

    Attributes:
        project_ref: Row id of the project.
        first_task: First task id.
        end_task: First task id after it.
        version: Of its chunk; None while there is no chunk that begins there.
        fresh: Whether the chunk holds its current rows, in the form that was asked for.
    """

    project_ref: int
    first_task: int
    end_task: int
    version: int | None
    fresh: bool


def touch(connection: sa.Connection, annotations: Collection[int] | sa.Select[tuple[int]]) -> None:
    """Note that current rows of annotations may have changed.

    Args:
        connection: The transaction that changes them.
        annotations: Their row ids, or a query for them.
    """
    if isinstance(annotations, Collection) and not annotations:
        return
    tasks = sa.select(_ANNOTATION.project_ref, _ANNOTATION.task_id).where(_ANNOTATION.id.in_(annotations)).distinct()
    connection.execute(sa.insert(schema.touched_tasks).from_select(["project_ref", "task_id"], tasks))


def empty(connection: sa.Connection, projects: sa.ColumnElement[bool]) -> None:
    """Leave nothing packed of projects, for a name is to be forgotten; whoever is packing them cannot keep it."""
    _lock(connection, projects)
    of_these = sa.select(_PROJECT.id).where(projects)
    connection.execute(sa.update(schema.chunks).where(_PARCEL.project_ref.in_(of_these)).values(_EMPTIED))


def stretches(connection: sa.Connection, project: ProjectKey, form: str) -> Sequence[TaskRange]:
    """All task ids in rising order, in stretches of no more than about two chunks; empty for an unknown project."""
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
    """Make empty chunks for stretches that have none; one process at a time does."""
    _lock(connection, sa.and_(_PROJECT.id == find_project(connection, project)))
    found = stretches(connection, project, form)
    # Who packs the whole of a chunk that is parted here must not keep it.
    parted = [s.first_task for s, after in pairwise(found) if after.version is None and s.version is not None]
    for first in parted:
        of_this = (_PARCEL.project_ref == found[0].project_ref, _PARCEL.first_task == first)
        connection.execute(sa.update(schema.chunks).where(*of_this).values(_EMPTIED))
    new = [stretch for stretch in found if stretch.version is None]
    rows = [{"project_ref": s.project_ref, "first_task": s.first_task, "version": 0, "form": ""} for s in new]
    if rows:
        connection.execute(sa.insert(schema.chunks), rows)


def notes_of(connection: sa.Connection, stretch: TaskRange) -> Sequence[int]:
    """The notes about a stretch that this state of the database shows."""
    query = sa.select(_TOUCHED.id).where(
        _TOUCHED.project_ref == stretch.project_ref,
        _TOUCHED.task_id >= stretch.first_task,
        _TOUCHED.task_id < stretch.end_task,
    )
    return connection.scalars(query).all()


def keep(connection: sa.Connection, stretch: TaskRange, chunk: ColumnChunk, *, form: str, notes: Sequence[int]) -> None:
    """Keep what was packed, and strike the notes out that it takes account of; nothing if another one was quicker."""
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
    """The chunk of a stretch, made from rows."""
    columns = current_columns(connection, stretch.project_ref, first_task=stretch.first_task, end_task=stretch.end_task)
    return packing.pack(columns)


def read(connection: sa.Connection, project: ProjectKey, packing: Packing, part: Part) -> Iterator[bytes]:
    """See `ports.ColumnLog.chunks`; what is not fresh in this state of the database is made from rows."""
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
    """Where to part a stretch; before a task, never within one."""
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
    """Let who parts a project's tasks and who forgets a person take turns; SQLite has one writer at a time anyway."""
    query = sa.select(_PROJECT.id).where(projects).order_by(_PROJECT.id)
    connection.execute(query.with_for_update(key_share=True)).all()
