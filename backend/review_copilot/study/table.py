"""The override log as columns: a million rows in a few dozen megabytes. Knows no SQL, no files and no statistics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import cached_property
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from review_copilot.domain.guideline import UNCOVERED, Severity
from review_copilot.domain.log_columns import LogColumns, columns_of
from review_copilot.domain.override import Aspect, Feedback, LoggedOverride, OverrideKind, Reason, Subject

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
TYPES = {
    "row": np.int64,
    "task": np.int64,
    "annotation": np.int64,
    "reviewer": np.int32,
    "time_s": np.float64,
    "subject": np.int8,
    "kind": np.int8,
    "suggested": np.int16,
    "submitted": np.int16,
    "severity_from": np.int8,
    "severity_to": np.int8,
    "edits": np.int8,
    "reasons": np.int32,
    "suggestion": np.int32,
    "score": np.float32,
    "iou": np.float32,
    "text_kept": np.float32,
    "lead_time_s": np.float32,
    "exposure": np.int8,
    "guideline": np.int16,
    "model": np.int16,
    "note": np.int32,
    "value_from": np.int16,
    "value_to": np.int16,
}
"""Columns of one number for each row; `box` has four."""


class Outcome(IntEnum):
    """The outcome of one suggestion, as one word; where several things were changed, the first that fits."""

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


FAR_IOU = 0.8
"""A box that keeps less than this overlap was moved by more than two people's boxes of one thing differ anyway."""
HALF_KEPT = 0.5
"""A text of which less than this share of words was kept was replaced, not edited."""


class Touch(IntFlag):
    """What of a suggestion that was kept was changed."""

    SEVERITY = 1
    PLACE = 2
    FAR = 4
    """The place, by more than people differ anyway; see FAR_IOU."""
    TEXT = 8
    ANEW = 16
    """The text, by more than half; see HALF_KEPT."""


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
        model: Index into `models` (model versions); -1 without provenance.
        note: Index into `notes`: the note, and the text of an added region; -1 where nothing was written.
        value_from: Index into `values` of a verdict as suggested; -1 for other subjects.
        value_to: Index into `values` of a verdict as submitted; -1 for other subjects.
        box: Submitted box (x, y, width, height) in fractions; NaN where none was submitted. Shape (rows, 4).
        reviewers: Names behind `reviewer`.
        criteria: Criterion ids behind `suggested` and `submitted`.
        exposures: Words behind `exposure`.
        guidelines: Revision hashes behind `guideline`, in the order of first use.
        models: Model versions behind `model`, likewise.
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
    model: Ints
    note: Ints
    value_from: Ints
    value_to: Ints
    box: Floats
    reviewers: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    exposures: tuple[str, ...] = ()
    guidelines: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.task)

    @cached_property
    def regions(self) -> Flags:
        """True for rows about a region."""
        return np.asarray(self.subject == _SUBJECT[Subject.REGION])

    @cached_property
    def skipped(self) -> Flags:
        """True for rows of tasks that were skipped: nothing was judged there."""
        return np.asarray(self.subject == _SUBJECT[Subject.TASK])

    @cached_property
    def reviewed(self) -> Flags:
        """True for rows in which a reviewer who was shown a suggestion kept or changed it."""
        decided = np.isin(self.kind, [_KIND[k] for k in _DECIDED])
        return np.asarray(self.regions & decided & (self.suggested >= 0) & ~self.blind)

    @cached_property
    def blind(self) -> Flags:
        """True for rows of reviewers who were not shown the suggestions."""
        unseen = [i for i, word in enumerate(self.exposures) if word in {"withheld", "failed", "not_ready"}]
        return np.isin(self.exposure, unseen)

    @cached_property
    def uncovered(self) -> Flags:
        """True for rows in which a reviewer says that no criterion claims what is there."""
        novel = self.criteria.index(UNCOVERED) if UNCOVERED in self.criteria else -2
        added = self.regions & (self.kind == _KIND[OverrideKind.ADDED]) & np.isin(self.submitted, [-1, novel])
        moved = self.regions & (self.submitted == novel)
        said = (self.reasons & reason_bit(Reason.NOT_COVERED)) > 0
        return np.asarray(added | moved | said)

    def outcomes(self) -> Ints:
        """The `Outcome` of each row; meaningful where `reviewed`."""
        return self._outcomes

    @cached_property
    def overridden(self) -> Flags:
        """True for rows whose suggestion was rejected or relabelled; meaningful where `reviewed`."""
        return np.isin(self._outcomes, (int(Outcome.REJECTED), int(Outcome.RELABELLED)))

    @cached_property
    def touches(self) -> Ints:
        """The `Touch` of each row, 0 for rejected ones; meaningful where `reviewed`."""
        place = (self.edits & _ASPECT[Aspect.PLACE]) > 0
        text = (self.edits & _ASPECT[Aspect.RATIONALE]) > 0
        found = Touch.SEVERITY * ((self.edits & _ASPECT[Aspect.SEVERITY]) > 0)
        found = found + Touch.PLACE * place + Touch.FAR * (place & (self.iou < FAR_IOU))
        found = found + Touch.TEXT * text + Touch.ANEW * (text & (self.text_kept < HALF_KEPT))
        return np.where(self._outcomes == Outcome.REJECTED, 0, found).astype(np.int8)

    @cached_property
    def _outcomes(self) -> Ints:
        said_no = (self.reasons & ~reason_bit(Reason.AGREE)) > 0
        edited = self.kind == _KIND[OverrideKind.EDITED]
        conditions = [
            self.kind == _KIND[OverrideKind.REJECTED],
            edited & ((self.edits & _ASPECT[Aspect.CRITERION]) > 0) & (self.submitted != self.suggested),
            edited & ((self.edits & _ASPECT[Aspect.PLACE]) > 0),
            edited & ((self.edits & _ASPECT[Aspect.SEVERITY]) > 0),
            edited & ((self.edits & _ASPECT[Aspect.RATIONALE]) > 0),
            said_no | edited,
        ]
        chosen = [Outcome.REJECTED, Outcome.RELABELLED, Outcome.PLACE, Outcome.SEVERITY, Outcome.TEXT, Outcome.MARKED]
        return np.select(conditions, [int(c) for c in chosen], default=int(Outcome.KEPT)).astype(np.int8)

    def where(self, mask: Flags) -> OverrideTable:
        """The rows where `mask` is true, with the same words behind them."""
        kept = {name: getattr(self, name)[mask] for name in (*TYPES, "box")}
        return OverrideTable(
            **kept,
            reviewers=self.reviewers,
            criteria=self.criteria,
            exposures=self.exposures,
            guidelines=self.guidelines,
            models=self.models,
            notes=self.notes,
            values=self.values,
        )


