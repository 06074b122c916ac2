"""Do the people who saw the same suggestion agree? Knows counts only.

The model: with chance `tie` everybody who sees a suggestion does the same (they share one opinion); otherwise each
decides alone. `tie` is then the intraclass correlation of their decisions (the common-correlation model, Bahadur 1961,
in its mixture form, which is valid for any number of people).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, gammaln
from scipy.stats import beta

from review_copilot.study.gap_counts import Shared
from review_copilot.study.table import Floats

_TIES = np.linspace(0.01, 0.99, 50)
_LOOSE = beta.pdf(_TIES, 1, 5)
"""Ties of people who "disagree with each other": none or little, .17 in the mean."""
_TIGHT = beta.pdf(_TIES, 4, 1.5)
"""Ties of people who "agree with each other", .73 in the mean. A shared view that each voices three times in five gives
a tie of about .45; one that each voices four times in five about .75."""
_CHANCES = np.linspace(0.02, 0.98, 49)


@dataclass(frozen=True)
class Tie:
    """How people who saw the same suggestions agree on them.

    Attributes:
        suggestions: Suggestions seen by two or more.
        disputed: Those on which people differed.
        tie: Posterior mean of the tie, 0..1; the prior's where there are no such suggestions.
        log_loose: Natural logarithm of the Bayes factor of "they disagree with each other" against "they agree".
    """

    suggestions: int
    disputed: int
    tie: float
    log_loose: float


def tie_of(shared: Shared, criterion: int) -> Tie:
    """The tie of one criterion's suggestions."""
    at = np.flatnonzero(shared.criterion == criterion)
    seen, overrode, count = shared.seen_by[at], shared.overrode[at], shared.count[at]
    fits = np.zeros((len(_TIES), len(_CHANCES)))
    tie, p = _TIES[:, None], _CHANCES[None, :]
    for m, k, n in zip(seen.tolist(), overrode.tolist(), count.tolist(), strict=True):
        alone = np.exp(gammaln(m + 1) - gammaln(k + 1) - gammaln(m - k + 1)) * p**k * (1 - p) ** (m - k)
        together = p if k == m else 1 - p if k == 0 else 0.0
        fits += n * np.log(tie * together + (1 - tie) * alone)
    weight = np.exp(fits - fits.max()).sum(axis=1)
    disputed = int(count[(overrode > 0) & (overrode < seen)].sum())
    return Tie(
        suggestions=int(count.sum()),
        disputed=disputed,
        tie=float((weight * _TIES).sum() / weight.sum()),
        log_loose=float(np.log(weight @ _LOOSE / _LOOSE.sum()) - np.log(weight @ _TIGHT / _TIGHT.sum())),
    )


def pooled_tie(shared: Shared, criteria: int) -> float:
    """The tie over all criteria, by moments, drawn toward one half by ten pairs' worth of prior."""
    expected, differing = 5.0, 2.5
    for criterion in range(criteria):
        at = np.flatnonzero(shared.criterion == criterion)
        m, k, n = (x[at].astype(np.float64) for x in (shared.seen_by, shared.overrode, shared.count))
        if not n.sum():
            continue
        p = float((k * n).sum() / (m * n).sum())
        expected += float((n * m * (m - 1)).sum() * p * (1 - p))
        differing += float((n * k * (m - k)).sum())
    return float(np.clip(1.0 - differing / expected, 0.0, 0.95))


def log_said_unclear(unclear: int, *, of: int, elsewhere: float) -> float:
    """Log Bayes factor of "reviewers call this criterion unclear" against "no more than elsewhere".

    Args:
        unclear: Overrides with the reason "guideline unclear".
        of: Overrides.
        elsewhere: Share of such overrides under other criteria.
    """
    usual = _beta_binomial(unclear, of, 20 * elsewhere, 20 * (1 - elsewhere))
    often = _beta_binomial(unclear, of, 1.5, 2.5)
    # People may well disagree without ever ticking the reason: half of the prior.
    return float(np.logaddexp(usual, often) - np.log(2.0) - usual)


def _beta_binomial(x: int, n: int, a: float, b: float) -> float:
    return float(betaln(x + a, n - x + b) - betaln(a, b))


def review_weights(tie: float, most: int) -> Floats:
    """What one review counts when m people saw the suggestion, for m = 0..most: 1 / (1 + (m - 1) tie), Kish 1965."""
    m = np.arange(most + 1)
    return np.asarray(1.0 / (1.0 + np.maximum(m - 1, 0) * tie))
