"""Does one reviewer differ from all others? Knows counts only. Says nothing about who is right, and ranks nobody."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student

from review_copilot.study.criterion_figures import Figures, confidence, times
from review_copilot.study.flags import EXCEPTION, Cause, Evidence, Flag, Policy
from review_copilot.study.gap_counts import GapCounts, Submissions
from review_copilot.study.natural_variation import Contrast, Prior, contrast, log_likelihood
from review_copilot.study.rates import discoveries, percent, wilson
from review_copilot.study.table import Floats, Ints, Outcome

ACCEPTS = "accepts everything in seconds"
ACCEPTS_MORE = "accepts what others reject"
OVERRIDES = "overrides what others confirm"
PEOPLE = Prior(center=0.12, doubt=1.2, width=0.4, width_doubt=0.4)
FEWEST_PEOPLE = 3
"""With two people, it is unknown which of them differs."""
LOW_FACTOR = 1 / 3
"""Who "accepts everything" overrides at most a third of what is usual."""
_PACE_WIDTH = 0.4
_PACE_DOUBT = 4.0
"""Typical times of people differ by a factor of e**0.4 about; that belief weighs as much as four people."""


def odd_reviewers(known: Figures, rules: Policy, *, leave_out: frozenset[str] = frozenset()) -> list[Flag]:
    """Flags about people who accept everything in seconds, or override what all others confirm.

    Args:
        known: Figures of all reviewers.
        rules: When to raise a flag.
        leave_out: Criteria that something is wrong with: people differ there for reasons of the criterion's.
    """
    reviewers, counts = known.reviewers, known.counts
    if len(reviewers) < FEWEST_PEOPLE:
        return []
    ordinary = np.array([name not in leave_out for name in known.names])
    if 2 * known.reviews[ordinary].sum() < known.reviews.sum():
        ordinary[:] = True
    yes, of = known.any.yes.T[:, ordinary], known.any.of.T[:, ordinary]
    by_criterion = known.any.by_criterion[ordinary]
    likelihood = log_likelihood(yes, of, by_criterion)
    above = contrast(likelihood, effect=rules.effect, prior=PEOPLE)
    under = contrast(likelihood, effect=LOW_FACTOR, prior=PEOPLE, below=True)
    pace = _paces(counts.submissions, reviewers)
    quickly = _log_quick(pace)
    # Whoever accepts more is seen with and without a look at the clock; the mean of the e-values is one.
    accepts = np.logaddexp(under.log_e, under.log_e + quickly) - np.log(2.0)
    log_e = np.maximum(above.log_e, accepts)  # one of the two must be likely; errors are held down by the bound
    low = np.logaddexp(under.log_bound, under.log_bound + quickly) - np.log(2.0)
    bound = np.logaddexp(above.log_bound, low) - np.log(2.0)
    flags = []
    for r in np.flatnonzero(discoveries(bound, alpha=rules.alpha) & (log_e > EXCEPTION)):
        behaviour = OVERRIDES if above.log_e[r] > accepts[r] else ACCEPTS if quickly[r] > 0 else ACCEPTS_MORE
        flags.append(
            _flag(
                int(r),
                behaviour=behaviour,
                against=above if behaviour == OVERRIDES else under,
                log_e=float(log_e[r]),
                pace=pace,
                reviewers=reviewers,
                gap_counts=counts.gap_counts,
            )
        )
    return flags


def _paces(submissions: Submissions, reviewers: Ints) -> Floats:
    """Mean logarithm of the seconds for an annotation, for each reviewer; NaN where unknown."""
    n = int(max(reviewers.max(), submissions.reviewer.max(initial=0))) + 1
    timed = np.bincount(submissions.reviewer, weights=submissions.timed, minlength=n)[reviewers]
    total = np.bincount(submissions.reviewer, weights=submissions.log_time, minlength=n)[reviewers]
    return np.where(timed > 0, total / np.maximum(timed, 1), np.nan)


def _log_quick(pace: Floats) -> Floats:
    """Log Bayes factor of "at least three times as quick as the others" against the natural spread of people.

    Nature is a Student distribution learned from the others with a prior on its width; the alternative is even between
    3 and 50 times as quick. Where times are unknown it is log(1/20): a low rate alone must then be twenty times as
    convincing.
    """
    result = np.full(len(pace), -np.log(20.0))
    for r in range(len(pace)):
        others = np.delete(pace, r)
        others = others[np.isfinite(others)]
        if not np.isfinite(pace[r]) or len(others) < FEWEST_PEOPLE - 1:
            continue
        center, n = float(np.median(others)), len(others)
        spread = _PACE_DOUBT * _PACE_WIDTH**2 + float(((others - center) ** 2).sum())
        width = np.sqrt(spread / (_PACE_DOUBT + n) * (1 + 1 / n))
        gap = center - pace[r]
        inside = student.logpdf(gap / width, df=_PACE_DOUBT + n) - np.log(width)
        span = np.log(50.0) - np.log(3.0)
        outside = (
            -np.log(span) if np.log(3.0) <= gap <= np.log(50.0) else -np.inf if gap < np.log(3.0) else -np.log(span)
        )
        result[r] = outside - inside
    return result


def _flag(
    r: int, *, behaviour: str, against: Contrast, log_e: float, pace: Floats, reviewers: Ints, gap_counts: GapCounts
) -> Flag:
    mine = gap_counts.reviewer == reviewers[r]
    reviews = int(gap_counts.count[mine].sum())
    overridden = int(gap_counts.count[mine & (gap_counts.outcome != Outcome.KEPT)].sum())
    low, high = wilson(overridden, reviews)
    name = gap_counts.reviewers[int(reviewers[r])]
    own, others = _seconds(pace[r : r + 1]), _seconds(np.delete(pace, r))
    evidence = Evidence(
        reviews=reviews,
        overridden=overridden,
        rate=overridden / reviews,
        rate_low=low,
        rate_high=high,
        natural=float(against.natural[r]),
        natural_high=float(against.natural_high[r]),
        times_likelier=times(log_e),
        reviewer=name,
        behaviour=behaviour,
        typical_lead_time_s=own,
        others_lead_time_s=others,
    )
    pace_words = (
        f", typically in {own:.0f} s where others take {others:.0f} s"
        if behaviour == ACCEPTS and own and others
        else ""
    )
    return Flag(
        Cause.REVIEWER,
        (),
        confidence(log_e),
        f"{name} rejects or relabels {percent(evidence.rate)} of {reviews} suggestions where others do so with "
        f"{percent(evidence.natural)}{pace_words}.",
        evidence,
    )


def _seconds(log_paces: Floats) -> float | None:
    """Median pace of those that are known, in seconds."""
    known = log_paces[np.isfinite(log_paces)]
    return float(np.exp(np.median(known))) if len(known) else None