_DECIDED = (OverrideKind.UNTOUCHED, OverrideKind.CONFIRMED, OverrideKind.EDITED, OverrideKind.REJECTED)


def table_of(rows: Iterable[LoggedOverride]) -> OverrideTable:
    """The rows of a log as numbers, read once and in order; see `number_columns`."""
    return number_columns(columns_of(rows))


def number_columns(columns: LogColumns) -> OverrideTable:
    """Columns of the log with numbers for words, in the order of first use.

    Rows of older revisions and of deleted annotations are the caller's to leave out (`OverrideLog.overrides` does).
    """
    about_verdict = [subject == Subject.VERDICT for subject in columns.subject]
    values = [
        (start, end) if verdict else ("", "")
        for verdict, start, end in zip(about_verdict, columns.severity_from, columns.severity_to, strict=True)
    ]
    criteria = _numbers(chain.from_iterable(zip(columns.criterion_from, columns.criterion_to, strict=True)))
    verdicts = _numbers(chain.from_iterable(values))
    notes = [
        f"{note} {drawn}" if note and drawn and drawn != note else note or drawn
        for note, drawn in zip(columns.note, columns.drawn_text, strict=True)
    ]
    reviewers, exposures = _numbers(columns.reviewer, optional=False), _numbers(columns.exposure, optional=False)
    guidelines, noted = _numbers(columns.guideline_revision), _numbers(notes)
    models = _numbers(columns.model_version)
    suggested = [
        (task, suggestion) if suggestion else ""
        for task, suggestion in zip(columns.task_id, columns.suggestion_id, strict=True)
    ]
    edits = {told: sum(_ASPECT[Aspect(edit)] for edit in told) for told in set(columns.edits)}
    reasons = {told: sum((_REASON.get(reason, 0) for reason in set(told)), 0) for told in set(columns.reasons)}
    found: dict[str, Iterable[float | None]] = {
        "row": columns.id,
        "task": columns.task_id,
        "annotation": columns.annotation_id,
        "reviewer": map(reviewers.__getitem__, columns.reviewer),
        "time_s": columns.time_s,
        "subject": map(_SUBJECT.__getitem__, columns.subject),
        "kind": map(_KIND.__getitem__, columns.kind),
        "suggested": map(criteria.__getitem__, columns.criterion_from),
        "submitted": map(criteria.__getitem__, columns.criterion_to),
        "severity_from": (_SEVERITY.get(word, -1) for word in columns.severity_from),
        "severity_to": (_SEVERITY.get(word, -1) for word in columns.severity_to),
        "edits": map(edits.__getitem__, columns.edits),
        "reasons": map(reasons.__getitem__, columns.reasons),
        "suggestion": map(_numbers(suggested).__getitem__, suggested),
        "score": columns.score,
        "iou": columns.iou,
        "text_kept": columns.text_similarity,
        "lead_time_s": columns.lead_time_s,
        "exposure": map(exposures.__getitem__, columns.exposure),
        "guideline": map(guidelines.__getitem__, columns.guideline_revision),
        "model": map(models.__getitem__, columns.model_version),
        "note": map(noted.__getitem__, notes),
        "value_from": (verdicts[start] for start, _ in values),
        "value_to": (verdicts[end] for _, end in values),
    }
    return OverrideTable(
        **{name: np.array(list(found[name]), dtype=kind) for name, kind in TYPES.items()},
        box=np.array(columns.box_to, dtype=np.float32).reshape(-1, 4),
        reviewers=tuple(reviewers),
        criteria=_words(criteria),
        exposures=tuple(exposures),
        guidelines=_words(guidelines),
        models=_words(models),
        notes=_words(noted),
        values=_words(verdicts),
    )


def _numbers(words: Iterable[Any], *, optional: bool = True) -> dict[Any, int]:
    """A number for each word, in the order of first use; -1 for the empty one where words are optional."""
    distinct = dict.fromkeys(words)
    if not optional:
        return {word: number for number, word in enumerate(distinct)}
    distinct.pop("", None)
    return {word: number for number, word in enumerate(distinct)} | {"": -1}


def _words(numbers: dict[str, int]) -> tuple[str, ...]:
    return tuple(word for word, number in numbers.items() if number >= 0)
