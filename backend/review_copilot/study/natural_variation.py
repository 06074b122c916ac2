"""How much rates normally differ, and how strong the evidence is that one of them is an exception. Knows counts only.

Rates of criteria (or reviewers) of one project are taken as draws from a logistic-normal distribution whose center and
width are learned from the project itself (empirical Bayes with a hyperprior, so that few data give a wide answer). The
question asked of a unit is never "is the rate above the mean" but "is it outside what the others naturally show, by an
effect that matters". The answer is a Bayes factor against the learned natural distribution, the unit itself left out of
the learning. A Bayes factor against a prior-averaged null is a test martingale: by Ville's inequality it passes 1/alpha
with probability at most alpha however often one looks (Grünwald, de Heide and Koolen, "Safe testing", 2024).
Where the natural distribution is itself estimated, this holds to the accuracy of that estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit, logit

from review_copilot.study.table import Flags, Floats

LOGITS: Floats = np.linspace(-9.0, 6.0, 301)
RATES: Floats = expit(LOGITS)
_CENTRES: Floats = logit(np.geomspace(0.002, 0.6, 40))
_WIDTHS: Floats = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.3])
_TAIL = 1.645
"""Standard normal deviate beyond which 5 % lie."""
SHARE_UNNATURAL = 0.2
"""Prior share of units that do not belong to the natural spread, while learning it."""
_SHARES = (0.05, 0.1, 0.2, 0.3, 0.4)
"""That share where it is learned too, each as likely as the next."""
FEWEST_FOR_A_MIDDLE = 3
"""Of fewer others no middle one can be told."""
MOST_EVIDENCE = 2000.0
"""No unit's evidence counts for more independent reviews than this: beyond it, wobble is the error and not chance."""


@dataclass(frozen=True)
class Prior:
    """What is believed of the natural spread before any data.

    Attributes:
        center: Median of the natural rates, 0..1.
        doubt: Standard deviation of the center's logit; large for "no idea".
        width: Median of the natural rates' standard deviation, in logits.
        width_doubt: Standard deviation of the logarithm of that width.
    """

    center: float = 0.1
    doubt: float = 2.0
    width: float = 0.4
    width_doubt: float = 0.5


@dataclass(frozen=True)
class Contrast:
    """How units stand to the natural spread of the others; every array has one entry for each unit.

    Attributes:
        log_e: Natural logarithm of the Bayes factor of "outside the spread by the effect or more" against "one of
            the others' kind".
        log_bound: Natural logarithm of the e-value against "no further out than 95 % of the others": the same
            alternative against the best that the natural side of that percentile can say.
        rate: Estimated rate if the unit is one of its own, 0..1.
        shrunken: Estimated rate if it belongs to the natural spread, 0..1.
        natural: Median of the others' natural rates, 0..1.
        natural_high: 95th percentile of the others' natural rates, 0..1.
        natural_low: 5th percentile of them.
        inside: Density of natural rates on the grid, as learned from the others; shape (units, grid).
        outside: Density of rates outside by the effect, on the grid; shape (units, grid).
    """

    log_e: Floats
    log_bound: Floats
    rate: Floats
    shrunken: Floats
    natural: Floats
    natural_high: Floats
    natural_low: Floats
    inside: Floats
    outside: Floats


def log_likelihood(yes: Floats, of: Floats, offsets: Floats | None = None) -> Floats:
    """Log-likelihood of each unit's logit on the grid `LOGITS`.

    Args:
        yes: Events, shape (units, groups); may be fractions where reviews are weighted.
        of: Trials, same shape.
        offsets: What to add to the logit in each group, such as how strict a reviewer is; None for 0.

    Returns:
        Shape (units, len(LOGITS)); constant terms are left out.
    """
    shifts = np.zeros(yes.shape[1]) if offsets is None else offsets
    at = LOGITS[None, :] + shifts[:, None]
    evidence = yes @ -np.logaddexp(0.0, -at) + (of - yes) @ -np.logaddexp(0.0, at)
    total = of.sum(axis=1, keepdims=True)
    return np.asarray(evidence * np.minimum(1.0, MOST_EVIDENCE / np.maximum(total, 1.0)))


