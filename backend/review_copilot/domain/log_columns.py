"""Current rows of the override log as parallel sequences, for studies. Knows no SQL and no encoding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import chain
from typing import Any

from review_copilot.domain.override import LoggedOverride, OverrideKind


@dataclass(frozen=True, slots=True)
class LogColumns:
    """Rows of the newest revisions of existing annotations, in the order of writing.

    Every column has one entry per row; `box_to` has four.

    Attributes:
        id: Row id, ascending.
        task_id: Label Studio's task id.
        annotation_id: Label Studio's annotation id.
        reviewer: Editor of the revision, or else its author; empty if unknown.
        time_s: When the annotation was created, in seconds since 1970 UTC; or else when it was changed or logged.
        lead_time_s: Seconds spent on the annotation; None if unknown.
        exposure: What the reviewer saw; empty if there was no review.
        subject: See `Override`, as for all other columns with names of its fields.
        kind: As above.
        suggestion_id: As above.
        criterion_from: As above.
        criterion_to: As above.
        severity_from: As above.
        severity_to: As above.
        edits: As above.
        iou: As above.
        text_similarity: As above.
        reasons: As above.
        note: As above.
        drawn_text: Text of a region that the reviewer added; empty in all other rows.
        score: As above.
        box_to: x, y, width, height in fractions, row after row; NaN if no box was submitted.
        guideline_revision: Of the review's provenance; empty without one.
        model_version: As above.
    """

    id: Sequence[int]
    task_id: Sequence[int]
    annotation_id: Sequence[int]
    reviewer: Sequence[str]
    time_s: Sequence[float]
    lead_time_s: Sequence[float | None]
    exposure: Sequence[str]
    subject: Sequence[str]
    kind: Sequence[str]
    suggestion_id: Sequence[str]
    criterion_from: Sequence[str]
    criterion_to: Sequence[str]
    severity_from: Sequence[str]
    severity_to: Sequence[str]
    edits: Sequence[tuple[str, ...]]
    iou: Sequence[float | None]
    text_similarity: Sequence[float | None]
    reasons: Sequence[tuple[str, ...]]
    note: Sequence[str]
    drawn_text: Sequence[str]
    score: Sequence[float | None]
    box_to: Sequence[float]
    guideline_revision: Sequence[str]
    model_version: Sequence[str]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.id)


_NO_BOX = (float("nan"),) * 4
COLUMNS = tuple(field.name for field in fields(LogColumns))


def columns_of(rows: Iterable[LoggedOverride]) -> LogColumns:
    """Convert rows to columns, without filtering: the caller passes current rows, in the order of writing."""
    values: Sequence[Sequence[Any]] = tuple(zip(*map(_values, rows), strict=True)) or ((),) * len(COLUMNS)
    columns = dict(zip(COLUMNS, values, strict=True))
    return LogColumns(**columns | {"box_to": tuple(chain.from_iterable(columns["box_to"]))})


def _values(logged: LoggedOverride) -> tuple[object, ...]:
    row, box = logged.override, logged.override.box_to
    return (
        logged.id,
        logged.key.task_id,
        logged.annotation_id,
        logged.editor or logged.author,
        _made_at(logged).timestamp(),
        logged.lead_time_s,
        logged.exposure,
        row.subject,
        row.kind,
        row.suggestion_id,
        row.criterion_from,
        row.criterion_to,
        row.severity_from,
        row.severity_to,
        row.edits,
        row.iou,
        row.text_similarity,
        row.reasons,
        row.note,
        row.text_to if row.kind is OverrideKind.ADDED else "",
        row.score,
        (box.x, box.y, box.width, box.height) if box else _NO_BOX,
        logged.provenance.guideline_revision if logged.provenance else "",
        logged.provenance.model_version if logged.provenance else "",
    )


def _made_at(logged: LoggedOverride) -> datetime:
    return logged.created_at or logged.updated_at or logged.logged_at
