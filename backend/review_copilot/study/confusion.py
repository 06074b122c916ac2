"""Which criteria do reviewers relabel into which other, one way or both? Knows figures, no rows."""

from __future__ import annotations

import numpy as np

from review_copilot.study.criterion_figures import Figures, confidence, times
from review_copilot.study.flags import EXCEPTION, Cause, Evidence, Flag, Policy
from review_copilot.study.natural_variation import Contrast, Prior, contrast, log_likelihood
from review_copilot.study.rates import discoveries, wilson
from review_copilot.study.table import Floats, Ints

WAYS = Prior(center=0.005, doubt=1.5, width=0.8, width_doubt=0.4)
MOST_WAYS = 400
"""Of more ways between criteria, those that nobody went are represented by an even sample."""


def confused_pairs(known: Figures, rules: Policy) -> list[Flag]:
    """Flags for pairs of which one way or both stand out among all ways; the strongest first."""
    start, end, weight = _ways(known)
    if not len(start):
        return []
    yes, of = known.moves[start, end][:, None], known.any.of.sum(axis=1)[start][:, None]
    against = contrast(log_likelihood(yes, of), effect=rules.effect, prior=WAYS)
    # Every way counts in the error control, also those that the sample leaves out.
    bar = np.log(weight)
    found = np.flatnonzero(discoveries(against.log_e - bar, alpha=rules.alpha) & (against.log_e > EXCEPTION))
    flags: dict[tuple[int, int], Flag] = {}
    for at in found[np.argsort(-against.log_e[found], kind="stable")].tolist():
        a, b = int(start[at]), int(end[at])
        if (a, b) not in flags and (b, a) not in flags:
            flags[a, b] = _flag(known, a, b, against, at)
    return list(flags.values())


def explains(known: Figures, pairs: list[Flag], c: int) -> bool:
    """Whether half of what is overridden beyond nature under a criterion is relabelled to its partners."""
    name = known.names[c]
    partners = [known.names.index(p) for flag in pairs if name in flag.criteria for p in flag.criteria if p != name]
    excess = known.any.excess(c)
    return bool(partners) and float(known.moves[c, partners].sum()) >= 0.5 * max(excess, 0.0)


def _ways(known: Figures) -> tuple[Ints, Ints, float]:
    n = len(known.names)
    one, two = np.nonzero(~np.eye(n, dtype=np.bool_))
    if len(one) <= MOST_WAYS:
        return one, two, 1.0
    gone = known.moves[one, two] > 0
    left = np.flatnonzero(~gone)
    room = max(MOST_WAYS - int(gone.sum()), 50)
    sample = left[np.unique(np.linspace(0, len(left) - 1, room).astype(np.int64))]
    chosen = np.sort(np.concatenate([np.flatnonzero(gone), sample]))
    return one[chosen], two[chosen], len(one) / len(chosen)


def _flag(known: Figures, a: int, b: int, against: Contrast, at: int) -> Flag:
    raw: Floats = known.shaped.raw_moves()
    there, back = int(raw[a, b]), int(raw[b, a])
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