def soft_exp(log: Floats) -> Floats:
    """The exponential, 0 below e**-200: products of smaller numbers are subnormal, and a hundred times as slow."""
    return np.where(log > -200.0, np.exp(np.maximum(log, -200.0)), 0.0)


def contrast(
    likelihood: Floats, *, effect: float, prior: Prior, below: bool = False, ordinary: Flags | None = None
) -> Contrast:
    """Set each unit against the natural spread of all others.

    Args:
        likelihood: From `log_likelihood`, shape (units, len(LOGITS)).
        effect: Least difference that matters, as a rate: 0.1 is 10 points above the others' median. With `below`,
            the factor by which the rate must at least be smaller, such as 0.33.
        prior: Beliefs about the spread.
        below: Ask for unnaturally low rates.
        ordinary: Units from which to learn what is natural; None for all. Those that are known to be exceptions say
            nothing about it.
    """
    learn = np.ones(len(likelihood)) if ordinary is None else ordinary.astype(np.float64)
    natural = _natural_priors()
    other = _other_priors(effect, below=below)
    peak = likelihood.max(axis=1, keepdims=True)
    weights = soft_exp(likelihood - peak)
    fits_natural = weights @ natural.T + 1e-300
    fits_other = weights @ other.T + 1e-300
    belief = _belief(fits_natural, fits_other, prior, learn) * _most_are_natural(likelihood, learn)
    belief /= belief.sum(axis=1, keepdims=True)
    as_natural = (belief * fits_natural).sum(axis=1)
    as_other = (belief * fits_other).sum(axis=1)
    spread = belief @ natural
    outside = belief @ other
    alternative = outside * weights
    inside = spread * weights
    center, width = belief @ _centers(), belief @ _widths()
    low, high = expit(center - _TAIL * width), expit(center + _TAIL * width)
    nearer = low[:, None] <= RATES[None, :] if below else high[:, None] >= RATES[None, :]
    bound = np.max(np.where(nearer, likelihood, -np.inf), axis=1)
    return Contrast(
        log_e=np.log(as_other) - np.log(as_natural),
        log_bound=np.log(as_other) + peak[:, 0] - bound,
        rate=(alternative @ RATES) / np.maximum(alternative.sum(axis=1), 1e-300),
        shrunken=(inside @ RATES) / np.maximum(inside.sum(axis=1), 1e-300),
        natural=expit(center),
        natural_high=high,
        natural_low=low,
        inside=spread,
        outside=outside,
    )


def _belief(fits_natural: Floats, fits_other: Floats, prior: Prior, learn: Floats) -> Floats:
    """How likely each center and width is, learned for each unit from all the others; shape (units, hypotheses).

    How many of the others are no children of nature is learned along with it (a two-groups model, Efron 2008): one
    exception must not hide the next.
    """
    shares = []
    for share in _SHARES:
        mixed = learn[:, None] * np.log((1 - share) * fits_natural + share * fits_other)
        shares.append(mixed.sum(axis=0) - mixed)  # for each unit: all units but itself
    belief = _hyperprior(prior) + np.logaddexp.reduce(shares, axis=0)
    return soft_exp(belief - belief.max(axis=1, keepdims=True))


def _most_are_natural(likelihood: Floats, learn: Floats) -> Floats:
    """1 for centers and widths under which the middle one of the others is no exception, 0 for the rest.

    Without it, "one is natural and all others are exceptions" could explain the data as well. Shape
    (units, hypotheses).
    """
    weights = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    means = weights @ LOGITS
    variance = weights @ LOGITS**2 - means**2
    middle, doubt = _medians_of_others(means, learn > 0), _medians_of_others(variance, learn > 0)
    near = np.abs(middle[:, None] - _centers()) <= _TAIL * np.sqrt(_widths() ** 2 + doubt[:, None])
    return np.where(near.any(axis=1, keepdims=True), near, 1.0)


