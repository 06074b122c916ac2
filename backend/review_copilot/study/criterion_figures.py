"""The figures of every criterion that the causes are read from, computed once from counts. Raises no flag itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from review_copilot.study.flags import Evidence, Policy
from review_copilot.study.gap_counts import MOST_REVIEWERS, Digest, GapCounts
from review_copilot.study.natural_variation import (
    RATES,
    SHARE_UNNATURAL,
    Contrast,
    Prior,
    additive_effects,
    contrast,
    log_likelihood,
)
from review_copilot.study.rates import wilson
from review_copilot.study.table import Flags, Floats, Ints, Outcome, Touch
from review_copilot.study.ties import Tie, pooled_tie, review_weights, tie_of

OVERRIDES = Prior(center=0.12, doubt=1.2, width=0.4, width_doubt=0.4)
SEVERITIES = Prior(center=0.05, doubt=1.5, width=0.4, width_doubt=0.4)
TOUCHES = Prior(center=0.15, doubt=1.5, width=0.4, width_doubt=0.4)
MISSES = Prior(center=0.01, doubt=1.5, width=0.7, width_doubt=0.4)
DISPUTES = Prior(center=0.1, doubt=1.2, width=0.4, width_doubt=0.4)


@dataclass(frozen=True)
class Stream:
    """One kind of thing that reviewers do, and how each criterion stands to nature.

    Attributes:
        yes: How often, weighted; shape (criteria, groups).
        of: How often it could have been, same shape.
        raw_yes: Unweighted, by criterion.
        raw_of: Unweighted, by criterion.
        by_criterion: Logit effect of each criterion.
        offsets: Logit effect of each group, such as a reviewer's usual strictness.
        contrast: One entry for each criterion.
    """

    yes: Floats
    of: Floats
    raw_yes: Ints
    raw_of: Ints
    by_criterion: Floats
    offsets: Floats
    contrast: Contrast

    def excess(self, criterion: int) -> float:
        """Weighted count beyond what is natural; may be negative."""
        expected = self.contrast.natural[criterion] * self.of[criterion].sum()
        return float(self.yes[criterion].sum() - expected)

    def rates(self) -> Floats:
        """Raw share of each criterion; 0 without any."""
        return np.asarray(self.raw_yes / np.maximum(self.raw_of, 1))

    def evidence(self, c: int, *, log_e: float) -> Evidence:
        """The numbers that every flag about a criterion gives."""
        yes, of = int(self.raw_yes[c]), int(self.raw_of[c])
        low, high = wilson(yes, of)
        return Evidence(
            reviews=of,
            overridden=yes,
            rate=yes / of if of else 0.0,
            rate_low=low,
            rate_high=high,
            natural=float(self.contrast.natural[c]),
            natural_high=float(self.contrast.natural_high[c]),
            times_likelier=times(log_e),
        )


@dataclass(frozen=True)
class Figures:
    """Everything known of the criteria that occur, in the order of `names`.

    Attributes:
        names: Criterion ids.
        reviewers: Indices of the reviewers that occur.
        counts: What all of this was computed from.
        shaped: The counts in the shapes that are asked for.
        any: Suggestions rejected or relabelled.
        severity: Severities changed, of what was kept.
        moved: Places changed.
        redrawn: Places changed by more than people differ anyway.
        reworded: Texts changed.
        rewritten: Texts that were replaced.
        missed: Tasks in which somebody drew what was not drafted.
        disputed: Suggestions that several people saw and decided differently.
        log_high: Log e-value of "more rejected and relabelled than 95 % of the others show, or than the bar".
        log_bar: Of the second alone.
        moves: Weighted relabellings from criterion (row) to criterion (column).
        reviews: Decisions.
        unclear: Overrides with the reason "guideline unclear".
        ties: How people agree on the same suggestions.
    """

    names: tuple[str, ...]
    reviewers: Ints
    counts: Digest
    shaped: Shaped
    any: Stream
    severity: Stream
    moved: Stream
    redrawn: Stream
    reworded: Stream
    rewritten: Stream
    missed: Stream
    disputed: Stream
    log_high: Floats
    log_bar: Floats
    moves: Floats
    reviews: Ints
    unclear: Ints
    ties: tuple[Tie, ...]

    @property
    def overridden(self) -> Ints:
        """Suggestions rejected or relabelled, by criterion."""
        return self.any.raw_yes


def figures(
    counts: Digest, rules: Policy, *, apart: frozenset[str] = frozenset(), only: Flags | None = None
) -> Figures:
    """Compute them. The counts must have at least one cell.

    Args:
        counts: What reviewers did.
        rules: When to raise a flag.
        apart: Criteria that are known to be exceptions; what is natural is learned from the others, as long as those
            are half of all or more.
        only: Which cells of the gap counts to look at; None for all.
    """
    shaped = shape(counts, only)
    gap = shaped.gap_counts
    ordinary = np.array([gap.criteria[i] not in apart for i in shaped.criteria])
    if 2 * ordinary.sum() < len(ordinary):
        ordinary[:] = True
    overridden, kept = gap.outcome != Outcome.KEPT, gap.outcome != Outcome.REJECTED
    judged = np.ones(len(gap.count), dtype=np.bool_)

    def stream(yes: Flags, of: Flags, *, effect: float, prior: Prior) -> Stream:
        return _stream(shaped, yes & of, of, effect=effect, prior=prior, ordinary=ordinary)

    def touched(bit: Touch, of: Flags, *, effect: float, prior: Prior = TOUCHES) -> Stream:
        return stream((gap.touches & int(bit)) > 0, of, effect=effect, prior=prior)

    every = stream(overridden, judged, effect=rules.effect, prior=OVERRIDES)
    bar = _above_bar(every, rules.bar)
    return Figures(
        names=tuple(gap.criteria[i] for i in shaped.criteria),
        reviewers=shaped.reviewers,
        counts=counts,
        shaped=shaped,
        any=every,
        severity=touched(Touch.SEVERITY, ~overridden, effect=rules.effect, prior=SEVERITIES),
        moved=touched(Touch.PLACE, kept, effect=rules.touch_effect),
        redrawn=touched(Touch.FAR, kept, effect=rules.touch_effect),
        reworded=touched(Touch.TEXT, ~overridden, effect=rules.touch_effect),
        rewritten=touched(Touch.ANEW, ~overridden, effect=rules.touch_effect),
        missed=_missed(counts, shaped, rules, ordinary),
        disputed=_disputed(counts, shaped, rules, ordinary),
        # The mean of two e-values is an e-value.
        log_high=np.logaddexp(every.contrast.log_bound, bar) - np.log(2.0),
        log_bar=bar,
        moves=shaped.moves(),
        reviews=shaped.raw(judged),
        unclear=shaped.raw(overridden & (gap.unclear > 0)),
        ties=tuple(tie_of(counts.shared, int(i)) for i in shaped.criteria),
    )


def times(log_e: float) -> float:
    """An e-value from its logarithm, kept finite."""
    return float(np.exp(min(log_e, 600.0)))


def confidence(log_e: float) -> float:
    """Posterior probability that a unit is no child of nature, from the prior share of such units."""
    return float(expit(log_e + np.log(SHARE_UNNATURAL / (1 - SHARE_UNNATURAL))))


def _above_bar(stream: Stream, bar: float) -> Floats:
    """Log e-value of "more than the bar" against the best rate below it, for each criterion.

    The alternative is half what the other criteria show above the bar, half even above it.
    """
    likelihood = log_likelihood(stream.yes, stream.of, stream.offsets)
    above = bar < RATES
    per_logit = RATES * (1 - RATES) * above
    inside = stream.contrast.inside * above[None, :]
    mass = inside.sum(axis=1, keepdims=True)
    even = per_logit[None, :] / per_logit.sum()
    weights = np.where(mass > 1e-6, 0.5 * inside / np.maximum(mass, 1e-12) + 0.5 * even, even)
    peak = likelihood.max(axis=1, keepdims=True)
    fits = np.log((np.exp(likelihood - peak) * weights).sum(axis=1) + 1e-300)
    return np.asarray(fits + peak[:, 0] - np.where(above[None, :], -np.inf, likelihood).max(axis=1))


def _stream(shaped: Shaped, yes: Flags, of: Flags, *, effect: float, prior: Prior, ordinary: Flags) -> Stream:
    hits, chances = shaped.table(yes), shaped.table(of)
    by_criterion, by_reviewer = additive_effects(hits, chances)
    likelihood = log_likelihood(hits, chances, by_reviewer)
    against = contrast(likelihood, effect=effect, prior=prior, ordinary=ordinary)
    return Stream(hits, chances, shaped.raw(yes), shaped.raw(of), by_criterion, by_reviewer, against)


def _plain(yes: Ints, of: Ints, *, effect: float, prior: Prior, ordinary: Flags) -> Stream:
    """A stream without groups."""
    hits, chances = yes[:, None].astype(np.float64), of[:, None].astype(np.float64)
    against = contrast(log_likelihood(hits, chances), effect=effect, prior=prior, ordinary=ordinary)
    return Stream(hits, chances, yes, of, np.zeros(len(yes)), np.zeros(1), against)


def _missed(counts: Digest, shaped: Shaped, rules: Policy, ordinary: Flags) -> Stream:
    yes = counts.added[shaped.criteria]
    of = np.maximum(np.full(len(yes), counts.submissions.tasks, dtype=np.int64), yes)
    return _plain(yes, of, effect=rules.missed_effect, prior=MISSES, ordinary=ordinary)


def _disputed(counts: Digest, shaped: Shaped, rules: Policy, ordinary: Flags) -> Stream:
    shared, size = counts.shared, len(counts.gap_counts.criteria)
    split = (shared.overrode > 0) & (shared.overrode < shared.seen_by)
    yes = np.bincount(shared.criterion, weights=shared.count * split, minlength=size)[shaped.criteria]
    of = np.bincount(shared.criterion, weights=shared.count, minlength=size)[shaped.criteria]
    return _plain(
        yes.astype(np.int64), of.astype(np.int64), effect=1.5 * rules.effect, prior=DISPUTES, ordinary=ordinary
    )


@dataclass(frozen=True)
class Shaped:
    """The gap counts in the shapes that are asked for; criteria and reviewers that occur, only."""

    gap_counts: GapCounts
    criteria: Ints
    reviewers: Ints
    weight: Floats

    def table(self, mask: Flags) -> Floats:
        """Weighted reviews by criterion and reviewer."""
        return self.by_group(mask, np.zeros(len(self.weight), dtype=np.int64), 1)[:, 0]

    def moves(self) -> Floats:
        """Weighted relabellings from criterion (row) to criterion (column)."""
        return self._moves(self.weight)

    def raw_moves(self) -> Floats:
        """Relabellings from criterion (row) to criterion (column)."""
        return self._moves(self.gap_counts.count.astype(np.float64))

    def _moves(self, weight: Floats) -> Floats:
        to = np.searchsorted(self.criteria, self.gap_counts.target)
        known = np.isin(self.gap_counts.target, self.criteria) & (self.gap_counts.outcome == Outcome.RELABELLED)
        n = len(self.criteria)
        flat = np.bincount(self._criterion(known) * n + to[known], weights=weight[known], minlength=n * n)
        return flat.reshape(n, n)

    def by_group(self, mask: Flags, group: Ints, n: int) -> Floats:
        """Weighted reviews by criterion, group (such as a period) and reviewer."""
        shape = (len(self.criteria), n, len(self.reviewers))
        cell = (self._criterion(mask) * n + group[mask]) * shape[2]
        cell += np.searchsorted(self.reviewers, self.gap_counts.reviewer[mask])
        return np.bincount(cell, weights=self.weight[mask], minlength=shape[0] * n * shape[2]).reshape(shape)

    def raw(self, mask: Flags) -> Ints:
        """Unweighted reviews by criterion."""
        return np.bincount(
            self._criterion(mask), weights=self.gap_counts.count[mask], minlength=len(self.criteria)
        ).astype(np.int64)

    def _criterion(self, mask: Flags) -> Ints:
        return np.searchsorted(self.criteria, self.gap_counts.criterion[mask])


def shape(counts: Digest, only: Flags | None = None) -> Shaped:
    """Put counts into shape, each review weighed by how many others say the same; see `figures`."""
    gap = counts.gap_counts
    tie = pooled_tie(counts.shared, len(gap.criteria))
    weights = review_weights(tie, MOST_REVIEWERS)[gap.seen_by] * gap.count
    criteria, reviewers = np.unique(gap.criterion), np.unique(gap.reviewer)
    if only is not None:
        weights = weights * only
        gap = gap.zeroed(only)
    return Shaped(gap, criteria, reviewers, weights)
