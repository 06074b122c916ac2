"""Which two criteria do reviewers relabel into each other, both ways? Knows figures, no rows."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc

from review_copilot.study.criterion_figures import Figures, confidence, times
from review_copilot.study.flags import EXCEPTION, Cause, Evidence, Flag, Policy
from review_copilot.study.natural_variation import Contrast, Prior, contrast, log_likelihood
from review_copilot.study.rates import discoveries, wilson
from review_copilot.study.table import Outcome

PAIR = Prior(centre=0.003, doubt=1.5, width=0.7, width_doubt=0.4)
LEAST_BACK = 0.03
"""Share of suggestions relabelled the weaker way from which a confusion counts as going both ways."""


def confused_pairs(known: Figures, rules: Policy) -> list[Flag]:
    """Flags for pairs that stand out among all pairs; each criterion at most once, the strongest first."""
    one, two = np.triu_indices(len(known.names), 1)
    if not len(one):
        return []
    yes = (known.moves[one, two] + known.moves[two, one])[:, None]
    of = (known.total[one] + known.total[two])[:, None]
    against = contrast(log_likelihood(yes, of), effect=rules.pair_effect, prior=PAIR)
    found = np.flatnonzero(discoveries(against.log_bound, alpha=rules.alpha) & (against.log_e > EXCEPTION))
    taken: set[int] = set()
    flags = []
    for at in found[np.argsort(-against.log_e[found], kind="stable")].tolist():
        a, b = int(one[at]), int(two[at])
        if both_ways(known, a, b) and not taken & {a, b}:
            flags.append(_flag(known, a, b, against, at))
            taken |= {a, b}
    return flags


def both_ways(known: Figures, a: int, b: int) -> bool:
    """Whether each of two criteria is surely relabelled into the other now and then."""
    return chance_of_way(known, a, b) >= 0.9 and chance_of_way(known, b, a) >= 0.9


def chance_of_way(known: Figures, start: int, end: int) -> float:
    """Posterior probability (Jeffreys prior) that LEAST_BACK or more of one criterion is relabelled as another."""
    moved, of = float(known.moves[start, end]), float(known.total[start])
    return float(1.0 - betainc(moved + 0.5, max(of - moved, 0.0) + 0.5, LEAST_BACK))


def _flag(known: Figures, a: int, b: int, against: Contrast, at: int) -> Flag:
    there, back = _moved(known, a, b), _moved(known, b, a)
    reviews = int(known.reviews[a] + known.reviews[b])
    low, high = wilson(there + back, reviews)
    log_e = float(against.log_e[at])
    evidence = Evidence(
        reviews=reviews,
        overridden=there + back,
        rate=(there + back) / reviews,
        rate_low=low,
        rate_high=high,
        natural=float(against.natural[at]),
        natural_high=float(against.natural_high[at]),
        times_likelier=times(log_e),
        there=there,
        back=back,
    )
    one, two = known.names[a], known.names[b]
    summary = f"Reviewers relabel {one} as {two} {there} times and back {back} times."
    return Flag(Cause.CONFUSED, (one, two), confidence(log_e), summary, evidence)


def _moved(known: Figures, start: int, end: int) -> int:
    """Relabellings from one criterion to another, unweighted."""
    gap_counts = known.counts.gap_counts
    hit = (gap_counts.criterion == known.criteria[start]) & (gap_counts.target == known.criteria[end])
    return int(gap_counts.count[hit & (gap_counts.outcome == Outcome.RELABELLED)].sum())