def _medians_of_others(values: Floats, learn: Flags) -> Floats:
    """For each unit the median of all others that count; NaN of fewer than FEWEST_FOR_A_MIDDLE."""
    others = learn.sum() - learn
    ranked = np.sort(values[learn])
    if not len(ranked):
        return np.full(len(values), np.nan)
    own = np.full(len(values), len(ranked))  # place of the unit itself among those that count
    own[np.flatnonzero(learn)[np.argsort(values[learn], kind="stable")]] = np.arange(len(ranked))
    middles = np.stack([(others - 1) // 2, others // 2])
    middles = np.clip(middles + (middles >= own), 0, len(ranked) - 1)
    return np.where(others < FEWEST_FOR_A_MIDDLE, np.nan, ranked[middles].mean(axis=0))


def _centers() -> Floats:
    return np.repeat(_CENTRES, len(_WIDTHS))


def _widths() -> Floats:
    return np.tile(_WIDTHS, len(_CENTRES))


@lru_cache(maxsize=1)
def _natural_priors() -> Floats:
    z = (LOGITS[None, :] - _centers()[:, None]) / _widths()[:, None]
    density = soft_exp(-0.5 * z * z)
    return np.asarray(density / density.sum(axis=1, keepdims=True))


@lru_cache(maxsize=16)
def _other_priors(effect: float, *, below: bool) -> Floats:
    """Rates beyond the effect; nearer ones are more likely than far ones (exponential, mean 25 points)."""
    center = expit(_centers())[:, None]
    per_logit = RATES * (1 - RATES)
    if below:
        density = per_logit * (np.maximum(center * effect, RATES[20]) >= RATES)
    else:
        least = np.minimum(center + effect, 0.9)
        density = per_logit * np.exp(-(RATES - least) / 0.25) * (least <= RATES)
    return np.asarray(density / density.sum(axis=1, keepdims=True))


@lru_cache(maxsize=16)
def _hyperprior(prior: Prior) -> Floats:
    center = (_centers() - logit(prior.center)) / prior.doubt
    width = (np.log(_widths()) - np.log(prior.width)) / prior.width_doubt
    return np.asarray(-0.5 * center**2 - 0.5 * width**2)


def additive_effects(
    yes: Floats, of: Floats, *, row_width: float = 1.0, column_width: float = 0.5
) -> tuple[Floats, Floats]:
    """How much each row and column of a table of rates stands out, the other taken into account.

    A logistic regression with normal priors on both effects (a Rasch model), by Newton's method.

    Args:
        yes: Events, shape (rows, columns).
        of: Trials, same shape.
        row_width: Prior standard deviation of the row effects, in logits.
        column_width: The same for the column effects.

    Returns:
        Row effects around 0 and column effects around 0 (means weighted by trials), in logits.
    """
    rows, columns = yes.shape
    total = of.sum()
    if not total:
        return np.zeros(rows), np.zeros(columns)
    start = logit((yes.sum() + 0.5) / (total + 1.0))
    effects = np.zeros(1 + rows + columns)
    effects[0] = start
    ridge = np.concatenate([[1e-6], np.full(rows, row_width**-2), np.full(columns, column_width**-2)])
    for _ in range(30):
        at = effects[0] + effects[1 : 1 + rows, None] + effects[None, 1 + rows :]
        p = expit(at)
        residual, weight = yes - of * p, of * p * (1 - p)
        gradient = np.concatenate([[residual.sum()], residual.sum(axis=1), residual.sum(axis=0)])
        gradient -= ridge * (effects - np.concatenate([[start], np.zeros(rows + columns)]))
        curve = np.zeros((1 + rows + columns,) * 2)
        curve[0, 0] = weight.sum()
        curve[0, 1 : 1 + rows] = curve[1 : 1 + rows, 0] = weight.sum(axis=1)
        curve[0, 1 + rows :] = curve[1 + rows :, 0] = weight.sum(axis=0)
        curve[1 : 1 + rows, 1 + rows :] = weight
        curve[1 + rows :, 1 : 1 + rows] = weight.T
        curve[np.arange(1, 1 + rows), np.arange(1, 1 + rows)] = weight.sum(axis=1)
        curve[np.arange(1 + rows, len(effects)), np.arange(1 + rows, len(effects))] = weight.sum(axis=0)
        step = np.clip(np.linalg.solve(curve + np.diag(ridge), gradient), -1.0, 1.0)
        effects += step
        if np.abs(step).max() < 1e-6:
            break
    by_row, by_column = effects[1 : 1 + rows], effects[1 + rows :]
    return (
        by_row - np.average(by_row, weights=of.sum(axis=1) + 1e-9),
        by_column - np.average(by_column, weights=of.sum(axis=0) + 1e-9),
    )
