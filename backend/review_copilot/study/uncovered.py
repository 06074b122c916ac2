"""Do reviewers mark what no criterion claims more often than is usual? Knows counts only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, logit

from review_copilot.study.criterion_figures import times
from review_copilot.study.flags import Cause, Evidence, Flag, Policy
from review_copilot.study.gap_counts import Submissions
from review_copilot.study.natural_variation import LOGITS, RATES, log_likelihood
from review_copilot.study.patterns import Pattern
from review_copilot.study.rates import percent, wilson

USUAL = 0.015
"""Median share of tasks in which somebody marks something uncovered while nothing is wrong with the guideline."""
USUAL_WIDTH = 0.6
"""Its spread between projects in logits: 95 % of them lie below 4 %."""


THEMES = 20
"""Things that are no pattern fall into about this many themes, so that some of them are alike by chance."""
LEAST_EXPECTED = 0.75
"""So many tasks are alike by chance at least, however few others there are: five tasks alone raise no flag, six do."""


def log_recurs(tasks: int, *, others: int) -> float:
    """Log likelihood ratio of "a theme of its own" against "as often as single things happen to be alike" (Poisson).

    Args:
        tasks: Tasks in which the pattern was reported.
        others: Tasks with something uncovered that is not the pattern.
    """
    expected = max(others / THEMES, LEAST_EXPECTED)
    return tasks * float(np.log(tasks / expected)) - (tasks - expected) if tasks > expected else 0.0


def pattern_flag(patterns: Sequence[Pattern], submissions: Submissions, *, tasks: int, rules: Policy) -> Flag | None:
    """The flag "uncovered" from patterns that recur; None where none surely does.

    Args:
        patterns: From `novel_patterns`.
        submissions: Of the project.
        tasks: Tasks with something uncovered.
        rules: When to raise a flag.
    """
    held = set().union(*(pattern.tasks for pattern in patterns)) if patterns else set()
    others = max(tasks - len(held), 0)
    weights = [log_recurs(len(set(pattern.tasks)), others=others) for pattern in patterns]
    # What only looks alike has no name to act on: it is shown, and raises no flag.
    least = np.log(THEMES / rules.alpha)
    sure = [p for p, weight in zip(patterns, weights, strict=True) if p.words and weight >= least]
    if not sure:
        return None
    seen = set().union(*(pattern.tasks for pattern in sure))
    of = max(submissions.tasks, len(seen))
    low, high = wilson(len(seen), of)
    usual = others / of
    named = ", ".join(f"“{pattern.name}” in {len(set(pattern.tasks))} tasks" for pattern in sure[:3])
    more = f" and {len(sure) - 3} more" if len(sure) > 3 else ""
    log_e = max(weights)
    return Flag(
        Cause.UNCOVERED,
        (),
        float(expit(log_e - np.log(THEMES))),
        f"Reviewers report what no criterion claims, again and again: {named}{more}.",
        Evidence(
            reviews=of,
            overridden=len(seen),
            rate=len(seen) / of,
            rate_low=low,
            rate_high=high,
            natural=usual,
            natural_high=wilson(others, of)[1],
            times_likelier=times(log_e),
            patterns=len(sure),
        ),
    )


def uncovered_flag(submissions: Submissions, rules: Policy) -> Flag | None:
    """The flag "uncovered" for a project; None where the data do not say so.

    There is one such rate in a project, so nature is a prior here: log-odds around USUAL. Several people who see the
    same task mark the same thing, so tasks count and not annotations.
    """
    annotations, uncovered = int(submissions.annotations.sum()), int(submissions.uncovered.sum())
    if not uncovered:
        return None
    share = submissions.tasks / annotations
    evidence = np.array([[uncovered * share]]), np.array([[annotations * share]])
    likelihood = log_likelihood(*evidence)[0]
    likelihood = np.exp(likelihood - likelihood.max())
    inside = np.exp(-0.5 * ((LOGITS - logit(USUAL)) / USUAL_WIDTH) ** 2)
    least = USUAL + rules.uncovered_effect
    outside = RATES * (1 - RATES) * np.exp(-(RATES - least) / 0.25) * (least <= RATES)
    log_e = float(
        np.log((likelihood * outside).sum() / outside.sum() + 1e-300)
        - np.log((likelihood * inside).sum() / inside.sum() + 1e-300)
    )
    if log_e < np.log(1 / rules.alpha):
        return None
    low, high = wilson(uncovered, annotations)
    rate = uncovered / annotations
    usual_high = float(expit(logit(USUAL) + 1.645 * USUAL_WIDTH))
    return Flag(
        Cause.UNCOVERED,
        (),
        float(expit(log_e)),
        f"In {percent(rate)} of {annotations} annotations reviewers mark what no criterion claims; "
        f"usual is {percent(USUAL)}, seldom above {percent(usual_high)}.",
        Evidence(
            reviews=annotations,
            overridden=uncovered,
            rate=rate,
            rate_low=low,
            rate_high=high,
            natural=USUAL,
            natural_high=usual_high,
            times_likelier=times(log_e),
        ),
    )
