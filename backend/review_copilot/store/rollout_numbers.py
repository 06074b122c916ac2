"""Number the roll-outs of a project. Knows labels but no drafts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from review_copilot.domain.review import ProjectKey
from review_copilot.store import schema
from review_copilot.store.row_keys import ensure_project, find_project, insert_new

_ROLLOUT = schema.rollouts.c
SHORT_HASH = 6


def find(connection: sa.Connection, project: ProjectKey, *, guideline_id: str, model_version: str) -> str | None:
    """The label of that content; None if the project has none for it."""
    number = connection.scalar(
        sa.select(_ROLLOUT.number).where(
            _ROLLOUT.project_ref == find_project(connection, project),
            _ROLLOUT.guideline_id == guideline_id,
            _ROLLOUT.model_version == model_version,
        )
    )
    return None if number is None else f"{guideline_id} r{number} {model_version[:SHORT_HASH]}"


def labels(connection: sa.Connection, project: ProjectKey) -> list[str]:
    """See `ports.Rollouts.rollouts`."""
    query = (
        sa.select(schema.rollouts)
        .where(_ROLLOUT.project_ref == find_project(connection, project))
        .order_by(_ROLLOUT.number)
    )
    return [
        f"{row['guideline_id']} r{row['number']} {row['model_version'][:SHORT_HASH]}"
        for row in connection.execute(query).mappings()
    ]


def begin(
    connection: sa.Connection, project: ProjectKey, *, guideline_id: str, model_version: str, now: datetime
) -> None:
    """Assign the project's next number to that content; does nothing if another process was faster."""
    ref = ensure_project(connection, project)
    last = connection.scalar(sa.select(sa.func.max(_ROLLOUT.number)).where(_ROLLOUT.project_ref == ref)) or 0
    row = {
        "project_ref": ref,
        "number": last + 1,
        "guideline_id": guideline_id,
        "model_version": model_version,
        "begun_at": now,
    }
    insert_new(connection, schema.rollouts, [row])
