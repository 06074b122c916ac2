"""Store the features of reviewed regions, one row per project. Knows no measurement."""

from __future__ import annotations

import sqlalchemy as sa

from review_copilot.domain.review import ProjectKey
from review_copilot.domain.reviewed_crops import ReviewedCrops
from review_copilot.store import codec, schema
from review_copilot.store.row_keys import ensure_project, find_project, insert_new

_BOOK = schema.crops_table.c


def read(connection: sa.Connection, project: ProjectKey) -> ReviewedCrops | None:
    """See `ports.ReviewedCropsStore.reviewed_crops`."""
    ref = find_project(connection, project)
    payload = connection.scalar(sa.select(_BOOK.payload).where(_BOOK.project_ref == ref))
    return None if payload is None else codec.reviewed_crops_from_json(payload)


def keep(connection: sa.Connection, project: ProjectKey, book: ReviewedCrops) -> None:
    """See `ports.ReviewedCropsStore.keep_reviewed_crops`."""
    ref, payload = ensure_project(connection, project), codec.reviewed_crops_to_json(book)
    insert_new(connection, schema.crops_table, [{"project_ref": ref, "payload": payload}])
    connection.execute(sa.update(schema.crops_table).where(_BOOK.project_ref == ref).values(payload=payload))
