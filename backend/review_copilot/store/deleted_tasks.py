"""Remember deleted tasks, for events that arrive after the deletion. Knows no annotation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from review_copilot.domain.review import TaskKey
from review_copilot.store import schema
from review_copilot.store.row_keys import ensure_project, find_project, insert_new

_TASK = schema.task_tombstones.c


def note_gone(connection: sa.Connection, key: TaskKey, *, now: datetime) -> None:
    """Remember that a task was deleted."""
    row = {"project_ref": ensure_project(connection, key.project), "task_id": key.task_id, "at": now}
    insert_new(connection, schema.task_tombstones, [row])


def note_alive(connection: sa.Connection, keys: Collection[TaskKey]) -> None:
    """Forget that tasks were deleted: they exist in Label Studio."""
    for key in keys:
        connection.execute(
            sa.delete(schema.task_tombstones).where(
                _TASK.project_ref == find_project(connection, key.project), _TASK.task_id == key.task_id
            )
        )


def gone_among(connection: sa.Connection, keys: Collection[TaskKey]) -> frozenset[TaskKey]:
    """The subset of the tasks that are known to be deleted."""
    gone: set[TaskKey] = set()
    for project in {key.project for key in keys}:
        named = [key.task_id for key in keys if key.project == project]
        found = connection.scalars(
            sa.select(_TASK.task_id).where(
                _TASK.project_ref == find_project(connection, project), _TASK.task_id.in_(named)
            )
        )
        gone.update(TaskKey(project, task_id) for task_id in found)
    return frozenset(gone)
