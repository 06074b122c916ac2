"""Read the log: current revisions and existing annotations, row by row. Does not write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from review_copilot.domain.override import Comparison, LoggedOverride, SubmittedAnnotation
from review_copilot.domain.review import ProjectKey, TaskKey
from review_copilot.store import codec, schema
from review_copilot.store.reviews import provenance_of
from review_copilot.store.row_keys import find_project, project_from_row

_ANNOTATION = schema.annotations.c
_REVISION = schema.revisions.c
_OVERRIDE = schema.overrides.c
_TOMBSTONE = schema.tombstones.c
_STATE = schema.revision_states.c

_BURIED = (
    sa.select(sa.not_(_TOMBSTONE.lifted))
    .where(_TOMBSTONE.annotation_ref == _ANNOTATION.id)
    .order_by(_TOMBSTONE.id.desc())
    .limit(1)
    .scalar_subquery()
)
_IS_BURIED = sa.func.coalesce(_BURIED, sa.false())
_HAS_REVISION = sa.exists().where(_REVISION.annotation_ref == _ANNOTATION.id)


def living(connection: sa.Connection, key: TaskKey) -> frozenset[int]:
    """See `ports.OverrideLog.living`."""
    query = sa.select(_ANNOTATION.annotation_id).where(
        _ANNOTATION.project_ref == find_project(connection, key.project),
        _ANNOTATION.task_id == key.task_id,
        _HAS_REVISION,
        sa.not_(_IS_BURIED),
    )
    return frozenset(connection.scalars(query))


def newest(connection: sa.Connection, key: TaskKey) -> Mapping[int, SubmittedAnnotation]:
    """See `ports.OverrideLog.newest`."""
    query = (
        sa.select(_ANNOTATION.annotation_id, _REVISION.payload)
        .join(schema.annotations, _ANNOTATION.id == _REVISION.annotation_ref)
        .join(schema.revision_states, _STATE.revision_ref == _REVISION.id)
        .where(
            _ANNOTATION.project_ref == find_project(connection, key.project),
            _ANNOTATION.task_id == key.task_id,
            _STATE.newest,
            sa.not_(_STATE.deleted),
        )
    )
    return {number: codec.annotation_from_json(payload) for number, payload in connection.execute(query)}


def living_tasks(connection: sa.Connection, project: ProjectKey) -> frozenset[int]:
    """See `ports.OverrideLog.living_tasks`."""
    query = (
        sa.select(_ANNOTATION.task_id)
        .where(_ANNOTATION.project_ref == find_project(connection, project), _HAS_REVISION, sa.not_(_IS_BURIED))
        .distinct()
    )
    return frozenset(connection.scalars(query))


def comparisons_page(
    connection: sa.Connection, *, after: int, limit: int, project: ProjectKey | None, since: datetime | None
) -> Sequence[tuple[int, Comparison]]:
    """The next revisions of `ports.OverrideLog.comparisons`, those with an id above `after`, each with its id."""
    query = (
        sa.select(schema.revisions)
        .join(schema.annotations, _ANNOTATION.id == _REVISION.annotation_ref)
        .join(schema.revision_states, _STATE.revision_ref == _REVISION.id)
        .where(_REVISION.id > after, _STATE.newest, sa.not_(_STATE.deleted))
        .order_by(_REVISION.id)
        .limit(limit)
    )
    if since is not None:
        query = query.where(_REVISION.logged_at >= since)
    if project is not None:
        query = query.where(_ANNOTATION.project_ref == find_project(connection, project))
    revisions = connection.execute(query).mappings().all()
    rows: defaultdict[int, list[Mapping[Any, Any]]] = defaultdict(list)
    ids = [revision["id"] for revision in revisions]
    of_these = sa.select(schema.overrides).where(_OVERRIDE.revision_ref.in_(ids)).order_by(_OVERRIDE.id)
    for row in connection.execute(of_these).mappings():
        rows[row["revision_ref"]].append(row)
    return tuple((r["id"], _comparison(connection, r, rows[r["id"]])) for r in revisions)


def page(
    connection: sa.Connection,
    *,
    after: int,
    limit: int,
    project: ProjectKey | None,
    since: datetime | None,
    current: bool,
) -> Sequence[LoggedOverride]:
    """The next rows of `ports.OverrideLog.overrides`, those with an id above `after`."""
    is_current = sa.and_(_STATE.newest, sa.not_(_STATE.deleted))
    query = (
        sa.select(
            schema.overrides,
            *(_REVISION[name] for name in _REVISION_COLUMNS),
            _ANNOTATION.task_id,
            _ANNOTATION.annotation_id,
            schema.projects.c.instance,
            schema.projects.c.project_id,
            schema.projects.c.created,
            _STATE.deleted,
            is_current.label("current"),
        )
        .join(schema.revisions, _REVISION.id == _OVERRIDE.revision_ref)
        .join(schema.annotations, _ANNOTATION.id == _REVISION.annotation_ref)
        .join(schema.projects, schema.projects.c.id == _ANNOTATION.project_ref)
        .join(schema.revision_states, _STATE.revision_ref == _REVISION.id)
        .where(_OVERRIDE.id > after)
        .order_by(_OVERRIDE.id)
        .limit(limit)
    )
    if current:
        query = query.where(is_current)
    if since is not None:
        query = query.where(_REVISION.logged_at >= since)
    if project is not None:
        query = query.where(_ANNOTATION.project_ref == find_project(connection, project))
    return tuple(_logged(row) for row in connection.execute(query).mappings())


_REVISION_COLUMNS = (
    "number",
    "author",
    "editor",
    "created_at",
    "updated_at",
    "logged_at",
    "lead_time_s",
    "exposure",
    "unexamined",
    "left_out",
    "confirmed",
)


def _logged(row: Mapping[Any, Any]) -> LoggedOverride:
    return LoggedOverride(
        id=row["id"],
        revision=row["number"],
        current=bool(row["current"]),
        key=TaskKey(project_from_row(row), row["task_id"]),
        annotation_id=row["annotation_id"],
        override=codec.override_from_row(row),
        author=row["author"],
        editor=row["editor"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        logged_at=row["logged_at"],
        lead_time_s=row["lead_time_s"],
        provenance=codec.provenance_from_row(row),
        exposure=row["exposure"],
        confirmed=row["confirmed"],
        deleted=bool(row["deleted"]),
        unexamined=tuple(row["unexamined"]),
        left_out=row["left_out"],
    )


def _comparison(
    connection: sa.Connection, revision: Mapping[Any, Any], rows: Sequence[Mapping[Any, Any]]
) -> Comparison:
    """The comparison that was appended. Its provenance is in its rows; without rows, it is looked up."""
    first_review = next(iter(revision["review_ids"]), "")
    of_first = (row for row in rows if row["review_id"] in ("", first_review))
    row = next(of_first, None)
    provenance = codec.provenance_from_row(row) if row else provenance_of(connection, [first_review]).get(first_review)
    return Comparison(
        annotation=codec.annotation_from_json(revision["payload"]),
        overrides=tuple(codec.override_from_row(row) for row in rows),
        provenance=provenance,
        review_ids=tuple(revision["review_ids"]),
        exposure=revision["exposure"],
        confirmed=revision["confirmed"],
        unexamined=tuple(revision["unexamined"]),
        left_out=revision["left_out"],
    )
