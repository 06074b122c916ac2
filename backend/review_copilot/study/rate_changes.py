"""Did a rate change at a date, and stay so? A Bayesian change point against a rate that stayed. Knows counts only.

Two things are no lasting change: what came and went again within the log (a transient), and what happened to all
criteria at once (a week of hard images). The first is part of what a change is compared with. The second is taken out:
each period has an effect of its own, learned from the other criteria.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit, logit

from review_copilot.study.natural_variation import LOGITS, RATES, SHARE_UNNATURAL, Contrast, soft_exp
from review_copilot.study.table import Flags, Floats, Ints

MOST_PERIODS = 30
"""Days are put together into at most this many periods of about the same number of reviews."""
OUT_OF_NATURE = 0.75
"""Prior share of changes that lead away from what is natural; the others lead back to it."""
PERIOD_WIDTH = 0.7
"""How much periods normally differ from each other, as a standard deviation in logits: a factor of two either way."""
TRANSIENT = 0.3
"""Prior share of rates that went up or down for a while, among those that did not change for good."""
LEAST_DAYS = 7
"""A change that is younger than a week may be a week of hard images."""
LEAST_Z = 2.5
"""Standard errors between two rates below which no change can be told."""
PASSES_DAYS = 14
"""What lasts longer than this does not count as having passed."""


@dataclass(frozen=True)
class Change:
    """The most likely change of one unit's rate.

    Attributes:
        log_e: Natural logarithm of the Bayes factor of "changed by the effect or more" against "stayed".
        log_against_high: The same against "stayed, outside the natural spread".
        day: First day of the new rate (median of its posterior), in days since 1970 UTC.
        first_day: Lower end of the central 90 % interval of that day.
        last_day: Upper end.
        before: Estimated rate before, 0..1.
        after: Estimated rate after, 0..1.
    """

    log_e: float
    log_against_high: float
    day: int
    first_day: int
    last_day: int
    before: float
    after: float


def periods(day: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Put days together.

    Returns:
        Period of each entry, and the first day of each period.
    """
    days, inverse = np.unique(day, return_inverse=True)
    total = np.cumsum(np.bincount(inverse, weights=count))
    if len(days) <= MOST_PERIODS:
        return inverse, days
    period = np.minimum((total - 1) * MOST_PERIODS // max(total[-1], 1), MOST_PERIODS - 1).astype(np.int64)
    _, period = np.unique(period, return_inverse=True)
    starts = days[np.searchsorted(period, np.arange(period.max() + 1))]
    return period[inverse], starts


def period_effects(yes: Floats, of: Floats) -> Floats:
    """Logit effect of each period on each unit, as the other units show it; shape (units, periods).

    Three Newton steps of a logistic regression with a normal prior of PERIOD_WIDTH; each unit's own rate is given.

    Args:
        yes: Events, shape (units, periods).
        of: Trials, same shape.
    """
    units = len(yes)
    base = logit((yes.sum(axis=1) + 0.5) / (of.sum(axis=1) + 1.0))
    effects = np.zeros(yes.shape)
    for _ in range(3):
        for unit in range(units):
            others = np.arange(units) != unit
            at = base[others, None] + effects[unit][None, :]
            p = expit(at)
            residual = (yes[others] - of[others] * p).sum(axis=0)
            weight = (of[others] * p * (1 - p)).sum(axis=0)
            step = (residual - effects[unit] / PERIOD_WIDTH**2) / (weight + PERIOD_WIDTH**-2)
            effects[unit] += np.clip(step, -1.0, 1.0)
    return effects


def changes(
    yes: Floats, of: Floats, *, offsets: Floats, starts: Ints, contrast: Contrast, effect: float, end: int | None = None
) -> tuple[Change, ...]:
    """The change of each unit.

    Args:
        yes: Events, shape (units, periods, groups).
        of: Trials, same shape.
        offsets: Logit offset of each group, such as how strict a reviewer is: a change of who reviews is no drift.
        starts: First day of each period.
        contrast: What is natural for each unit.
        effect: Least change of the rate that matters.
        end: The newest day; None where every period is over for a week or more.
    """
    lasting = np.ones(len(starts) - 1, dtype=np.bool_) if end is None else end - starts[1:] >= LEAST_DAYS
    common = period_effects(yes.sum(axis=2), of.sum(axis=2))
    worth = _may_have_changed(yes.sum(axis=2), of.sum(axis=2))
    return tuple(
        _unchanged(starts)
        if not worth[u]
        else _change(
            _by_period(yes[u], of[u], offsets[None, :] + common[u][:, None]),
            starts,
            inside=contrast.inside[u],
            outside=contrast.outside[u],
            moves=moves_of(effect),
            lasting=lasting,
        )
        for u in range(len(yes))
    )


def _may_have_changed(yes: Floats, of: Floats) -> Flags:
    """Units whose rates before and after some day differ by LEAST_Z standard errors, shape (units,).

    A screen that loses nothing: no flag is raised on less, and it spares the others the work.
    """
    early, early_of = np.cumsum(yes, axis=1)[:, :-1], np.cumsum(of, axis=1)[:, :-1]
    total, total_of = yes.sum(axis=1, keepdims=True), of.sum(axis=1, keepdims=True)
    share = (total + 0.5) / (total_of + 1.0)
    late_of = total_of - early_of
    variance = share * (1 - share) * (1 / np.maximum(early_of, 0.5) + 1 / np.maximum(late_of, 0.5))
    gap = early / np.maximum(early_of, 0.5) - (total - early) / np.maximum(late_of, 0.5)
    return np.asarray((np.abs(gap) >= LEAST_Z * np.sqrt(variance)).any(axis=1))


def _unchanged(starts: Ints) -> Change:
    day = int(starts[0])
    return Change(-np.inf, 0.0, day, day, day, float("nan"), float("nan"))


def _by_period(yes: Floats, of: Floats, offsets: Floats) -> Floats:
    """Log-likelihood of the logit in each period, shape (periods, len(LOGITS))."""
    at = LOGITS[None, None, :] + offsets[:, :, None]
    no = of - yes
    return np.asarray(-(yes[:, :, None] * np.logaddexp(0.0, -at) + no[:, :, None] * np.logaddexp(0.0, at)).sum(axis=1))


@lru_cache(maxsize=8)
def moves_of(effect: float, *, rising: bool | None = None) -> Floats:
    """Chance of each new rate (column) given the old one (row): at least the effect away, nearer ones likelier.

    Args:
        effect: Least change that matters.
        rising: Only upwards, or only downwards; None for both.
    """
    gap = RATES[None, :] - RATES[:, None]
    distance = np.abs(gap) if rising is None else gap if rising else -gap
    density = (RATES * (1 - RATES))[None, :] * np.exp(-np.abs(gap) / 0.25) * (distance >= effect)
    return np.asarray(density / np.maximum(density.sum(axis=1, keepdims=True), 1e-300))


def _change(each: Floats, starts: Ints, *, inside: Floats, outside: Floats, moves: Floats, lasting: Floats) -> Change:
    before = np.cumsum(each, axis=0)[:-1]
    whole = each.sum(axis=0)
    if not len(before) or not lasting.any():
        return _unchanged(starts)
    after = whole - before
    peaks = before.max(axis=1) + after.max(axis=1)
    early = soft_exp(before - before.max(axis=1, keepdims=True))
    late = soft_exp(after - after.max(axis=1, keepdims=True))
    inside = np.where(inside > 1e-80, inside, 0.0)
    left = (early * inside) @ moves * late  # natural first, moved away later
    right = (late * inside) @ moves * early  # out of the ordinary first, natural later
    fits = peaks + np.log(OUT_OF_NATURE * left.sum(axis=1) + (1 - OUT_OF_NATURE) * right.sum(axis=1) + 1e-300)
    fits = np.where(lasting, fits, -np.inf)
    top = whole.max()
    stayed_natural = top + np.log((inside * np.exp(whole - top)).sum() + 1e-300)
    stayed_high = top + np.log((outside * np.exp(whole - top)).sum() + 1e-300)
    changed = float(np.logaddexp.reduce(fits) - np.log(len(fits)))
    stayed = np.logaddexp(np.log(1 - SHARE_UNNATURAL) + stayed_natural, np.log(SHARE_UNNATURAL) + stayed_high)
    passed = _transient(before, whole, starts, inside=inside, moves=moves)
    stayed = np.logaddexp(np.log(1 - TRANSIENT) + stayed, np.log(TRANSIENT) + passed)
    posterior = np.exp(fits - np.logaddexp.reduce(fits))
    cumulative = np.cumsum(posterior)
    low, middle, high = (int(starts[1 + np.argmax(cumulative >= q)]) for q in (0.05, 0.5, 0.95))
    at = int(np.argmax(cumulative >= 0.5))
    return Change(
        log_e=changed - float(stayed),
        log_against_high=changed - float(stayed_high),
        day=middle,
        first_day=low,
        last_day=high,
        before=_mean(early[at]),
        after=_mean(late[at]),
    )


def _transient(before: Floats, whole: Floats, days: Ints, *, inside: Floats, moves: Floats) -> float:
    """Log-likelihood of a rate that was another one for a while, any short stretch within the log being as likely."""
    starts = np.concatenate([np.zeros((1, before.shape[1])), before])
    one, two = np.triu_indices(len(starts), 1)
    short = days[two] - days[one] <= PASSES_DAYS
    one, two = one[short], two[short]
    if not len(one):
        return -np.inf
    within = starts[two] - starts[one]
    outside = whole[None, :] - within
    tops = within.max(axis=1), outside.max(axis=1)
    fits = (soft_exp(outside - tops[1][:, None]) * inside) @ moves * soft_exp(within - tops[0][:, None])
    return float(np.logaddexp.reduce(tops[0] + tops[1] + np.log(fits.sum(axis=1) + 1e-300)) - np.log(len(one)))


def _mean(likelihood: Floats) -> float:
    weights = likelihood * np.gradient(RATES, LOGITS)
    return float((weights * RATES).sum() / weights.sum())
