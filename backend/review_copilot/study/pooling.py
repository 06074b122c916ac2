"""Many weak signs of one thing: how strongly do units together say that some of them are out of the ordinary?

A share of the units is taken to be affected, any share being as likely as the next, each unit on its own (a two-groups
model, Efron 2008). The mean over the shares of the product of (1 - share) + share x Bayes factor is again a Bayes
factor, so its bound on false alarms holds at any time of looking (Ville's inequality).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from review_copilot.study.table import Floats

_SHARES = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class Pooled:
    """What units say together.

    Attributes:
        log_e: Natural logarithm of the Bayes factor of "some are affected" against "none is".
        affected: Probability of each unit to be affected, given that some are.
    """

    log_e: float
    affected: Floats


def pooled(log_e: Floats) -> Pooled:
    """Put units together.

    Args:
        log_e: Natural logarithm of each unit's Bayes factor of "affected" against "not".
    """
    if not len(log_e):
        return Pooled(-np.inf, np.zeros(0))
    each = np.logaddexp(np.log(1 - _SHARES)[:, None], np.log(_SHARES)[:, None] + log_e[None, :])
    fits = each.sum(axis=1)
    total = np.logaddexp.reduce(fits)
    weight = np.exp(fits - total)
    chances = np.exp(np.log(_SHARES)[:, None] + log_e[None, :] - each)
    return Pooled(float(total - np.log(len(_SHARES))), weight @ chances)
