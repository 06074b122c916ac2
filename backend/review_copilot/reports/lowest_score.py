"""Which lowest score drops suggestions that are mostly rejected, and what it costs. Knows calibrations only."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.study.calibration import Bin, Calibration
from review_copilot.study.rates import wilson

FEWEST_SCORES = 30
"""Fewer scores of a criterion than this support no advice."""
FEWEST_REJECTED = 10
"""A lowest score that drops fewer rejected suggestions than this is not worth its cost."""
MUCH_BETTER = 0.5
"""Above the lowest score, at most this share of the rate of rejections below it remains."""


@dataclass(frozen=True)
class LowestScore:
    """A score under which suggestions of a criterion are mostly rejected.

    Attributes:
        score: The score, 0.1 to 0.9.
        below: Suggestions of the criterion with a lower score.
        rejected: Those that reviewers rejected or relabeled.
        cost: Suggestions under all criteria with a lower score that reviewers kept.
    """

    score: float
    below: int
    rejected: int
    cost: int


def lowest_score(criterion: Calibration, *, everything: Calibration) -> LowestScore | None:
    """The score that drops the most rejected suggestions for the kept ones of a criterion; None where none is clear.

    Args:
        criterion: Scores of the criterion.
        everything: Scores of all criteria: the setting holds for a whole project.
    """
    best: LowestScore | None = None
    for at in range(1, len(criterion.bins)):
        below, above = criterion.bins[:at], criterion.bins[at:]
        count, kept = sum(b.count for b in below), _kept(below)
        rest, rest_kept = sum(b.count for b in above), _kept(above)
        rejected = count - kept
        if rejected < FEWEST_REJECTED or not rest or wilson(rejected, count)[0] <= 0.5:
            continue
        if (rest - rest_kept) / rest > MUCH_BETTER * rejected / count:
            continue
        found = LowestScore(criterion.bins[at].low, count, rejected, _kept(everything.bins[:at]))
        if best is None or rejected - kept > 2 * best.rejected - best.below:
            best = found
    return best


def _kept(bins: tuple[Bin, ...]) -> int:
    return sum(round(b.kept * b.count) for b in bins if b.count)
