"""Implement `ports.Store` with one database. Knows the transaction that each call needs, but no statement."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from review_copilot.concurrency.group_commit import GroupCommitWriter
from review_copilot.domain.draft_totals import Drafts, Undrafted, Why
from review_copilot.domain.override import Comparison, LoggedOverride, SubmittedAnnotation
from review_copilot.domain.pending_draft import PendingDraft
from review_copilot.domain.review import ProjectKey, Review, ReviewTask, TaskKey
from review_copilot.domain.reviewed_crops import ReviewedCrops
from review_copilot.domain.task_image import Picture
from review_copilot.errors import StoreError
from review_copilot.ports import Appended, Clock, Packing, Part, Shared, StoredPrediction, SweepPoint, WebhookNotice
from review_copilot.store import (
    append,
    column_chunks,
    crops_table,
    draft_facts,
    inbox,
    pending_table,
    pseudonyms,
    read_log,
    rollout_numbers,
)
from review_copilot.store import reviews as drafts
from review_copilot.store.advisory_locks import Locks
from review_copilot.store.database import Database, connect, migrate
from review_copilot.store.database_breaker import DatabaseBreaker
from review_copilot.store.postgres_limits import (
    DailyBudget,
    DatabaseConcurrencyLimit,
    DatabaseNamedLocks,
    DatabaseReplyCache,
)
from review_copilot.store.project_store import ProjectStore

_log = logging.getLogger(__name__)

PAGE_ROWS = 2000
"""Rows of the log per page; no transaction is open between two pages, so that an export blocks no writer."""

BATCH_REVISIONS = 500
"""Revisions per transaction when many arrive together: they share a disk flush and still let other writers in."""

PAGE_REVISIONS = 500
"""Revisions per page with their rows, for the same reason."""


class SqlStore(ProjectStore):
    """Implements `ports.Store`. Safe to use from several threads and processes."""

    def __init__(self, database: Database, *, clock: Clock, pseudonym_key: str = "") -> None:
        self.database = database
        self._clock = clock
        self._inbox = GroupCommitWriter(self._put_all)
        self._pseudonym_key = pseudonym_key
        self.locks = Locks(database)

    def close(self) -> None:
        """Close all connections."""
        self.locks.close()
        self.database.engine.dispose()

    def remember(self, reviews: Sequence[Review]) -> None:
        """See `ports.ReviewStore`."""
        with self.database.writing() as connection:
            drafts.remember(connection, reviews)

    def recall(self, key: TaskKey) -> Sequence[Review]:
        """See `ports.ReviewStore`."""
        with self.database.reading() as connection:
            return drafts.recall(connection, key)

    def draft_totals(
        self, project: ProjectKey, *, since: datetime | None = None, until: datetime | None = None
    ) -> Drafts:
        """See `ports.ReviewStore`."""
        with self.database.reading() as connection:
            return draft_facts.totals(connection, project, since=since, until=until)

    def undrafted(
        self,
        project: ProjectKey,
        why: Why,
        *,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Undrafted]:
        """See `ports.ReviewStore`."""
        with self.database.reading() as connection:
            return draft_facts.undrafted(connection, project, why, since=since, until=until, limit=limit)

    def projects(self) -> Sequence[ProjectKey]:
        """See `ports.ReviewStore`."""
        with self.database.reading() as connection:
            return drafts.projects(connection)

    def drafted(
        self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int] | None = None
    ) -> Mapping[int, Review]:
        """See `ports.ReviewStore`."""
        with self.database.reading() as connection:
            return drafts.drafted(connection, project, rollout=rollout, task_ids=task_ids)

    def failed(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]) -> frozenset[int]:
        """See `ports.ReviewStore`."""
        with self.database.reading() as connection:
            return drafts.failed(connection, project, rollout=rollout, task_ids=task_ids)

    def pictures(self, project: ProjectKey) -> Sequence[Picture]:
        """See `ports.ReviewStore`."""
        with self.database.reading() as connection:
            return drafts.pictures(connection, project)

    def rollout(self, project: ProjectKey, *, guideline_id: str, model_version: str) -> str:
        """See `ports.Rollouts`."""
        while True:
            with self.database.reading() as connection:
                found = rollout_numbers.find(
                    connection, project, guideline_id=guideline_id, model_version=model_version
                )
            if found is not None:
                return found
            with self.database.writing() as connection:
                rollout_numbers.begin(
                    connection, project, guideline_id=guideline_id, model_version=model_version, now=self._clock.now()
                )

    def rollouts(self, project: ProjectKey) -> Sequence[str]:
        """See `ports.Rollouts`."""
        with self.database.reading() as connection:
            return rollout_numbers.labels(connection, project)

    def remember_predictions(self, project: ProjectKey, predictions: Iterable[StoredPrediction]) -> None:
        """See `ports.ReviewStore`."""
        known = tuple(predictions)  # read completely before the transaction begins: they may come over the network
        with self.database.writing() as connection:
            drafts.remember_predictions(connection, project, known)

    def newest_review(self) -> int:
        """See `ports.ReviewStore`."""
        with self.database.reading() as connection:
            return drafts.newest(connection)

    def predictions_of(self, key: TaskKey) -> Sequence[StoredPrediction]:
        """See `ports.ReviewStore`."""
        with self.database.reading() as connection:
            return drafts.predictions_of(connection, key)

    def append(self, comparison: Comparison) -> Appended:
        """See `ports.OverrideLog`; names become pseudonyms if there is a key."""
        return self.append_all((comparison,))

    def append_all(self, comparisons: Iterable[Comparison], *, surely_newest: bool = False) -> Appended:
        """See `ports.OverrideLog`; one transaction for `BATCH_REVISIONS`."""
        revisions = rows = late = 0
        waiting = iter(comparisons)
        while batch := tuple(map(self._under_pseudonyms, islice(waiting, BATCH_REVISIONS))):
            with self.database.writing() as connection:
                appended = append.append(connection, batch, now=self._clock.now(), surely_newest=surely_newest)
            revisions += appended.revisions
            rows += appended.rows
            late += appended.late
        return Appended(revisions, rows, late)

    def record_deletion(self, key: TaskKey, *, annotation_ids: Iterable[int] | None = None) -> int:
        """See `ports.OverrideLog`."""
        with self.database.writing() as connection:
            return append.record_deletion(connection, key, annotation_ids=annotation_ids, now=self._clock.now())

    def living(self, key: TaskKey) -> frozenset[int]:
        """See `ports.OverrideLog`."""
        with self.database.reading() as connection:
            return read_log.living(connection, key)

    def newest(self, key: TaskKey) -> Mapping[int, SubmittedAnnotation]:
        """See `ports.OverrideLog`."""
        with self.database.reading() as connection:
            return read_log.newest(connection, key)

    def living_tasks(self, project: ProjectKey) -> frozenset[int]:
        """See `ports.OverrideLog`."""
        with self.database.reading() as connection:
            return read_log.living_tasks(connection, project)

    def overrides(
        self, *, project: ProjectKey | None = None, since: datetime | None = None, current: bool = True
    ) -> Iterator[LoggedOverride]:
        """See `ports.OverrideLog`; read page by page."""
        after = 0
        while True:
            with self.database.reading() as connection:
                rows = read_log.page(
                    connection, after=after, limit=PAGE_ROWS, project=project, since=since, current=current
                )
            yield from rows
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1].id

    def chunks(self, project: ProjectKey, packing: Packing, part: Part) -> Iterator[bytes]:
        """See `ports.ColumnLog`; if the database is read-only, rows are packed but not stored."""
        try:
            self._pack(project, packing)
        except StoreError as error:
            _log.warning("Columns of project %d are read but not stored: %s", project.project_id, error)
        with self.database.reading() as connection:
            yield from column_chunks.read(connection, project, packing, part)

    def _pack(self, project: ProjectKey, packing: Packing) -> None:
        with self.database.reading() as connection:
            found = column_chunks.stretches(connection, project, packing.form)
        if any(stretch.version is None for stretch in found):
            with self.database.writing() as connection:
                column_chunks.lay_out(connection, project, packing.form)
            with self.database.reading() as connection:
                found = column_chunks.stretches(connection, project, packing.form)
        for stretch in found:
            if not stretch.fresh and stretch.version is not None:
                with self.database.reading() as connection:
                    notes = column_chunks.notes_of(connection, stretch)
                    chunk = column_chunks.packed(connection, stretch, packing)
                with self.database.writing() as connection:
                    column_chunks.keep(connection, stretch, chunk, form=packing.form, notes=notes)

    def comparisons(self, *, project: ProjectKey | None = None, since: datetime | None = None) -> Iterator[Comparison]:
        """See `ports.OverrideLog`; read page by page."""
        after = 0
        while True:
            with self.database.reading() as connection:
                found = read_log.comparisons_page(
                    connection, after=after, limit=PAGE_REVISIONS, project=project, since=since
                )
            yield from (comparison for _, comparison in found)
            if len(found) < PAGE_REVISIONS:
                return
            after = found[-1][0]

    def forget(self, reviewer: str) -> int:
        """See `ports.OverrideLog`; accepts the name or its pseudonym."""
        names = pseudonyms.names_of(reviewer, self._pseudonym_key)
        with self.database.writing() as connection:
            named = pseudonyms.forget(connection, names)
        self.database.overwrite()
        return named

    def put(self, wake: WebhookNotice) -> int:
        """See `ports.Inbox`; events that arrive at the same time share one commit."""
        return self._inbox.put(wake)

    def _put_all(self, notices: Sequence[WebhookNotice]) -> Sequence[int]:
        with self.database.writing() as connection:
            return inbox.put(connection, notices, now=self._clock.now())

    def waiting(self, *, limit: int = 1000, after: int = 0) -> Sequence[WebhookNotice]:
        """See `ports.Inbox`."""
        with self.database.reading() as connection:
            return inbox.waiting(connection, limit=limit, after=after)

    def waiting_since(self) -> datetime | None:
        """See `ports.Inbox`."""
        with self.database.reading() as connection:
            return inbox.waiting_since(connection)

    def done(self, notice_ids: Iterable[int]) -> None:
        """See `ports.Inbox`."""
        with self.database.writing() as connection:
            inbox.done(connection, notice_ids)

    def bookmark(self, project: ProjectKey) -> datetime | None:
        """See `ports.Bookmarks`."""
        with self.database.reading() as connection:
            return inbox.bookmark(connection, project)

    def move_bookmark(self, project: ProjectKey, to: datetime, *, back: bool = False) -> None:
        """See `ports.Bookmarks`."""
        with self.database.writing() as connection:
            inbox.move_bookmark(connection, project, to, back=back)

    def _under_pseudonyms(self, comparison: Comparison) -> Comparison:
        return replace(comparison, annotation=pseudonyms.under_pseudonyms(comparison.annotation, self._pseudonym_key))

    def unfinished_sweep(self, project: ProjectKey) -> SweepPoint | None:
        """See `ports.Bookmarks`."""
        with self.database.reading() as connection:
            return inbox.unfinished_sweep(connection, project)

    def keep_sweep(self, project: ProjectKey, point: SweepPoint | None) -> None:
        """See `ports.Bookmarks`."""
        with self.database.writing() as connection:
            inbox.keep_sweep(connection, project, point)

    def add_pending(self, tasks: Sequence[ReviewTask], *, rollout: str, due_in_s: float) -> None:
        """See `ports.PendingDrafts`."""
        with self.database.writing() as connection:
            pending_table.add_pending(connection, tasks, rollout=rollout, due_at=self._in(due_in_s))

    def reschedule(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int], due_in_s: float) -> None:
        """See `ports.PendingDrafts`."""
        with self.database.writing() as connection:
            pending_table.reschedule(connection, project, rollout=rollout, task_ids=task_ids, due_at=self._in(due_in_s))

    def claim(self, *, limit: int, lease_s: float) -> Sequence[PendingDraft]:
        """See `ports.PendingDrafts`."""
        with self.database.writing() as connection:
            return pending_table.claim(connection, limit=limit, now=self._clock.now(), lease_s=lease_s)

    def release(self, pending_ids: Sequence[int], *, due_in_s: float, failed: bool = False) -> None:
        """See `ports.PendingDrafts`."""
        with self.database.writing() as connection:
            pending_table.release(connection, pending_ids, due_at=self._in(due_in_s), failed=failed)

    def clear_pending(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]) -> None:
        """See `ports.PendingDrafts`."""
        with self.database.writing() as connection:
            pending_table.clear_pending(connection, project, rollout=rollout, task_ids=task_ids)

    def pending_count(self) -> int:
        """See `ports.PendingDrafts`."""
        with self.database.reading() as connection:
            return pending_table.pending_count(connection)

    def reviewed_crops(self, project: ProjectKey) -> ReviewedCrops | None:
        """See `ports.ReviewedCropsStore`."""
        with self.database.reading() as connection:
            return crops_table.read(connection, project)

    def keep_reviewed_crops(self, project: ProjectKey, book: ReviewedCrops) -> None:
        """See `ports.ReviewedCropsStore`."""
        with self.database.writing() as connection:
            crops_table.keep(connection, project, book)

    def _in(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)


def open_store(url: str, *, clock: Clock, pseudonym_key: str = "") -> SqlStore:
    """Open the database of a URL and migrate its schema.

    Args:
        url: SQLAlchemy URL, such as `sqlite:///review-copilot.db` or `postgresql://user:password@host/name`.
        clock: Gives the times of rows. Rows are not ordered by these times.
        pseudonym_key: Secret key for pseudonyms; empty to keep names.

    Raises:
        StoreError: The database cannot be opened, or was written by a newer release.
    """
    database = connect(url)
    try:
        migrate(database)
    except StoreError:
        database.engine.dispose()
        raise
    return SqlStore(database, clock=clock, pseudonym_key=pseudonym_key)


def shared_on(
    store: SqlStore, *, endpoint: str, account: str, most: int, reserved: int, budget_usd: float | None, clock: Clock
) -> Shared:
    """Limits that backends on one PostgreSQL share for model calls.

    Args:
        store: The database.
        endpoint: Names the endpoint and its model.
        account: Names the account at the endpoint, by a hash of its key: a wrong key stops no other one.
        most: Maximum number of concurrent requests to it, for all backends together.
        reserved: Number of them that are reserved for the Magic tool.
        budget_usd: Maximum amount that all backends may spend per day; None for no limit.
        clock: Gives the date.
    """
    return Shared(
        concurrency=DatabaseConcurrencyLimit(store.locks, endpoint=endpoint, most=most, reserved=reserved),
        budget=DailyBudget(store.database, limit_usd=budget_usd, clock=clock),
        replies=DatabaseReplyCache(store.database, clock=clock),
        named_locks=DatabaseNamedLocks(store.locks),
        breaker=DatabaseBreaker(store.database, endpoint=f"{endpoint}\0{account}", clock=clock),
    )
