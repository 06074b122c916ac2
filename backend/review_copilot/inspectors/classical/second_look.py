"""How likely marks are, each in the company of the others: a glance at all, a second look at the likely ones.

The glance is a logistic of a mark's own numbers (`calibration`). The second look adds what the glance says of the other
marks of that kind in the picture, and of the picture: dust and scratches seldom come alone, and what a texture is full
of is none. It is made of boosted trees, fitted by `benchmarks/calibrate.py`. Knows no pixels and no guideline.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from review_copilot.inspectors.classical.calibration import first_odds
from review_copilot.inspectors.classical.features import Features
from review_copilot.inspectors.classical.frame import Floats
from review_copilot.inspectors.classical.likelihood import read_forest

FILE = "marks.npz"
GLANCE = -4.5
"""Logarithm of the odds at a glance from which a mark gets a second look; about one in ninety."""
LONELY = -6.0
"""What is taken for the best of the others where there are none."""
BESIDE = 0.2
"""Score from which marks are reported beside one that is reported by itself: of those that come by this, three of
five are right."""
COMPANY = ("first", "best", "sum", "count")
"""Names of the numbers that `company` gives."""


def company(first: Floats) -> Floats:
    """What the marks of one kind in one picture say of each other, shape (marks, 4).

    Args:
        first: Logarithm of the odds of each at a glance.

    Returns:
        Its own odds, the best of the others', how many others are right by them, and how many marks there are
        (logarithm).
    """
    if first.size == 0:
        return np.zeros((0, len(COMPANY)), np.float32)
    likely = 1 / (1 + np.exp(-np.clip(first, -30, 30)))
    ranked = np.sort(first)
    best = np.full(first.size, ranked[-1])
    best[int(np.argmax(first))] = ranked[-2] if first.size > 1 else LONELY
    others = likely.sum() - likely
    count = np.full(first.size, np.log1p(first.size))
    return np.stack([first, np.maximum(best, LONELY), others, count], axis=1).astype(np.float32)


def mark_likelihoods(name: str, rows: Sequence[Features], *, whole: Features) -> list[float]:
    """How likely each mark is the flaw of that name, 0..1; in the order given.

    Args:
        name: "overlay", "dust", "scratch", "fibre" or "soft_patch".
        rows: The numbers of all such marks of one picture.
        whole: The image-wide numbers.
    """
    if not rows:
        return []
    first = np.asarray(first_odds(name, rows), np.float32)
    forest = read_forest(FILE)
    told = 1 / (1 + np.exp(-np.clip(np.minimum(first, GLANCE), -30, 0)))
    asked = np.flatnonzero(first >= GLANCE)
    if asked.size:
        beside = company(first)
        values = np.zeros((asked.size, len(forest.numbers)), np.float32)
        for column, number in enumerate(forest.numbers):
            if number in COMPANY:
                values[:, column] = beside[asked, COMPANY.index(number)]
            elif number.startswith("whole_"):
                values[:, column] = whole[number.removeprefix("whole_")]
            elif number in rows[0]:
                values[:, column] = [rows[i][number] for i in asked]
        told[asked] = 1 / (1 + np.exp(-np.clip(forest.odds_of(name, values), -30, 30)))
    return [float(v) for v in told]


def least_mark_score(name: str) -> float | None:
    """The score from which a mark is reported by itself; None for what is not told in company."""
    forest = read_forest(FILE)
    return float(forest.least[forest.flaws.index(name)]) if name in forest.flaws else None
