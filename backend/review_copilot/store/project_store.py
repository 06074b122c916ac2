"""The part of the store that keeps what belongs to a project: its setups, and its mark of new tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from review_copilot.domain.review import ProjectKey
from review_copilot.domain.setup import ProjectSetup, SetupVersion
from review_copilot.ports import Clock
from review_copilot.store import schema, setups_table
from review_copilot.store.database import Database
from review_copilot.store.row_keys import ensure_project, find_project

_MARK = schema.new_task_marks.c


class ProjectStore:
    """Implements `ports.Setups` and `ports.NewTaskMarks`."""

    database: Database
    _clock: Clock

    def setup(self, project: ProjectKey) -> SetupVersion | None:
        """See `ports.Setups`."""
        with self.database.reading() as connection:
            return setups_table.newest(connection, project)

    def setups(self, project: ProjectKey) -> Sequence[SetupVersion]:
        """See `ports.Setups`."""
        with self.database.reading() as connection:
            return setups_table.history(connection, project)

    def store_setup(self, project: ProjectKey, setup: ProjectSetup) -> SetupVersion:
        """See `ports.Setups`."""
        with self.database.writing() as connection:
            return setups_table.append(connection, project, setup, now=self._clock.now())

    def new_tasks_since(self, project: ProjectKey) -> datetime | None:
        """See `ports.NewTaskMarks`."""
        with self.database.reading() as connection:
            query = sa.select(_MARK.since).where(_MARK.project_ref == find_project(connection, project))
            return connection.scalar(query)

    def mark_new_tasks(self, project: ProjectKey, since: datetime | None) -> None:
        """See `ports.NewTaskMarks`."""
        with self.database.writing() as connection:
            ref = ensure_project(connection, project)
            connection.execute(sa.delete(schema.new_task_marks).where(_MARK.project_ref == ref))
            if since is not None:
                connection.execute(sa.insert(schema.new_task_marks), {"project_ref": ref, "since": since})
