"""Write the log: revisions with their rows, and tombstones. Of a review, it knows only id and provenance."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from review_copilot.domain.override import Comparison, SubmittedAnnotation
from review_copilot.domain.review import TaskKey
from review_copilot.ports import Appended
from review_copilot.store import codec, schema
from review_copilot.store.column_chunks import touch
from review_copilot.store.deleted_tasks import gone_among, note_alive, note_gone
from review_copilot.store.pseudonyms import FORGOTTEN, still_forgotten
from review_copilot.store.read_log import living
from review_copilot.store.reviews import provenance_of
from review_copilot.store.row_keys import lock_annotations

_REVISION = schema.revisions.c
_TOMBSTONE = schema.tombstones.c
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class _Revision:
    """One revision in the log.

    Attributes:
        id: Its row id; None before it is written.
        number: Its number.
        fingerprint: Hashes of content and rows.
        updated_at: When it was made; None when unknown.
        seen_until: Latest `updated_at` with which it was read while it was the newest; None if unknown.
        confirmed: Whether it was read from Label Studio itself.
        changed: Whether this append moved `seen_until` or confirmed it.
    """

    id: int | None
    number: int
    fingerprint: tuple[str, str]
    updated_at: datetime | None
    seen_until: datetime | None
    confirmed: bool
    changed: bool = False

    @property
    def order(self) -> tuple[bool, datetime, int]:
        """Sort key: the greatest one is the newest revision."""
        return self.seen_until is not None, self.seen_until or _LONG_AGO, self.number

    def was_read(self, at: datetime | None) -> bool:
        """Whether this revision was read at that `updated_at`, or before and after it."""
        if at is None or self.updated_at is None or self.seen_until is None:
            return False
        return self.updated_at <= at <= self.seen_until


@dataclass
class _Held:
    """The log's data on one annotation.

    Attributes:
        revisions: Its revisions, in any order.
        deleted: Whether its newest tombstone is in effect.
        forgotten: The label of its author, if the author was forgotten.
    """

    revisions: list[_Revision] = field(default_factory=list)
    deleted: bool = False
    forgotten: str | None = None

    @property
    def newest(self) -> _Revision | None:
        """The newest revision; None when there is none."""
        return max(self.revisions, key=lambda revision: revision.order, default=None)

    def holds(self, fingerprint: tuple[str, str], updated_at: datetime | None, *, after: int = 0) -> bool:
        """Whether a revision with that content and time would add nothing; see `ports.OverrideLog.append`.

        Args:
            fingerprint: Hashes of content and rows.
            updated_at: When it was made; None when unknown.
            after: Only revisions with a higher number count, and the newest.
        """
        newest = self.newest
        return any(
            r.fingerprint == fingerprint and (r is newest or (r.number > after and r.was_read(updated_at)))
            for r in self.revisions
        )

    def bring_forward(self, fingerprint: tuple[str, str]) -> None:
        """Make the last revision with that content the newest: for equal times, the higher number counts."""
        newest = self.newest
        for revision in self.revisions:
            if newest is not None and revision.fingerprint == fingerprint and revision.number > newest.number:
                revision.seen_until, revision.changed = newest.seen_until, True

    def see_again(self, fingerprint: tuple[str, str], updated_at: datetime | None) -> None:
        """Record that the newest revision was read with a later time.

        Without it, older content that is read late would seem newer: A, B, A again, read in the order A, A, B.
        """
        newest = self.newest
        if newest is None or newest.fingerprint != fingerprint or updated_at is None:
            return
        if newest.seen_until is None or newest.seen_until < updated_at:
            newest.seen_until, newest.changed = updated_at, True

    def confirm(self, fingerprint: tuple[str, str]) -> None:
        """Record that content from a webhook was read from Label Studio itself."""
        for revision in self.revisions:
            if revision.fingerprint == fingerprint and not revision.confirmed:
                revision.confirmed = revision.changed = True

    def next_number(self) -> int:
        """The number of the next revision."""
        return 1 + max((revision.number for revision in self.revisions), default=0)


@dataclass
class _Pending:
    """What an append will write.

    Attributes:
        revisions: New revisions, each with its known columns and its rows.
        tombstones: Rows of new tombstones, including those that lift one.
        late: Comparisons for which the log already has a newer one.
    """

    revisions: list[tuple[_Revision, dict[str, Any], list[dict[str, object]]]] = field(default_factory=list)
    tombstones: list[dict[str, Any]] = field(default_factory=list)
    late: int = 0


def append(
    connection: sa.Connection, comparisons: Sequence[Comparison], *, now: datetime, surely_newest: bool
) -> Appended:
    """See `ports.OverrideLog.append_all`; several at a time, in order."""
    refs = lock_annotations(connection, {(c.annotation.key, c.annotation.annotation_id) for c in comparisons})
    held = _held(connection, tuple(refs.values()))
    origins = provenance_of(connection, [other for c in comparisons for other in c.review_ids[1:]])
    gone = _still_gone(connection, comparisons)
    pending = _Pending()
    for comparison in comparisons:
        ref = refs[comparison.annotation.key, comparison.annotation.annotation_id]
        if _changes_sides(held[ref], comparison, gone=gone):
            held[ref].deleted = not held[ref].deleted
            pending.tombstones.append({"annotation_ref": ref, "lifted": not held[ref].deleted, "at": now})
        rows = [codec.override_to_row(o, origins.get(o.review_id, comparison.provenance)) for o in comparison.overrides]
        _add_revision(held[ref], comparison, ref=ref, rows=rows, now=now, surely_newest=surely_newest, pending=pending)
    return _write(connection, pending, held)


def _still_gone(connection: sa.Connection, comparisons: Sequence[Comparison]) -> frozenset[TaskKey]:
    """Deleted tasks of the comparisons; those that were read from Label Studio itself are no longer deleted."""
    gone = gone_among(connection, {c.annotation.key for c in comparisons})
    alive = gone & {c.annotation.key for c in comparisons if c.confirmed}
    note_alive(connection, alive)
    return frozenset(gone - alive)


def _changes_sides(known: _Held, comparison: Comparison, *, gone: Collection[TaskKey]) -> bool:
    """Whether a deleted annotation was read again, or a webhook contains one of a deleted task."""
    if comparison.confirmed:
        return known.deleted
    return comparison.annotation.key in gone and not known.deleted


def _add_revision(
    known: _Held,
    comparison: Comparison,
    *,
    ref: int,
    rows: list[dict[str, object]],
    now: datetime,
    surely_newest: bool,
    pending: _Pending,
) -> None:
    """Create a revision for a comparison with new content; for any other, record that it was read again."""
    annotation = still_forgotten(comparison.annotation, known.forgotten)
    fingerprint = (annotation.content_hash, codec.rows_hash(rows))
    at = annotation.updated_at
    after = known.newest.number if surely_newest and known.newest else 0
    if known.holds(fingerprint, at, after=after):
        known.see_again(fingerprint, at)
        if comparison.confirmed:
            known.confirm(fingerprint)
    else:
        revision = _Revision(None, known.next_number(), fingerprint, at, at, confirmed=comparison.confirmed)
        known.revisions.append(revision)
        columns = {"annotation_ref": ref} | _revision_columns(annotation, comparison, now)
        pending.revisions.append((revision, columns, rows))
    if surely_newest:
        known.bring_forward(fingerprint)
    pending.late += known.newest is not None and known.newest.fingerprint != fingerprint


def _write(connection: sa.Connection, pending: _Pending, held: Mapping[int, _Held]) -> Appended:
    """Write tombstones, changes of earlier revisions, and new revisions with their rows."""
    if pending.tombstones:
        connection.execute(sa.insert(schema.tombstones), pending.tombstones)
    _note_changes(connection, [revision for known in held.values() for revision in known.revisions])
    changed = {ref for ref, known in held.items() if any(r.id is None or r.changed for r in known.revisions)}
    touch(connection, changed | {tombstone["annotation_ref"] for tombstone in pending.tombstones})
    rows = _write_revisions(connection, pending.revisions)
    return Appended(revisions=len(pending.revisions), rows=rows, late=pending.late)


def _write_revisions(
    connection: sa.Connection, new: Sequence[tuple[_Revision, dict[str, Any], list[dict[str, object]]]]
) -> int:
    """Write new revisions and their rows; returns the number of rows."""
    if not new:
        return 0
    written = connection.scalars(
        sa.insert(schema.revisions).returning(_REVISION.id, sort_by_parameter_order=True),
        [columns | _own_columns(revision) for revision, columns, _ in new],
    )
    rows = [{"revision_ref": ref, **row} for ref, (_, _, own) in zip(written, new, strict=True) for row in own]
    if rows:
        connection.execute(sa.insert(schema.overrides), rows)
    return len(rows)


def record_deletion(
    connection: sa.Connection, key: TaskKey, *, annotation_ids: Iterable[int] | None, now: datetime
) -> int:
    """See `ports.OverrideLog.record_deletion`."""
    gone = living(connection, key) if annotation_ids is None else frozenset(annotation_ids)
    if annotation_ids is None:
        note_gone(connection, key, now=now)
    refs = lock_annotations(connection, {(key, annotation_id) for annotation_id in gone})
    held = _held(connection, tuple(refs.values()))
    rows: list[dict[str, Any]] = [
        {"annotation_ref": ref, "lifted": False, "at": now} for ref in refs.values() if not held[ref].deleted
    ]
    if rows:
        connection.execute(sa.insert(schema.tombstones), rows)
    touch(connection, [row["annotation_ref"] for row in rows])
    return len(rows)


def _held(connection: sa.Connection, refs: Collection[int]) -> dict[int, _Held]:
    """The log's data on annotations, by row id."""
    held = {ref: _Held() for ref in refs}
    revisions = sa.select(
        _REVISION.annotation_ref,
        _REVISION.id,
        _REVISION.updated_at,
        _REVISION.number,
        _REVISION.content_hash,
        _REVISION.rows_hash,
        _REVISION.seen_until,
        _REVISION.confirmed,
        _REVISION.author,
    ).where(_REVISION.annotation_ref.in_(refs))
    for row in connection.execute(revisions):
        fingerprint = (row.content_hash, row.rows_hash)
        held[row.annotation_ref].revisions.append(
            _Revision(row.id, row.number, fingerprint, row.updated_at, row.seen_until, confirmed=row.confirmed)
        )
        if row.author.startswith(FORGOTTEN):
            held[row.annotation_ref].forgotten = row.author
    tombstones = (
        sa.select(_TOMBSTONE.annotation_ref, _TOMBSTONE.lifted)
        .where(_TOMBSTONE.annotation_ref.in_(refs))
        .order_by(_TOMBSTONE.id)
    )
    for ref, was_lifted in connection.execute(tombstones):
        held[ref].deleted = not was_lifted
    return held


def _note_changes(connection: sa.Connection, revisions: Iterable[_Revision]) -> None:
    for revision in revisions:
        if revision.changed and revision.id is not None:
            statement = sa.update(schema.revisions).where(_REVISION.id == revision.id)
            connection.execute(statement.values(seen_until=revision.seen_until, confirmed=revision.confirmed))


def _own_columns(revision: _Revision) -> dict[str, Any]:
    content_hash, rows_hash = revision.fingerprint
    return {
        "number": revision.number,
        "content_hash": content_hash,
        "rows_hash": rows_hash,
        "seen_until": revision.seen_until,
    }


def _revision_columns(annotation: SubmittedAnnotation, comparison: Comparison, now: datetime) -> dict[str, Any]:
    return {
        "author": annotation.author,
        "editor": annotation.editor,
        "created_at": annotation.created_at,
        "updated_at": annotation.updated_at,
        "logged_at": now,
        "lead_time_s": annotation.lead_time_s,
        "exposure": comparison.exposure,
        "unexamined": list(comparison.unexamined),
        "left_out": comparison.left_out,
        "confirmed": comparison.confirmed,
        "review_ids": list(comparison.review_ids),
        "payload": codec.annotation_to_json(annotation),
    }
