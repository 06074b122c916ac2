"""Find or make the rows that stand for a project and for an annotation. Knows no more of them than their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from review_copilot.domain.review import ProjectKey, TaskKey
from review_copilot.store import schema


def insert_new(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; those that are there already (by any unique key) are left as they are."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)
    else:
        connection.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)


def find_project(connection: sa.Connection, key: ProjectKey) -> int | None:
    """The project's row id; None when the database has never heard of it."""
    table = schema.projects.c
    return connection.scalar(
        sa.select(table.id).where(
            table.instance == key.instance, table.project_id == key.project_id, table.created == key.created
        )
    )


def ensure_project(connection: sa.Connection, key: ProjectKey) -> int:
    """The project's row id, made when it is not there."""
    found = find_project(connection, key)
    if found is None:
        row = {"instance": key.instance, "project_id": key.project_id, "created": key.created}
        insert_new(connection, schema.projects, [row])
        found = find_project(connection, key)
    assert found is not None  # noqa: S101  # just inserted
    return found


def lock_annotation(connection: sa.Connection, key: TaskKey, annotation_id: int) -> int:
    """The annotation's row id, made when it is not there, and locked: writers of one annotation take turns."""
    project = ensure_project(connection, key.project)
    insert_new(
        connection,
        schema.annotations,
        [{"project_ref": project, "task_id": key.task_id, "annotation_id": annotation_id}],
    )
    table = schema.annotations.c
    found: int = connection.execute(
        sa.select(table.id)
        .where(table.project_ref == project, table.annotation_id == annotation_id)
        .with_for_update()  # SQLite has but one writer anyway and leaves this out
    ).scalar_one()
    return found


def project_from_row(row: Mapping[str, Any]) -> ProjectKey:
    """The key of a row of `projects`."""
    return ProjectKey(instance=row["instance"], project_id=row["project_id"], created=row["created"])
