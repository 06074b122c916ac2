"""Counts that the study of gaps stands on, small whatever the size of the log. Knows no SQL and no statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from review_copilot.domain.guideline import UNCOVERED
from review_copilot.domain.override import OverrideKind, Reason
from review_copilot.study.grouped_sums import PLAIN, Cells, cells, keyed
from review_copilot.study.pace import Visits, visits_of
from review_copilot.study.people import last_of_each
from review_copilot.study.table import KINDS, Flags, Floats, Ints, Outcome, OverrideTable, reason_bit

DAY_S = 86400.0
MOST_REVIEWERS = 8
"""Suggestions seen by more people than this count as seen by this many, in weights only."""


@dataclass(frozen=True)
class GapCounts:
    """Outcomes of suggestions with their counts: one cell for each combination that occurred.

    Attributes:
        criterion: Index into `criteria`.
        reviewer: Index into `reviewers`.
        day: Days since 1970 UTC.
        guideline: Number of the guideline revision; -1 where unknown.
        model: Number of the model version; -1 where unknown.
        seen_by: How many people reviewed the suggestion, 1..MOST_REVIEWERS.
        outcome: `Outcome` KEPT, REJECTED or RELABELLED: what was decided, whatever else was touched.
        touches: `Touch`.
        target: Index into `criteria` of the submitted criterion of a relabelled one; -1 otherwise.
        unclear: 1 where the reviewer ticked "guideline unclear".
        count: Reviews in the cell.
        criteria: Criterion ids, UNCOVERED left out.
        reviewers: Names of reviewers.
    """

    criterion: Ints
    reviewer: Ints
    day: Ints
    guideline: Ints
    model: Ints
    seen_by: Ints
    outcome: Ints
    touches: Ints
    target: Ints
    unclear: Ints
    count: Ints
    criteria: tuple[str, ...]
    reviewers: tuple[str, ...]

    def zeroed(self, only: Flags) -> GapCounts:
        """The same cells, those that are not wanted with a count of 0."""
        return replace(self, count=self.count * only)


@dataclass(frozen=True)
class Shared:
    """Suggestions that two or more people reviewed, counted by how many of them overrode.

    Attributes:
        criterion: Index into `GapCounts.criteria`.
        seen_by: People who reviewed the suggestion, at least 2.
        overrode: How many of them overrode it, 0..seen_by.
        count: Suggestions.
    """

    criterion: Ints
    seen_by: Ints
    overrode: Ints
    count: Ints


@dataclass(frozen=True)
class Submissions:
    """What each reviewer's annotations say beside the suggestions.

    Attributes:
        reviewer: Index into `GapCounts.reviewers`.
        day: Days since 1970 UTC.
        annotations: Annotations in the cell.
        uncovered: Those in which the reviewer says that no criterion claims what is there.
        timed: Annotations with a known lead time above 0.
        log_time: Sum of the natural logarithms of those lead times in seconds.
        tasks: Distinct tasks in all cells together.
    """

    reviewer: Ints
    day: Ints
    annotations: Ints
    uncovered: Ints
    timed: Ints
    log_time: Floats
    tasks: int = 0


@dataclass(frozen=True)
class Digest:
    """All counts that the flags need.

    Attributes:
        gap_counts: Decisions on suggestions.
        shared: Suggestions that two or more people decided on.
        submissions: Annotations.
        added: Tasks in which somebody drew what was not drafted, by criterion number.
        visits: Annotations one by one, for who accepts more at certain hours.
        guidelines: Revision hashes behind `GapCounts.guideline`.
        models: Model versions behind `GapCounts.model`.
    """

    gap_counts: GapCounts
    shared: Shared
    submissions: Submissions
    added: Ints
    visits: Visits
    guidelines: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reviews:
    """Cells of `GapCounts` and of `Shared`; they add up over parts of a log that have whole tasks.

    Attributes:
        gap_counts: Reviews, by the fields of `GapCounts`.
        shared: Suggestions, by the fields of `Shared`.
    """

    gap_counts: Cells = field(
        metadata=keyed("criteria", "reviewers", PLAIN, "guidelines", "models", PLAIN, PLAIN, PLAIN, "criteria", PLAIN)
    )
    shared: Cells = field(metadata=keyed("criteria", PLAIN, PLAIN))


def digest(table: OverrideTable, without: frozenset[str] = frozenset()) -> Digest:
    """Count a table.

    Args:
        table: The log.
        without: Reviewers whose decisions about suggestions are left out; their annotations still count.
    """
    judged = table.where(~table.skipped)
    return digest_of(
        count_reviews(judged, without),
        count_submissions(judged),
        tasks=len(np.unique(judged.task)),
        words={kind: getattr(table, kind) for kind in ("criteria", "reviewers", "guidelines", "models")},
        added=count_added(judged),
        visits=visits_of(judged),
    )


def digest_of(
    reviews: Reviews,
    submissions: Cells,
    *,
    tasks: int,
    words: Mapping[str, tuple[str, ...]],
    added: Cells,
    visits: Visits,
) -> Digest:
    """What was counted, by name.

    Args:
        reviews: From `count_reviews`.
        submissions: From `count_submissions`.
        tasks: Distinct tasks with an annotation.
        words: Criteria, reviewers, guidelines and models, in the order of their numbers.
        added: From `count_added`.
        visits: From `visits_of`.
    """
    of, seen, overrode = reviews.shared.keys.T
    who, when = submissions.keys.T
    annotations, uncovered, timed = submissions.sums[:, :3].T.astype(np.int64)
    return Digest(
        _gap_counts(reviews.gap_counts, words),
        Shared(of, seen, overrode, _whole(reviews.shared)),
        Submissions(who, when, annotations, uncovered, timed, submissions.sums[:, 3], tasks),
        _by_number(added, len(words["criteria"])),
        visits,
        words["guidelines"],
        words["models"],
    )


def _gap_counts(counted: Cells, words: Mapping[str, tuple[str, ...]]) -> GapCounts:
    columns = dict(zip(_KEYS, counted.keys.T, strict=True))
    return GapCounts(**columns, count=_whole(counted), criteria=words["criteria"], reviewers=words["reviewers"])


_KEYS = (
    "criterion",
    "reviewer",
    "day",
    "guideline",
    "model",
    "seen_by",
    "outcome",
    "touches",
    "target",
    "unclear",
)


def count_reviews(table: OverrideTable, without: frozenset[str] = frozenset()) -> Reviews:
    """Count reviews of a part of a log; see `digest`."""
    left_out = [i for i, name in enumerate(table.reviewers) if name in without]
    counted = table.reviewed & (table.suggested != _novel(table)) & ~np.isin(table.reviewer, left_out)
    reviewed = np.flatnonzero(counted)
    overrode_it = table.overridden[reviewed]
    outcome = np.where(overrode_it, table.outcomes()[reviewed], int(Outcome.KEPT))
    # A suggestion that one person reviewed twice (a second annotation) counts once for agreement, its rows all count.
    suggestion = table.suggestion[reviewed]
    once = last_of_each(suggestion, table.reviewer[reviewed], table.reviewers)
    size = int(suggestion.max(initial=0)) + 1
    seen = np.bincount(suggestion[once], minlength=size)
    overrode = np.bincount(suggestion[once], weights=overrode_it[once], minlength=size).astype(np.int64)
    seen_by = np.minimum(seen[suggestion], MOST_REVIEWERS)
    gap_counts = cells(
        (
            table.suggested[reviewed],
            table.reviewer[reviewed],
            (table.time_s[reviewed] // DAY_S).astype(np.int64),
            table.guideline[reviewed],
            table.model[reviewed],
            seen_by,
            outcome,
            table.touches[reviewed],
            np.where(outcome == Outcome.RELABELLED, table.submitted[reviewed], -1),
            (table.reasons[reviewed] & reason_bit(Reason.GUIDELINE_UNCLEAR)) > 0,
        )
    )
    criterion_of = np.full(len(seen), -1, dtype=np.int64)
    criterion_of[suggestion] = table.suggested[reviewed]
    several = np.flatnonzero(seen >= 2)
    return Reviews(gap_counts, cells((criterion_of[several], seen[several], overrode[several])))


def count_submissions(table: OverrideTable) -> Cells:
    """Cells of `Submissions`: by reviewer and day, in the order of its fields."""
    _, first, of = np.unique(table.annotation, return_index=True, return_inverse=True)
    uncovered = np.bincount(of, weights=table.uncovered, minlength=len(first)) > 0
    lead = table.lead_time_s[first].astype(np.float64)
    timed = lead > 0
    return cells(
        (table.reviewer[first], (table.time_s[first] // DAY_S).astype(np.int64)),
        (np.ones(len(first)), uncovered, timed, np.log(np.where(timed, lead, 1.0))),
    )


def count_added(table: OverrideTable) -> Cells:
    """By criterion: tasks in which somebody drew it and no suggestion of it was shown to them in that place."""
    drawn = np.flatnonzero(
        table.regions & (table.kind == KINDS.index(OverrideKind.ADDED)) & (table.submitted >= 0) & ~table.blind
    )
    distinct = cells((table.submitted[drawn], table.task[drawn]))
    return cells((distinct.keys[:, 0],))


def _by_number(counted: Cells, size: int) -> Ints:
    found = np.zeros(size, dtype=np.int64)
    found[counted.keys[:, 0]] = counted.sums[:, 0].astype(np.int64)
    return found


def _whole(counted: Cells) -> Ints:
    return counted.sums[:, 0].astype(np.int64)


def _novel(table: OverrideTable) -> int:
    return table.criteria.index(UNCOVERED) if UNCOVERED in table.criteria else -1
