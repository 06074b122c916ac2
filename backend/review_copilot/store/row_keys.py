"""Find or create the rows of projects and annotations. Knows only their keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from review_copilot.domain.review import ProjectKey, TaskKey
from review_copilot.store import schema


def insert_new(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; existing rows (by any unique key) do not change."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)
    else:
        connection.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)


def find_project(connection: sa.Connection, key: ProjectKey) -> int | None:
    """The project's row id; None if the database does not contain it."""
    table = schema.projects.c
    return connection.scalar(
        sa.select(table.id).where(
            table.instance == key.instance, table.project_id == key.project_id, table.created == key.created
        )
    )


def ensure_project(connection: sa.Connection, key: ProjectKey) -> int:
    """The project's row id; the row is created if needed."""
    found = find_project(connection, key)
    if found is None:
        row = {"instance": key.instance, "project_id": key.project_id, "created": key.created}
        insert_new(connection, schema.projects, [row])
        found = find_project(connection, key)
    assert found is not None  # noqa: S101  # just inserted
    return found


def lock_annotations(
    connection: sa.Connection, annotations: Collection[tuple[TaskKey, int]]
) -> dict[tuple[TaskKey, int], int]:
    """The row ids of annotations (task and annotation id); the rows are created if needed, and locked.

    Only one writer at a time can change an annotation. Locks are acquired in one order, so that deadlocks cannot occur.
    An annotation of task 0 is known only by its id; it gets its task as soon as that is known.
    """
    refs = {project: ensure_project(connection, project) for project in sorted({key.project for key, _ in annotations})}
    rows = [
        {"project_ref": refs[key.project], "task_id": key.task_id, "annotation_id": annotation_id}
        for key, annotation_id in sorted(annotations)
    ]
    insert_new(connection, schema.annotations, rows)
    table = schema.annotations.c
    found: dict[tuple[int, int], int] = {}
    nameless: list[int] = []
    for project in refs.values():
        of_project = [row["annotation_id"] for row in rows if row["project_ref"] == project]
        query = (
            sa.select(table.annotation_id, table.id, table.task_id)
            .where(table.project_ref == project, table.annotation_id.in_(of_project))
            .order_by(table.id)
            .with_for_update()  # SQLite has only one writer and ignores this
        )
        held = connection.execute(query).all()
        found |= {(project, annotation_id): ref for annotation_id, ref, _ in held}
        nameless += [ref for _, ref, task_id in held if task_id == 0]
    if nameless:
        _name_tasks(connection, nameless, rows)
    return {(key, number): found[refs[key.project], number] for key, number in annotations}


def _name_tasks(connection: sa.Connection, refs: list[int], rows: list[dict[str, Any]]) -> None:
    table = schema.annotations.c
    for row in rows:
        if row["task_id"]:
            connection.execute(
                sa.update(schema.annotations)
                .where(
                    table.id.in_(refs),
                    table.project_ref == row["project_ref"],
                    table.annotation_id == row["annotation_id"],
                )
                .values(task_id=row["task_id"])
            )


def project_from_row(row: Mapping[str, Any]) -> ProjectKey:
    """The key of a row of `projects`."""
    return ProjectKey(instance=row["instance"], project_id=row["project_id"], created=row["created"])
