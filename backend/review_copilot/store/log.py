"""The append-only log: revisions, their rows, tombstones. Knows no review but its id and provenance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from review_copilot.domain.override import Comparison, LoggedOverride
from review_copilot.domain.review import ProjectKey, Provenance, TaskKey
from review_copilot.ports import Appended
from review_copilot.store import codec, people, schema
from review_copilot.store.keys import find_project, lock_annotation, project_from_row

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


def append(connection: sa.Connection, comparison: Comparison, *, now: datetime) -> Appended:
    """See `ports.OverrideLog.append`."""
    key, annotation_id = comparison.annotation.key, comparison.annotation.annotation_id
    ref = lock_annotation(connection, key, annotation_id)
    annotation = people.still_forgotten(connection, ref, comparison.annotation)
    if comparison.confirmed and _buried(connection, ref):
        connection.execute(sa.insert(schema.tombstones).values(annotation_ref=ref, lifted=True, at=now))
    origins = _provenance_by_id(connection, comparison.review_ids[1:])
    rows = [codec.override_to_row(o, origins.get(o.review_id, comparison.provenance)) for o in comparison.overrides]
    fingerprint = (annotation.content_hash, codec.rows_hash(rows))
    number = _next_number(connection, ref, fingerprint, annotation.updated_at)
    if number is None:
        return Appended()
    revision = connection.execute(
        sa.insert(schema.revisions)
        .values(
            annotation_ref=ref,
            number=number,
            content_hash=fingerprint[0],
            rows_hash=fingerprint[1],
            author=annotation.author,
            editor=annotation.editor,
            created_at=annotation.created_at,
            updated_at=annotation.updated_at,
            logged_at=now,
            lead_time_s=annotation.lead_time_s,
            exposure=comparison.exposure,
            confirmed=comparison.confirmed,
            review_ids=list(comparison.review_ids),
            payload=codec.annotation_to_json(annotation),
        )
        .returning(_REVISION.id)
    ).scalar_one()
    if rows:
        connection.execute(sa.insert(schema.overrides), [{"revision_ref": revision, **row} for row in rows])
    return Appended(revisions=1, rows=len(rows))


def bury(connection: sa.Connection, key: TaskKey, *, annotation_ids: Iterable[int] | None, now: datetime) -> int:
    """See `ports.OverrideLog.bury`."""
    gone = living(connection, key) if annotation_ids is None else annotation_ids
    refs = [lock_annotation(connection, key, annotation_id) for annotation_id in sorted(set(gone))]
    new = [ref for ref in refs if not _buried(connection, ref)]
    if new:
        rows = [{"annotation_ref": ref, "lifted": False, "at": now} for ref in new]
        connection.execute(sa.insert(schema.tombstones), rows)
    return len(new)


def living(connection: sa.Connection, key: TaskKey) -> frozenset[int]:
    """See `ports.OverrideLog.living`."""
    query = sa.select(_ANNOTATION.annotation_id).where(
        _ANNOTATION.project_ref == find_project(connection, key.project),
        _ANNOTATION.task_id == key.task_id,
        _HAS_REVISION,
        sa.not_(_IS_BURIED),
    )
    return frozenset(connection.scalars(query))


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
    )


def _comparison(
    connection: sa.Connection, revision: Mapping[Any, Any], rows: Sequence[Mapping[Any, Any]]
) -> Comparison:
    """The comparison that was appended. Its provenance stands in its rows; without rows it is looked up."""
    first_review = next(iter(revision["review_ids"]), "")
    of_first = (row for row in rows if row["review_id"] in ("", first_review))
    row = next(of_first, None)
    provenance = (
        codec.provenance_from_row(row) if row else _provenance_by_id(connection, [first_review]).get(first_review)
    )
    return Comparison(
        annotation=codec.annotation_from_json(revision["payload"]),
        overrides=tuple(codec.override_from_row(row) for row in rows),
        provenance=provenance,
        review_ids=tuple(revision["review_ids"]),
        exposure=revision["exposure"],
        confirmed=revision["confirmed"],
    )


def _buried(connection: sa.Connection, ref: int) -> bool:
    query = sa.select(_TOMBSTONE.lifted).where(_TOMBSTONE.annotation_ref == ref).order_by(_TOMBSTONE.id.desc())
    return connection.scalar(query.limit(1)) is False


def _next_number(
    connection: sa.Connection, ref: int, fingerprint: tuple[str, str], updated_at: datetime | None
) -> int | None:
    """The number of the revision to be written; None when the log holds it already."""
    held = connection.execute(
        sa.select(_REVISION.number, _REVISION.content_hash, _REVISION.rows_hash, _REVISION.updated_at)
        .where(_REVISION.annotation_ref == ref)
        .order_by(_REVISION.updated_at.desc().nulls_last(), _REVISION.id.desc())
    ).all()
    for place, (_, content, rows, when) in enumerate(held):
        if (content, rows) == fingerprint and (place == 0 or (when is not None and when == updated_at)):
            return None
    return 1 + max((number for number, *_ in held), default=0)


def _provenance_by_id(connection: sa.Connection, review_ids: Sequence[str]) -> dict[str, Provenance]:
    """Review id to provenance, as far as the reviews are known."""
    if not review_ids:
        return {}
    table = schema.reviews.c
    found = connection.execute(sa.select(table.review_id, table.payload).where(table.review_id.in_(review_ids)))
    return {review_id: codec.review_from_json(payload).provenance for review_id, payload in found}
