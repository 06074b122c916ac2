"""The override log as columns: a million rows in a few dozen megabytes. Knows no SQL, no files and no statistics."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from review_copilot.domain.guideline import UNCOVERED, Severity
from review_copilot.domain.override import Aspect, Feedback, LoggedOverride, Override, OverrideKind, Reason, Subject

# NumPy's stubs lose the dtype in half of what is called here; the names say what is inside.
Ints: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[Any]
Flags: TypeAlias = NDArray[Any]

SUBJECTS = tuple(Subject)
KINDS = tuple(OverrideKind)
ASPECTS = tuple(Aspect)
REASONS = (*(str(r) for r in Reason), *(str(f) for f in Feedback if str(f) not in {str(r) for r in Reason}))
"""Every reason and every guideline feedback once, in the order of the bits of `OverrideTable.reasons`."""

_SEVERITY = {str(s): s.rank for s in Severity}
_SUBJECT = {str(s): i for i, s in enumerate(SUBJECTS)}
_KIND = {str(k): i for i, k in enumerate(KINDS)}
_ASPECT = {a: 1 << i for i, a in enumerate(ASPECTS)}
_REASON = {r: 1 << i for i, r in enumerate(REASONS)}
_TYPES = {
    "row": "q",
    "task": "q",
    "annotation": "q",
    "reviewer": "i",
    "time_s": "d",
    "subject": "b",
    "kind": "b",
    "suggested": "h",
    "submitted": "h",
    "severity_from": "b",
    "severity_to": "b",
    "edits": "b",
    "reasons": "i",
    "suggestion": "i",
    "score": "f",
    "iou": "f",
    "text_kept": "f",
    "lead_time_s": "f",
    "exposure": "b",
    "guideline": "h",
    "note": "i",
    "value_from": "h",
    "value_to": "h",
}


class Outcome(IntEnum):
    """What became of one suggestion, as one word; where several things were changed, the first that fits."""

    KEPT = 0
    REJECTED = 1
    RELABELLED = 2
    SEVERITY = 3
    """Only the severity was changed."""
    PLACE = 4
    """The place was changed, whatever else was."""
    TEXT = 5
    """Only the rationale was changed."""
    MARKED = 6
    """Submitted unchanged, but with a reason that disagrees, such as "guideline unclear"."""


def reason_bit(reason: str) -> int:
    """The bit of a reason or feedback word in `OverrideTable.reasons`."""
    return _REASON[reason]


@dataclass(frozen=True)
class OverrideTable:
    """Rows of the log as parallel arrays, all of the same length.

    Attributes:
        row: Row id in the log.
        task: Label Studio's task id.
        annotation: Label Studio's annotation id.
        reviewer: Index into `reviewers` (the editor of the revision, else its author).
        time_s: When the annotation was made, in seconds since 1970 UTC; when it was logged where that is unknown.
        subject: Index into SUBJECTS.
        kind: Index into KINDS.
        suggested: Index into `criteria` of the suggested criterion; -1 without one.
        submitted: Index into `criteria` of the submitted criterion; -1 without one.
        severity_from: Rank of the suggested severity; -1 without one.
        severity_to: Rank of the submitted severity; -1 without one.
        edits: Bit i is set when ASPECTS[i] was edited.
        reasons: Bit i is set when REASONS[i] was ticked.
        suggestion: Number that stands for the pair of task and suggestion; -1 without a suggestion.
        score: The suggestion's score, 0..1; NaN without one.
        iou: Overlap of suggested and submitted box, 0..1; NaN where one is missing.
        text_kept: Share of the drafted text that was kept, 0..1; NaN without a draft.
        lead_time_s: Seconds spent on the annotation; NaN when unknown.
        exposure: Index into `exposures`.
        guideline: Index into `guidelines` (revision hashes); -1 without provenance.
        note: Index into `notes`: the note, and the text of an added region; -1 where nothing was written.
        value_from: Index into `values` of a verdict as suggested; -1 for other subjects.
        value_to: Index into `values` of a verdict as submitted; -1 for other subjects.
        box: Submitted box (x, y, width, height) in fractions; NaN where none was submitted. Shape (rows, 4).
        reviewers: Names behind `reviewer`.
        criteria: Criterion ids behind `suggested` and `submitted`.
        exposures: Words behind `exposure`.
        guidelines: Revision hashes behind `guideline`, in the order of first use.
        notes: Texts behind `note`.
        values: Words behind `value_from` and `value_to`.
    """

    row: Ints
    task: Ints
    annotation: Ints
    reviewer: Ints
    time_s: Floats
    subject: Ints
    kind: Ints
    suggested: Ints
    submitted: Ints
    severity_from: Ints
    severity_to: Ints
    edits: Ints
    reasons: Ints
    suggestion: Ints
    score: Floats
    iou: Floats
    text_kept: Floats
    lead_time_s: Floats
    exposure: Ints
    guideline: Ints
    note: Ints
    value_from: Ints
    value_to: Ints
    box: Floats
    reviewers: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    exposures: tuple[str, ...] = ()
    guidelines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.task)

    @property
    def regions(self) -> Flags:
        """True for rows about a region."""
        return np.asarray(self.subject == _SUBJECT[Subject.REGION])

    @property
    def reviewed(self) -> Flags:
        """True for rows in which a reviewer who was shown a suggestion kept or changed it."""
        decided = np.isin(self.kind, [_KIND[k] for k in _DECIDED])
        return np.asarray(self.regions & decided & (self.suggested >= 0) & ~self.blind)

    @property
    def blind(self) -> Flags:
        """True for rows of reviewers who were not shown the suggestions."""
        unseen = [i for i, word in enumerate(self.exposures) if word in {"withheld", "failed", "not_ready"}]
        return np.isin(self.exposure, unseen)

    @property
    def uncovered(self) -> Flags:
        """True for rows in which a reviewer says that no criterion claims what is there."""
        novel = self.criteria.index(UNCOVERED) if UNCOVERED in self.criteria else -2
        added = self.regions & (self.kind == _KIND[OverrideKind.ADDED]) & np.isin(self.submitted, [-1, novel])
        moved = self.regions & (self.submitted == novel)
        said = (self.reasons & reason_bit(Reason.NOT_COVERED)) > 0
        return np.asarray(added | moved | said)

    def outcomes(self) -> Ints:
        """The `Outcome` of each row; meaningful where `reviewed`."""
        said_no = (self.reasons & ~reason_bit(Reason.AGREE)) > 0
        edited = self.kind == _KIND[OverrideKind.EDITED]
        conditions = [
            self.kind == _KIND[OverrideKind.REJECTED],
            edited & ((self.edits & _ASPECT[Aspect.CRITERION]) > 0) & (self.submitted != self.suggested),
            edited & ((self.edits & _ASPECT[Aspect.PLACE]) > 0),
            edited & ((self.edits & _ASPECT[Aspect.SEVERITY]) > 0),
            edited,
            said_no,
        ]
        chosen = [Outcome.REJECTED, Outcome.RELABELLED, Outcome.PLACE, Outcome.SEVERITY, Outcome.TEXT, Outcome.MARKED]
        return np.select(conditions, [int(c) for c in chosen], default=int(Outcome.KEPT)).astype(np.int8)

    def where(self, mask: Flags) -> OverrideTable:
        """The rows where `mask` is true, with the same words behind them."""
        kept = {name: getattr(self, name)[mask] for name in (*_TYPES, "box")}
        return OverrideTable(
            **kept,
            reviewers=self.reviewers,
            criteria=self.criteria,
            exposures=self.exposures,
            guidelines=self.guidelines,
            notes=self.notes,
            values=self.values,
        )


_DECIDED = (OverrideKind.UNTOUCHED, OverrideKind.CONFIRMED, OverrideKind.EDITED, OverrideKind.REJECTED)


@dataclass
class _Words:
    """Numbers for words, in the order of first use."""

    index: dict[Any, int] = field(default_factory=dict)

    def number(self, word: object) -> int:
        return self.index.setdefault(word, len(self.index))

    def optional(self, word: str) -> int:
        return self.number(word) if word else -1

    def all(self) -> tuple[str, ...]:
        return tuple(self.index)


class TableBuilder:
    """Collects rows into columns; holds no row object."""

    def __init__(self) -> None:
        self._columns: dict[str, array[Any]] = {name: array(code) for name, code in _TYPES.items()}
        self._box = array("f")
        self._reviewers, self._criteria, self._exposures = _Words(), _Words(), _Words()
        self._guidelines, self._notes, self._values, self._suggestions = _Words(), _Words(), _Words(), _Words()

    def add(self, logged: LoggedOverride) -> None:
        """Take one row of the log."""
        row = logged.override
        about_verdict = row.subject is Subject.VERDICT
        when = logged.created_at or logged.updated_at or logged.logged_at
        shown = logged.provenance.guideline_revision if logged.provenance else ""
        task = logged.key.task_id
        values = (
            logged.id,
            task,
            logged.annotation_id,
            self._reviewers.number(logged.editor or logged.author),
            _seconds(when),
            _SUBJECT[row.subject],
            _KIND[row.kind],
            self._criteria.optional(row.criterion_from),
            self._criteria.optional(row.criterion_to),
            _SEVERITY.get(row.severity_from, -1),
            _SEVERITY.get(row.severity_to, -1),
            sum(_ASPECT[edit] for edit in row.edits),
            sum(_REASON.get(reason, 0) for reason in set(row.reasons)),
            self._suggestions.number((task, row.suggestion_id)) if row.suggestion_id else -1,
            _number(row.score),
            _number(row.iou),
            _number(row.text_similarity),
            _number(logged.lead_time_s),
            self._exposures.number(logged.exposure),
            self._guidelines.optional(shown),
            self._notes.optional(_words(row)),
            self._values.optional(row.severity_from) if about_verdict else -1,
            self._values.optional(row.severity_to) if about_verdict else -1,
        )
        for column, value in zip(self._columns.values(), values, strict=True):
            column.append(value)
        box = row.box_to
        self._box.extend((box.x, box.y, box.width, box.height) if box else _NO_BOX)

    def table(self) -> OverrideTable:
        """All rows taken so far."""
        columns = {name: np.array(column) for name, column in self._columns.items()}
        return OverrideTable(
            **columns,
            box=np.array(self._box, dtype=np.float32).reshape(-1, 4),
            reviewers=self._reviewers.all(),
            criteria=self._criteria.all(),
            exposures=self._exposures.all(),
            guidelines=self._guidelines.all(),
            notes=self._notes.all(),
            values=self._values.all(),
        )


_NO_BOX = (float("nan"),) * 4


def _words(row: Override) -> str:
    """What the reviewer wrote: the note, and the text of a region that nobody drafted."""
    drawn = row.text_to if row.kind is OverrideKind.ADDED and row.text_to != row.note else ""
    return " ".join(filter(None, (row.note, drawn)))


def _seconds(when: datetime) -> float:
    return when.timestamp()


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def table_of(rows: Iterable[LoggedOverride]) -> OverrideTable:
    """The rows of a log as columns, read once and in order.

    Rows of older revisions and of deleted annotations are the caller's to leave out (`OverrideLog.overrides` does).
    """
    builder = TableBuilder()
    for row in rows:
        builder.add(row)
    return builder.table()
