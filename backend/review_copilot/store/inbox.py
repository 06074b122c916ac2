"""The inbox of webhook notices, and the bookmarks of sweeps. Knows no annotation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from review_copilot.domain.review import ProjectKey
from review_copilot.ports import SweepPoint, WebhookNotice
from review_copilot.store import schema
from review_copilot.store.row_keys import ensure_project, find_project, insert_new

_INBOX = schema.inbox.c
_BOOKMARK = schema.bookmarks.c
_POINT = schema.sweep_points.c


def put(connection: sa.Connection, notices: Sequence[WebhookNotice], *, now: datetime) -> Sequence[int]:
    """See `ports.Inbox.put`; several at a time, in order."""
    rows = [
        {
            "instance": wake.instance,
            "project_id": wake.project_id,
            "task_ids": list(wake.task_ids),
            "action": wake.action,
            "body": wake.body,
            "received_at": now,
        }
        for wake in notices
    ]
    inserted = sa.insert(schema.inbox).returning(_INBOX.id, sort_by_parameter_order=True)
    return tuple(connection.scalars(inserted, rows))


def waiting(connection: sa.Connection, *, limit: int, after: int) -> Sequence[WebhookNotice]:
    """See `ports.Inbox.waiting`."""
    query = sa.select(schema.inbox).where(_INBOX.id > after).order_by(_INBOX.id).limit(limit)
    return tuple(
        WebhookNotice(
            id=row["id"],
            instance=row["instance"],
            project_id=row["project_id"],
            task_ids=tuple(row["task_ids"]),
            action=row["action"],
            body=row["body"],
        )
        for row in connection.execute(query).mappings()
    )


def waiting_since(connection: sa.Connection) -> datetime | None:
    """See `ports.Inbox.waiting_since`."""
    return connection.scalar(sa.select(_INBOX.received_at).order_by(_INBOX.id).limit(1))


def done(connection: sa.Connection, notice_ids: Iterable[int]) -> None:
    """See `ports.Inbox.done`: a processed event is deleted."""
    ids = [{"wake_id": wake_id} for wake_id in notice_ids]
    if ids:
        connection.execute(sa.delete(schema.inbox).where(_INBOX.id == sa.bindparam("wake_id")), ids)


def bookmark(connection: sa.Connection, project: ProjectKey) -> datetime | None:
    """See `ports.Bookmarks.bookmark`."""
    return connection.scalar(
        sa.select(_BOOKMARK.swept_to).where(_BOOKMARK.project_ref == find_project(connection, project))
    )


def move_bookmark(connection: sa.Connection, project: ProjectKey, to: datetime, *, back: bool) -> None:
    """See `ports.Bookmarks.move_bookmark`."""
    ref = ensure_project(connection, project)
    insert_new(connection, schema.bookmarks, [{"project_ref": ref, "swept_to": to}])
    moved = sa.update(schema.bookmarks).where(_BOOKMARK.project_ref == ref).values(swept_to=to)
    connection.execute(moved if back else moved.where(_BOOKMARK.swept_to < to))


def unfinished_sweep(connection: sa.Connection, project: ProjectKey) -> SweepPoint | None:
    """See `ports.Bookmarks.unfinished_sweep`."""
    query = sa.select(_POINT.since, _POINT.up_to, _POINT.after)
    row = connection.execute(query.where(_POINT.project_ref == find_project(connection, project))).first()
    return None if row is None else SweepPoint(since=row.since, up_to=row.up_to, after=row.after)


def keep_sweep(connection: sa.Connection, project: ProjectKey, point: SweepPoint | None) -> None:
    """See `ports.Bookmarks.keep_sweep`."""
    ref = ensure_project(connection, project)
    connection.execute(sa.delete(schema.sweep_points).where(_POINT.project_ref == ref))
    if point is not None:
        row = {"project_ref": ref, "since": point.since, "up_to": point.up_to, "after": point.after}
        connection.execute(sa.insert(schema.sweep_points), row)
