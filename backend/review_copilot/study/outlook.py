"""What is not known yet: how many more reviews would tell, and where each criterion stands. Knows figures, no rows."""

from __future__ import annotations

import numpy as np
from scipy.special import logit
from scipy.stats import binom

from review_copilot.study.criterion_figures import Figures
from review_copilot.study.flags import EXCEPTION, Outlook, Policy, Standing
from review_copilot.study.natural_variation import LOGITS, RATES, log_likelihood
from review_copilot.study.rates import q_values, wilson
from review_copilot.study.table import Floats

SIZES: Floats = np.unique(np.geomspace(5, 5000, 140).astype(np.int64)).astype(np.float64)

PLANNED_WIDTH = 0.3
"""Natural spread in logits that planning counts on: rates of 6 % to 16 % around 10 %."""


def standings(known: Figures) -> tuple[Standing, ...]:
    """Where each criterion stands, with Benjamini and Hochberg's q over all of them."""
    against = known.any.contrast
    yes, of = np.round(known.any.yes.sum(axis=1)), np.maximum(np.round(known.any.of.sum(axis=1)), 1.0)
    # Chance of this many overrides or more, for a rate drawn from the others' natural spread.
    tail = binom.sf(yes[:, None] - 1, of[:, None], RATES[None, :])
    q = q_values((tail * against.inside).sum(axis=1))
    found = []
    for c, name in enumerate(known.names):
        low, high = wilson(float(known.overridden[c]), float(known.reviews[c]))
        found.append(
            Standing(
                criterion=name,
                reviews=int(known.reviews[c]),
                overridden=int(known.overridden[c]),
                rate_low=low,
                rate_high=high,
                shrunken=float(against.shrunken[c]),
                natural=float(against.natural[c]),
                natural_high=float(against.natural_high[c]),
                q=float(q[c]),
            )
        )
    return tuple(found)


def outlooks(known: Figures, rules: Policy, *, flagged: frozenset[str]) -> tuple[Outlook, ...]:
    """How many more reviews would tell, for each criterion that is not flagged."""
    return tuple(_outlook(known, rules, c) for c, name in enumerate(known.names) if name not in flagged)


def _outlook(known: Figures, rules: Policy, c: int) -> Outlook:
    """The least number of reviews with which a rate of one and a half effects above nature would raise a flag.

    The usual planning value: the sample that finds the alternative when the data come out at its mean. Nature is taken
    as it will be known by then, when the other criteria have grown as much: no wider than PLANNED_WIDTH.
    """
    against, have = known.any.contrast, float(known.any.of[c].sum())
    natural = float(against.natural[c])
    supposed = min(0.95, natural + 1.5 * rules.effect)
    width = min(PLANNED_WIDTH, (logit(against.natural_high[c]) - logit(natural)) / 1.645)
    inside = np.exp(-0.5 * ((LOGITS - logit(natural)) / width) ** 2)
    inside /= inside.sum()
    likelihood = log_likelihood((supposed * SIZES)[:, None], SIZES[:, None])
    weights = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    flagged = np.log(weights @ against.outside[c])
    nature = np.log(weights @ inside)
    edge = int(np.searchsorted(LOGITS, logit(natural) + 1.645 * width))
    bound = np.log(weights[:, : edge + 1].max(axis=1))
    bar = np.log(len(known.names) / rules.alpha)
    enough = (flagged - bound >= bar) & (flagged - nature > EXCEPTION)
    needed = float(SIZES[np.argmax(enough)]) if enough.any() else float(SIZES[-1])
    each = float(known.reviews[c]) / have if have else 1.0
    more = int(np.ceil(max(0.0, needed - have) * each / 5) * 5)
    name = known.names[c]
    if more == 0:
        return Outlook(name, 0, "Enough reviews: nothing beyond what is natural here.")
    return Outlook(name, more, "Not enough reviews yet.")
