"""The figures of every criterion that the causes are read from, computed once from counts. Raises no flag itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from review_copilot.study.flags import Evidence, Policy
from review_copilot.study.gap_counts import MOST_REVIEWERS, Digest, GapCounts
from review_copilot.study.natural_variation import (
    SHARE_UNNATURAL,
    Contrast,
    Prior,
    additive_effects,
    contrast,
    log_likelihood,
)
from review_copilot.study.rate_changes import Change, changes, periods
from review_copilot.study.rates import wilson
from review_copilot.study.table import Flags, Floats, Ints, Outcome
from review_copilot.study.ties import Tie, pooled_tie, review_weights, tie_of

ANY = Prior(centre=0.12, doubt=0.8, width=0.3, width_doubt=0.3)
SEVERITY = Prior(centre=0.03, doubt=1.5, width=0.4, width_doubt=0.35)


@dataclass(frozen=True)
class Stream:
    """One kind of override, and how each criterion stands to nature.

    Attributes:
        yes: Weighted overrides, shape (criteria, reviewers).
        of: Weighted reviews, same shape.
        by_criterion: Logit effect of each criterion.
        by_reviewer: Logit effect of each reviewer: how strict a person is by nature.
        contrast: One entry for each criterion.
    """

    yes: Floats
    of: Floats
    by_criterion: Floats
    by_reviewer: Floats
    contrast: Contrast

    def excess(self, criterion: int) -> float:
        """Weighted overrides beyond what is natural; may be negative."""
        expected = self.contrast.natural[criterion] * self.of[criterion].sum()
        return float(self.yes[criterion].sum() - expected)


@dataclass(frozen=True)
class Figures:
    """Everything known of the criteria that occur, in the order of `names`.

    Attributes:
        names: Criterion ids.
        criteria: Their indices in the gap counts.
        reviewers: Indices of the reviewers that occur.
        counts: What all of this was computed from.
        any: All overrides.
        severity: Those that change only the severity.
        rest: All others.
        log_e: Log Bayes factor of "an exception" for all overrides or the rest, whichever shows it.
        log_bound: Log e-value against "no further out than 95 % of the others", likewise.
        moves: Weighted relabellings from criterion (row) to criterion (column).
        total: Weighted reviews.
        reviews: Reviews.
        overridden: Overrides.
        severities: Changes of severity alone.
        unclear: Overrides with the reason "guideline unclear".
        ties: How people agree on the same suggestions.
        changes: The most likely change of each rate.
    """

    names: tuple[str, ...]
    criteria: Ints
    reviewers: Ints
    counts: Digest
    any: Stream
    severity: Stream
    rest: Stream
    log_e: Floats
    log_bound: Floats
    moves: Floats
    total: Floats
    reviews: Ints
    overridden: Ints
    severities: Ints
    unclear: Ints
    ties: tuple[Tie, ...]
    changes: tuple[Change, ...]

    def evidence(self, c: int, stream: Stream, *, yes: int, log_e: float) -> Evidence:
        """The numbers that every flag about a criterion gives."""
        reviews = int(self.reviews[c])
        low, high = wilson(yes, reviews)
        return Evidence(
            reviews=reviews,
            overridden=yes,
            rate=yes / reviews,
            rate_low=low,
            rate_high=high,
            natural=float(stream.contrast.natural[c]),
            natural_high=float(stream.contrast.natural_high[c]),
            times_likelier=times(log_e),
        )


def figures(counts: Digest, rules: Policy, *, apart: frozenset[str] = frozenset()) -> Figures:
    """Compute them. The gap counts must have at least one cell.

    Args:
        counts: What reviewers did.
        rules: When to raise a flag.
        apart: Criteria that are known to be exceptions; what is natural is learnt from the others, as long as those
            are half of all or more.
    """
    gap_counts = counts.gap_counts
    tie = pooled_tie(counts.shared, len(gap_counts.criteria))
    weights = review_weights(tie, MOST_REVIEWERS)[gap_counts.seen_by] * gap_counts.count
    shaped = _Shaped(gap_counts, np.unique(gap_counts.criterion), np.unique(gap_counts.reviewer), weights)
    everything = np.ones(len(gap_counts.count), dtype=np.bool_)
    overridden, severity = gap_counts.outcome != Outcome.KEPT, gap_counts.outcome == Outcome.SEVERITY
    of = shaped.table(everything)
    ordinary = np.array([gap_counts.criteria[i] not in apart for i in shaped.criteria])
    if 2 * ordinary.sum() < len(ordinary):
        ordinary[:] = True
    every, rest, vague = (
        _stream(shaped.table(mask), of, effect=rules.effect, prior=prior, ordinary=ordinary)
        for mask, prior in ((overridden, ANY), (overridden & ~severity, ANY), (severity, SEVERITY))
    )
    return Figures(
        names=tuple(gap_counts.criteria[i] for i in shaped.criteria),
        criteria=shaped.criteria,
        reviewers=shaped.reviewers,
        counts=counts,
        any=every,
        severity=vague,
        rest=rest,
        # The mean of two e-values is an e-value.
        log_e=np.logaddexp(every.contrast.log_e, rest.contrast.log_e) - np.log(2.0),
        log_bound=np.logaddexp(every.contrast.log_bound, rest.contrast.log_bound) - np.log(2.0),
        moves=shaped.moves(),
        total=of.sum(axis=1),
        reviews=shaped.raw(everything),
        overridden=shaped.raw(overridden),
        severities=shaped.raw(severity),
        unclear=shaped.raw(overridden & (gap_counts.unclear > 0)),
        ties=tuple(tie_of(counts.shared, int(i)) for i in shaped.criteria),
        changes=_changes(shaped, every, effect=rules.effect),
    )


def times(log_e: float) -> float:
    """An e-value from its logarithm, kept finite."""
    return float(np.exp(min(log_e, 600.0)))


def confidence(log_e: float) -> float:
    """Posterior probability that a unit is no child of nature, from the prior share of such units."""
    return float(expit(log_e + np.log(SHARE_UNNATURAL / (1 - SHARE_UNNATURAL))))


def _stream(yes: Floats, of: Floats, *, effect: float, prior: Prior, ordinary: Flags) -> Stream:
    by_criterion, by_reviewer = additive_effects(yes, of)
    likelihood = log_likelihood(yes, of, by_reviewer)
    return Stream(
        yes, of, by_criterion, by_reviewer, contrast(likelihood, effect=effect, prior=prior, ordinary=ordinary)
    )


def _changes(shaped: _Shaped, stream: Stream, *, effect: float) -> tuple[Change, ...]:
    gap_counts = shaped.gap_counts
    period, starts = periods(gap_counts.day, gap_counts.count)
    return changes(
        shaped.by_period(gap_counts.outcome != Outcome.KEPT, period, len(starts)),
        shaped.by_period(np.ones(len(gap_counts.count), dtype=np.bool_), period, len(starts)),
        offsets=stream.by_reviewer,
        starts=starts,
        contrast=stream.contrast,
        effect=effect,
    )


@dataclass(frozen=True)
class _Shaped:
    """The gap counts in the shapes that are asked for; criteria and reviewers that occur, only."""

    gap_counts: GapCounts
    criteria: Ints
    reviewers: Ints
    weight: Floats

    def table(self, mask: Flags) -> Floats:
        """Weighted reviews by criterion and reviewer."""
        shape = (len(self.criteria), len(self.reviewers))
        cell = self._criterion(mask) * shape[1] + np.searchsorted(self.reviewers, self.gap_counts.reviewer[mask])
        flat = np.bincount(cell, weights=self.weight[mask], minlength=shape[0] * shape[1])
        return flat.reshape(shape)

    def moves(self) -> Floats:
        """Weighted relabellings from criterion (row) to criterion (column)."""
        to = np.searchsorted(self.criteria, self.gap_counts.target)
        known = np.isin(self.gap_counts.target, self.criteria) & (self.gap_counts.outcome == Outcome.RELABELLED)
        n = len(self.criteria)
        flat = np.bincount(self._criterion(known) * n + to[known], weights=self.weight[known], minlength=n * n)
        return flat.reshape(n, n)

    def by_period(self, mask: Flags, period: Ints, n: int) -> Floats:
        """Weighted reviews by criterion, period and reviewer."""
        shape = (len(self.criteria), n, len(self.reviewers))
        cell = (self._criterion(mask) * n + period[mask]) * shape[2]
        cell += np.searchsorted(self.reviewers, self.gap_counts.reviewer[mask])
        return np.bincount(cell, weights=self.weight[mask], minlength=shape[0] * n * shape[2]).reshape(shape)

    def raw(self, mask: Flags) -> Ints:
        """Unweighted reviews by criterion."""
        return np.bincount(
            self._criterion(mask), weights=self.gap_counts.count[mask], minlength=len(self.criteria)
        ).astype(np.int64)

    def _criterion(self, mask: Flags) -> Ints:
        return np.searchsorted(self.criteria, self.gap_counts.criterion[mask])
