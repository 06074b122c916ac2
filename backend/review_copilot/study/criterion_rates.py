"""Single criteria, confusions between them and weeks, in numbers. Knows counts only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from review_copilot.study.calibration import Calibration, calibration_of
from review_copilot.study.flags import Outlook, Standing
from review_copilot.study.gap_counts import DAY_S
from review_copilot.study.grouped_sums import Cells
from review_copilot.study.rates import difference
from review_copilot.study.study_counts import Counts
from review_copilot.study.table import REASONS, Ints, Outcome

WEEK_S = 7 * 86400.0


@dataclass(frozen=True)
class RevisionChange:
    """Override rate under the newest guideline revision against the one before.

    Attributes:
        now: Revision hash.
        before: Revision hash.
        difference: Rate now - rate before.
        low: Lower end of its 95 % interval (Newcombe).
        high: Upper end.
    """

    now: str
    before: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class CriterionStudy:
    """One criterion in numbers.

    Attributes:
        criterion: Its id.
        suggestions: Decisions of reviewers about its suggestions.
        overridden: Those rejected or relabelled.
        rate: overridden / suggestions; NaN without any.
        standing: Where it stands among the others; None without suggestions.
        outlook: How many more reviews would tell; None where it is flagged or has no suggestions.
        outcomes: How often each `Outcome` was the answer, by its lower-case name.
        reasons: How often each reason was ticked, those never ticked left out.
        text_kept: Mean share of the drafted text that was kept, 0..1; NaN without any.
        added: Regions of this criterion that reviewers drew and nobody had suggested.
        change: Against the previous guideline revision; None where there is only one.
        calibration: Of its scores.
    """

    criterion: str
    suggestions: int
    overridden: int
    rate: float
    standing: Standing | None
    outlook: Outlook | None
    outcomes: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]
    text_kept: float
    added: int
    change: RevisionChange | None
    calibration: Calibration


@dataclass(frozen=True)
class Confusion:
    """How often reviewers relabelled one criterion as another."""

    suggested: str
    submitted: str
    count: int


@dataclass(frozen=True)
class Week:
    """One week of reviewing.

    Attributes:
        start_s: Its first second, since 1970 UTC.
        suggestions: Decisions about suggestions.
        overridden: Overrides among them.
        annotations: Annotations.
    """

    start_s: float
    suggestions: int
    overridden: int
    annotations: int


def criterion_study(counts: Counts, name: str) -> CriterionStudy:
    """One criterion, also one that the log does not name; where it stands among others is left open."""
    known = counts.words("criteria")
    number = known.index(name) if name in known else -2
    outcome_counts = counts.outcome_counts
    outcomes = _of(outcome_counts.outcomes, number)
    by_outcome = np.bincount(outcomes.keys[:, 2], weights=outcomes.sums[:, 0], minlength=len(Outcome)).astype(np.int64)
    suggestions, overridden = int(by_outcome.sum()), int(by_outcome[[Outcome.REJECTED, Outcome.RELABELLED]].sum())
    reasons, texts = _of(outcome_counts.reasons, number), _of(outcome_counts.texts, number)
    ticked = [(word, int(reasons.sums[reasons.keys[:, 1] >> bit & 1 > 0].sum())) for bit, word in enumerate(REASONS)]
    kept, of = texts.sums.sum(axis=0)
    return CriterionStudy(
        criterion=name,
        suggestions=suggestions,
        overridden=overridden,
        rate=overridden / suggestions if suggestions else float("nan"),
        standing=None,
        outlook=None,
        outcomes=tuple((o.name.lower(), int(by_outcome[o])) for o in Outcome),
        reasons=tuple((word, often) for word, often in ticked if often),
        text_kept=float(kept / of) if of else float("nan"),
        added=int(_of(outcome_counts.added, number).sums.sum()),
        change=_change(_of(outcome_counts.revisions, number), counts.words("guidelines")),
        calibration=calibration_of(_of(outcome_counts.scores, number)),
    )


def confusions(counts: Counts) -> tuple[Confusion, ...]:
    """How often which criterion was relabelled as which, the most frequent first."""
    names, moves = counts.words("criteria"), counts.outcome_counts.moves
    often = moves.sums[:, 0]
    return tuple(
        Confusion(names[int(moves.keys[i, 0])], names[int(moves.keys[i, 1])], int(often[i]))
        for i in np.argsort(-often, kind="stable").tolist()
    )


def weeks(counts: Counts) -> tuple[Week, ...]:
    """All weeks from the first day on."""
    if not counts.rows:
        return ()
    outcomes, submissions = counts.outcome_counts.outcomes, counts.outcome_counts.submissions
    start = int(submissions.keys[:, 1].min())
    week = (outcomes.keys[:, 1] - start) // 7
    submitted = (submissions.keys[:, 1] - start) // 7
    n = int(submitted.max()) + 1
    changed = np.isin(outcomes.keys[:, 2], (Outcome.REJECTED, Outcome.RELABELLED))
    suggestions = _summed(week, outcomes.sums[:, 0], n)
    overridden = _summed(week, outcomes.sums[:, 0] * changed, n)
    annotations = _summed(submitted, submissions.sums[:, 0], n)
    return tuple(
        Week(start * DAY_S + i * WEEK_S, int(suggestions[i]), int(overridden[i]), int(annotations[i])) for i in range(n)
    )


def _summed(group: Ints, weights: Ints, n: int) -> Ints:
    return np.bincount(group, weights=weights, minlength=n)


def _of(counted: Cells, criterion: int) -> Cells:
    return counted.where(counted.keys[:, 0] == criterion)


def _change(revisions: Cells, names: tuple[str, ...]) -> RevisionChange | None:
    """Against the revision that was in use before the newest one.

    Revisions are ordered by the mean day of their reviews: a file may be imported in any order, and tasks that were
    begun under the old revision are submitted after the new one began.
    """
    if len(revisions.keys) < 2:
        return None
    reviews, overrides, days = revisions.sums.T
    before, now = np.argsort(days / reviews, kind="stable")[-2:].tolist()
    gap, low, high = difference(overrides[now], reviews[now], before_yes=overrides[before], before_of=reviews[before])
    named = [names[int(number)] for number in revisions.keys[:, 1]]
    return RevisionChange(named[now], named[before], gap, low, high)
