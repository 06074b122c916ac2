"""Does the copilot's score mean what it says? Knows columns of scores and outcomes only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from review_copilot.study.grouped_sums import Cells, cells
from review_copilot.study.rates import wilson
from review_copilot.study.table import Flags, Floats, Ints

BINS = 10


@dataclass(frozen=True)
class Bin:
    """One bar of the reliability diagram.

    Attributes:
        low: Least score, included.
        high: Greatest score, excluded but for 1.
        count: Suggestions in it.
        mean_score: Their mean score; NaN when empty.
        kept: Share that reviewers kept; NaN when empty.
        kept_low: Lower end of its 95 % Wilson interval.
        kept_high: Upper end.
    """

    low: float
    high: float
    count: int
    mean_score: float
    kept: float
    kept_low: float
    kept_high: float


@dataclass(frozen=True)
class Calibration:
    """How the score relates to what reviewers kept.

    Attributes:
        count: Suggestions with a score.
        ece: Expected calibration error over ten bins of equal width (Naeini et al. 2015), 0..1; NaN without data.
        brier: Mean squared difference of score and outcome (Brier 1950), 0..1; NaN without data.
        base_brier: The same for a score that always says the kept share: less than this is worth having.
        bins: Reliability diagram, from 0 to 1.
    """

    count: int
    ece: float
    brier: float
    base_brier: float
    bins: tuple[Bin, ...]


def calibration(score: Floats, kept: Flags) -> Calibration:
    """Set scores beside outcomes.

    Args:
        score: Probability that a suggestion is right, 0..1; NaN entries are left out.
        kept: Whether reviewers kept it. Same length.
    """
    everything = np.zeros(len(score), dtype=np.int64)
    return calibration_of(count_scores(everything, score, kept))


def count_scores(group: Ints, score: Floats, kept: Flags) -> Cells:
    """Scores by group and bin: how many, their sum, how many were kept, the sum of squared differences."""
    known = ~np.isnan(score)
    p, right = np.clip(score[known].astype(np.float64), 0.0, 1.0), kept[known].astype(np.float64)
    at = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    return cells((group[known], at), (np.ones(len(p)), p, right, (p - right) ** 2))


def calibration_of(scores: Cells) -> Calibration:
    """Set scores beside outcomes, of whatever groups they are; see `count_scores`."""
    count, total_p, total_right, squares = (
        np.bincount(scores.keys[:, 1], weights=column, minlength=BINS) for column in scores.sums.T
    )
    n = int(count.sum())
    bins = tuple(_bin(i, int(count[i]), float(total_p[i]), float(total_right[i])) for i in range(BINS))
    if not n:
        nan = float("nan")
        return Calibration(0, nan, nan, nan, bins)
    share = float(total_right.sum() / n)
    return Calibration(
        count=n,
        ece=float(np.abs(total_p - total_right).sum() / n),
        brier=float(squares.sum() / n),
        base_brier=share * (1 - share),
        bins=bins,
    )


def _bin(i: int, count: int, total_p: float, total_right: float) -> Bin:
    low, high = wilson(total_right, count)
    nan = float("nan")
    mean, kept = (total_p / count, total_right / count) if count else (nan, nan)
    return Bin(i / BINS, (i + 1) / BINS, count, mean, kept, low, high)
