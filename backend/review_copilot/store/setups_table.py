"""Store the setups of projects as versions. Knows no guideline and no inspector."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from review_copilot.domain.review import ProjectKey
from review_copilot.domain.setup import ProjectSetup, SetupVersion
from review_copilot.store import codec, schema
from review_copilot.store.row_keys import ensure_project, find_project

_SETUP = schema.setups.c


def newest(connection: sa.Connection, project: ProjectKey) -> SetupVersion | None:
    """See `ports.Setups.setup`."""
    ref = find_project(connection, project)
    query = sa.select(schema.setups).where(_SETUP.project_ref == ref).order_by(_SETUP.number.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _version(row)


def history(connection: sa.Connection, project: ProjectKey) -> Sequence[SetupVersion]:
    """See `ports.Setups.setups`."""
    ref = find_project(connection, project)
    query = sa.select(schema.setups).where(_SETUP.project_ref == ref).order_by(_SETUP.number)
    return [_version(row) for row in connection.execute(query).mappings()]


def append(connection: sa.Connection, project: ProjectKey, setup: ProjectSetup, *, now: datetime) -> SetupVersion:
    """See `ports.Setups.store_setup`."""
    ref = ensure_project(connection, project)
    last = newest(connection, project)
    if last is not None and last.setup == setup:
        return last
    version = SetupVersion(1 if last is None else last.number + 1, setup, now)
    row = {
        "project_ref": ref,
        "number": version.number,
        "setup": codec.setup_to_json(setup),
        "stored_at": now,
    }
    connection.execute(sa.insert(schema.setups), [row])
    return version


def _version(row: sa.RowMapping) -> SetupVersion:
    return SetupVersion(row["number"], codec.setup_from_json(row["setup"]), row["stored_at"])
