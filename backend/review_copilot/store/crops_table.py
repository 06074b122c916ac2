"""Keep what reviewed regions look like: one row for a project. Knows no measurement."""

from __future__ import annotations

import sqlalchemy as sa

from review_copilot.domain.review import ProjectKey
from review_copilot.domain.reviewed_crops import Lookbook
from review_copilot.store import codec, schema
from review_copilot.store.row_keys import ensure_project, find_project, insert_new

_BOOK = schema.lookbooks.c


def read(connection: sa.Connection, project: ProjectKey) -> Lookbook | None:
    """See `ports.Lookbooks.lookbook`."""
    ref = find_project(connection, project)
    payload = connection.scalar(sa.select(_BOOK.payload).where(_BOOK.project_ref == ref))
    return None if payload is None else codec.lookbook_from_json(payload)


def keep(connection: sa.Connection, project: ProjectKey, book: Lookbook) -> None:
    """See `ports.Lookbooks.keep_lookbook`."""
    ref, payload = ensure_project(connection, project), codec.lookbook_to_json(book)
    insert_new(connection, schema.lookbooks, [{"project_ref": ref, "payload": payload}])
    connection.execute(sa.update(schema.lookbooks).where(_BOOK.project_ref == ref).values(payload=payload))
