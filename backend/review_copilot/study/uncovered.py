"""Do reviewers mark what no criterion claims more often than is usual? Knows counts only."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from review_copilot.study.criterion_figures import times
from review_copilot.study.flags import Cause, Evidence, Flag, Policy
from review_copilot.study.gap_counts import Submissions
from review_copilot.study.natural_variation import LOGITS, RATES, log_likelihood
from review_copilot.study.rates import percent, wilson

USUAL = 0.015
"""Median share of tasks in which somebody marks something uncovered while nothing is wrong with the guideline."""
USUAL_WIDTH = 0.6
"""Its spread between projects in logits: 95 % of them lie below 4 %."""


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
