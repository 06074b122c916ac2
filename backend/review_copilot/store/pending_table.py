"""Keep the drafts that are owed. Knows when an errand is due, and not how it is run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from review_copilot.domain.pending_draft import Errand
from review_copilot.domain.review import ProjectKey, ReviewTask
from review_copilot.store import codec, schema
from review_copilot.store.row_keys import ensure_project, find_project, insert_new

_ERRAND = schema.errands.c

MOST_PARAMETERS = 10_000
"""Ids in one statement; both databases take at least 32 000."""


def owe(connection: sa.Connection, tasks: Sequence[ReviewTask], *, rollout: str, due_at: datetime) -> None:
    """See `ports.Backlog.owe`."""
    refs = {project: ensure_project(connection, project) for project in {t.key.project for t in tasks}}
    rows = [
        {
            "project_ref": refs[task.key.project],
            "task_id": task.key.task_id,
            "rollout": rollout,
            "payload": codec.task_to_json(task),
            "attempts": 0,
            "due_at": due_at,
        }
        for task in tasks
    ]
    insert_new(connection, schema.errands, rows)


def hasten(
    connection: sa.Connection, project: ProjectKey, *, rollout: str, task_ids: Sequence[int], due_at: datetime
) -> None:
    """See `ports.Backlog.hasten`."""
    for ids in _chunks(task_ids):
        chosen = _of(connection, project, rollout=rollout, task_ids=ids)
        connection.execute(sa.update(schema.errands).where(*chosen).values(due_at=due_at))


def claim(connection: sa.Connection, *, limit: int, now: datetime, lease_s: float) -> Sequence[Errand]:
    """See `ports.Backlog.claim`."""
    due = (
        sa.select(_ERRAND.id)
        .where(_ERRAND.due_at <= now)
        .order_by(_ERRAND.due_at, _ERRAND.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # SQLite has but one writer anyway and leaves this out
    )
    ids = list(connection.scalars(due))
    if not ids:
        return ()
    connection.execute(
        sa.update(schema.errands).where(_ERRAND.id.in_(ids)).values(due_at=now + timedelta(seconds=lease_s))
    )
    query = sa.select(_ERRAND.id, _ERRAND.payload, _ERRAND.rollout, _ERRAND.attempts)
    return tuple(
        Errand(
            id=row["id"],
            task=codec.task_from_json(row["payload"]),
            rollout=row["rollout"],
            attempts=row["attempts"],
        )
        for row in connection.execute(query.where(_ERRAND.id.in_(ids)).order_by(_ERRAND.id)).mappings()
    )


def put_back(connection: sa.Connection, errand_ids: Sequence[int], *, due_at: datetime, failed: bool) -> None:
    """See `ports.Backlog.put_back`."""
    for ids in _chunks(errand_ids):
        connection.execute(
            sa.update(schema.errands)
            .where(_ERRAND.id.in_(ids))
            .values(due_at=due_at, attempts=_ERRAND.attempts + (1 if failed else 0))
        )


def settle(connection: sa.Connection, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]) -> None:
    """See `ports.Backlog.settle`."""
    for ids in _chunks(task_ids):
        chosen = _of(connection, project, rollout=rollout, task_ids=ids)
        connection.execute(sa.delete(schema.errands).where(*chosen))


def owed(connection: sa.Connection) -> int:
    """See `ports.Backlog.owed`."""
    return connection.scalar(sa.select(sa.func.count()).select_from(schema.errands)) or 0


def _of(
    connection: sa.Connection, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]
) -> tuple[sa.ColumnElement[bool], ...]:
    ref = find_project(connection, project)
    return _ERRAND.project_ref == ref, _ERRAND.rollout == rollout, _ERRAND.task_id.in_(task_ids)


def _chunks(ids: Sequence[int]) -> Sequence[Sequence[int]]:
    return [ids[start : start + MOST_PARAMETERS] for start in range(0, len(ids), MOST_PARAMETERS)]
