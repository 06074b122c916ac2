"""Store pending drafts. Knows when a pending draft is due, but not how it is made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from review_copilot.domain.pending_draft import PendingDraft
from review_copilot.domain.review import ProjectKey, ReviewTask
from review_copilot.store import codec, schema
from review_copilot.store.row_keys import ensure_project, find_project, insert_new

_PENDING = schema.pending_drafts.c

MOST_PARAMETERS = 10_000
"""Ids per statement; both databases allow at least 32 000."""


def add_pending(connection: sa.Connection, tasks: Sequence[ReviewTask], *, rollout: str, due_at: datetime) -> None:
    """See `ports.PendingDrafts.add_pending`."""
    refs = {project: ensure_project(connection, project) for project in {t.key.project for t in tasks}}
    rows = [
        {
            "project_ref": refs[task.key.project],
            "task_id": task.key.task_id,
            "rollout": rollout,
            "payload": codec.task_to_json(ReviewTask(key=task.key, image="")),
            "attempts": 0,
            "due_at": due_at,
        }
        for task in tasks
    ]
    insert_new(connection, schema.pending_drafts, rows)


def reschedule(
    connection: sa.Connection, project: ProjectKey, *, rollout: str, task_ids: Sequence[int], due_at: datetime
) -> None:
    """See `ports.PendingDrafts.reschedule`."""
    for ids in _chunks(task_ids):
        chosen = _of(connection, project, rollout=rollout, task_ids=ids)
        connection.execute(sa.update(schema.pending_drafts).where(*chosen).values(due_at=due_at))


def claim(connection: sa.Connection, *, limit: int, now: datetime, lease_s: float) -> Sequence[PendingDraft]:
    """See `ports.PendingDrafts.claim`."""
    due = (
        sa.select(_PENDING.id)
        .where(_PENDING.due_at <= now)
        .order_by(_PENDING.due_at, _PENDING.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # SQLite has only one writer and ignores this
    )
    ids = list(connection.scalars(due))
    if not ids:
        return ()
    connection.execute(
        sa.update(schema.pending_drafts).where(_PENDING.id.in_(ids)).values(due_at=now + timedelta(seconds=lease_s))
    )
    query = sa.select(_PENDING.id, _PENDING.payload, _PENDING.rollout, _PENDING.attempts)
    return tuple(
        PendingDraft(
            id=row["id"],
            key=codec.task_from_json(row["payload"]).key,
            rollout=row["rollout"],
            attempts=row["attempts"],
        )
        for row in connection.execute(query.where(_PENDING.id.in_(ids)).order_by(_PENDING.id)).mappings()
    )


def release(connection: sa.Connection, pending_ids: Sequence[int], *, due_at: datetime, failed: bool) -> None:
    """See `ports.PendingDrafts.release`."""
    for ids in _chunks(pending_ids):
        connection.execute(
            sa.update(schema.pending_drafts)
            .where(_PENDING.id.in_(ids))
            .values(due_at=due_at, attempts=_PENDING.attempts + (1 if failed else 0))
        )


def clear_pending(connection: sa.Connection, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]) -> None:
    """See `ports.PendingDrafts.clear_pending`."""
    for ids in _chunks(task_ids):
        chosen = _of(connection, project, rollout=rollout, task_ids=ids)
        connection.execute(sa.delete(schema.pending_drafts).where(*chosen))


def pending_count(connection: sa.Connection) -> int:
    """See `ports.PendingDrafts.pending_count`."""
    return connection.scalar(sa.select(sa.func.count()).select_from(schema.pending_drafts)) or 0


def _of(
    connection: sa.Connection, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]
) -> tuple[sa.ColumnElement[bool], ...]:
    ref = find_project(connection, project)
    return _PENDING.project_ref == ref, _PENDING.rollout == rollout, _PENDING.task_id.in_(task_ids)


def _chunks(ids: Sequence[int]) -> Sequence[Sequence[int]]:
    return [ids[start : start + MOST_PARAMETERS] for start in range(0, len(ids), MOST_PARAMETERS)]
