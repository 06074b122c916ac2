"""The part of the store that keeps what belongs to a project: its setups, and its mark of new tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from review_copilot.domain.review import ProjectKey, Provenance
from review_copilot.domain.setup import ProjectSetup, SetupVersion
from review_copilot.ports import Clock
from review_copilot.store import codec, rollout_numbers, schema, setups_table
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
            stored = setups_table.append(connection, project, setup, now=self._clock.now())
            without = schema.projects_without_setup
            connection.execute(sa.delete(without).where(without.c.project_ref == find_project(connection, project)))
            return stored

    def drafted_before_setups(self, project: ProjectKey) -> Provenance | None:
        """See `ports.Setups`."""
        review, without = schema.reviews.c, schema.projects_without_setup.c
        with self.database.reading() as connection:
            ref = find_project(connection, project)
            if connection.scalar(sa.select(without.project_ref).where(without.project_ref == ref)) is None:
                return None
            newest = rollout_numbers.labels(connection, project)[-1:]
            query = sa.select(review.payload).where(review.project_ref == ref, review.rollout.in_(newest))
            payload = connection.scalar(query.order_by(review.id.desc()).limit(1))
            return None if payload is None else codec.review_from_json(payload).provenance

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
