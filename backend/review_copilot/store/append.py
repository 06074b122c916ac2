"""Write the log: revisions with their rows, and tombstones. Knows no review but its id and provenance."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from review_copilot.domain.override import Comparison, SubmittedAnnotation
from review_copilot.domain.review import TaskKey
from review_copilot.ports import Appended
from review_copilot.store import codec, schema
from review_copilot.store.keys import lock_annotations
from review_copilot.store.log import living
from review_copilot.store.people import FORGOTTEN, still_forgotten
from review_copilot.store.reviews import provenance_of

_REVISION = schema.revisions.c
_TOMBSTONE = schema.tombstones.c
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class _Held:
    """What the log holds of one annotation.

    Attributes:
        revisions: (updated_at, number, fingerprint) of each revision.
        buried: Whether its newest tombstone stands.
        forgotten: The label of its author, when the author was forgotten.
    """

    revisions: list[tuple[datetime | None, int, tuple[str, str]]] = field(default_factory=list)
    buried: bool = False
    forgotten: str | None = None

    def holds(self, fingerprint: tuple[str, str], updated_at: datetime | None) -> bool:
        """Whether a revision of that content and time would say nothing new; see `ports.OverrideLog.append`."""
        newest = max(self.revisions, key=lambda r: (r[0] is not None, r[0] or _LONG_AGO, r[1]), default=None)
        return any(
            held == fingerprint and ((when, number) == newest[:2] or (when is not None and when == updated_at))
            for when, number, held in self.revisions
            if newest is not None
        )

    def next_number(self) -> int:
        """The number of the next revision."""
        return 1 + max((number for _, number, _ in self.revisions), default=0)


def append(connection: sa.Connection, comparisons: Sequence[Comparison], *, now: datetime) -> Appended:
    """See `ports.OverrideLog.append`; several at once, in their order."""
    refs = lock_annotations(connection, {(c.annotation.key, c.annotation.annotation_id) for c in comparisons})
    held = _held(connection, tuple(refs.values()))
    origins = provenance_of(connection, [other for c in comparisons for other in c.review_ids[1:]])
    revisions: list[dict[str, Any]] = []
    rows_of: list[list[dict[str, object]]] = []
    lifted: list[dict[str, Any]] = []
    for comparison in comparisons:
        ref = refs[comparison.annotation.key, comparison.annotation.annotation_id]
        known = held[ref]
        annotation = still_forgotten(comparison.annotation, known.forgotten)
        if comparison.confirmed and known.buried:
            known.buried = False
            lifted.append({"annotation_ref": ref, "lifted": True, "at": now})
        rows = [codec.override_to_row(o, origins.get(o.review_id, comparison.provenance)) for o in comparison.overrides]
        fingerprint = (annotation.content_hash, codec.rows_hash(rows))
        if known.holds(fingerprint, annotation.updated_at):
            continue
        number = known.next_number()
        known.revisions.append((annotation.updated_at, number, fingerprint))
        revisions.append(
            {"annotation_ref": ref, "number": number, "content_hash": fingerprint[0], "rows_hash": fingerprint[1]}
            | _revision_columns(annotation, comparison, now)
        )
        rows_of.append(rows)
    if lifted:
        connection.execute(sa.insert(schema.tombstones), lifted)
    if not revisions:
        return Appended()
    written = connection.scalars(
        sa.insert(schema.revisions).returning(_REVISION.id, sort_by_parameter_order=True), revisions
    )
    rows = [{"revision_ref": ref, **row} for ref, of_one in zip(written, rows_of, strict=True) for row in of_one]
    if rows:
        connection.execute(sa.insert(schema.overrides), rows)
    return Appended(revisions=len(revisions), rows=len(rows))


def bury(connection: sa.Connection, key: TaskKey, *, annotation_ids: Iterable[int] | None, now: datetime) -> int:
    """See `ports.OverrideLog.bury`."""
    gone = living(connection, key) if annotation_ids is None else frozenset(annotation_ids)
    refs = lock_annotations(connection, {(key, annotation_id) for annotation_id in gone})
    held = _held(connection, tuple(refs.values()))
    rows = [{"annotation_ref": ref, "lifted": False, "at": now} for ref in refs.values() if not held[ref].buried]
    if rows:
        connection.execute(sa.insert(schema.tombstones), rows)
    return len(rows)


def _held(connection: sa.Connection, refs: Collection[int]) -> dict[int, _Held]:
    """What the log holds of annotations, by row id."""
    held = {ref: _Held() for ref in refs}
    revisions = sa.select(
        _REVISION.annotation_ref,
        _REVISION.updated_at,
        _REVISION.number,
        _REVISION.content_hash,
        _REVISION.rows_hash,
        _REVISION.author,
    ).where(_REVISION.annotation_ref.in_(refs))
    for ref, updated_at, number, content_hash, rows_hash, author in connection.execute(revisions):
        held[ref].revisions.append((updated_at, number, (content_hash, rows_hash)))
        if author.startswith(FORGOTTEN):
            held[ref].forgotten = author
    tombstones = (
        sa.select(_TOMBSTONE.annotation_ref, _TOMBSTONE.lifted)
        .where(_TOMBSTONE.annotation_ref.in_(refs))
        .order_by(_TOMBSTONE.id)
    )
    for ref, was_lifted in connection.execute(tombstones):
        held[ref].buried = not was_lifted
    return held


def _revision_columns(annotation: SubmittedAnnotation, comparison: Comparison, now: datetime) -> dict[str, Any]:
    return {
        "author": annotation.author,
        "editor": annotation.editor,
        "created_at": annotation.created_at,
        "updated_at": annotation.updated_at,
        "logged_at": now,
        "lead_time_s": annotation.lead_time_s,
        "exposure": comparison.exposure,
        "confirmed": comparison.confirmed,
        "review_ids": list(comparison.review_ids),
        "payload": codec.annotation_to_json(annotation),
    }
