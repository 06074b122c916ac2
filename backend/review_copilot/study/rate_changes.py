"""Did a rate change at a date? A Bayesian change point against a rate that stayed. Knows counts only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from review_copilot.study.natural_variation import LOGITS, RATES, SHARE_UNNATURAL, Contrast, log_likelihood
from review_copilot.study.table import Floats, Ints

MOST_PERIODS = 30
"""Days are put together into at most this many periods of about the same number of reviews."""

OUT_OF_NATURE = 0.75
"""Prior share of changes that lead away from what is natural; the others lead back to it."""


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


def changes(
    yes: Floats, of: Floats, *, offsets: Floats, starts: Ints, contrast: Contrast, effect: float
) -> tuple[Change, ...]:
    """The change of each unit.

    Args:
        yes: Events, shape (units, periods, groups).
        of: Trials, same shape.
        offsets: Logit offset of each group, such as how strict a reviewer is: a change of who reviews is no drift.
        starts: First day of each period.
        contrast: What is natural for each unit.
        effect: Least change of the rate that matters.
    """
    return tuple(
        _change(
            log_likelihood(yes[u], of[u], offsets),
            starts,
            inside=contrast.inside[u],
            outside=contrast.outside[u],
            moves=_moves(effect),
        )
        for u in range(len(yes))
    )


@lru_cache(maxsize=4)
def _moves(effect: float) -> Floats:
    """Chance of each new rate (column) given the old one (row): at least the effect away, nearer ones likelier."""
    distance = np.abs(RATES[None, :] - RATES[:, None])
    density = (RATES * (1 - RATES))[None, :] * np.exp(-distance / 0.25) * (distance >= effect)
    return np.asarray(density / density.sum(axis=1, keepdims=True))


def _change(each: Floats, starts: Ints, *, inside: Floats, outside: Floats, moves: Floats) -> Change:
    before = np.cumsum(each, axis=0)[:-1]
    whole = each.sum(axis=0)
    if not len(before):
        return Change(-np.inf, 0.0, int(starts[0]), int(starts[0]), int(starts[0]), float("nan"), float("nan"))
    after = whole - before
    peaks = before.max(axis=1) + after.max(axis=1)
    early = np.exp(before - before.max(axis=1, keepdims=True))
    late = np.exp(after - after.max(axis=1, keepdims=True))
    left = (early * inside) @ moves * late  # natural first, moved away later
    right = (late * inside) @ moves * early  # out of the ordinary first, natural later
    fits = peaks + np.log(OUT_OF_NATURE * left.sum(axis=1) + (1 - OUT_OF_NATURE) * right.sum(axis=1) + 1e-300)
    top = whole.max()
    stayed_natural = top + np.log((inside * np.exp(whole - top)).sum() + 1e-300)
    stayed_high = top + np.log((outside * np.exp(whole - top)).sum() + 1e-300)
    changed = float(np.logaddexp.reduce(fits) - np.log(len(fits)))
    stayed = np.logaddexp(np.log(1 - SHARE_UNNATURAL) + stayed_natural, np.log(SHARE_UNNATURAL) + stayed_high)
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


def _mean(likelihood: Floats) -> float:
    weights = likelihood * np.gradient(RATES, LOGITS)
    return float((weights * RATES).sum() / weights.sum())
