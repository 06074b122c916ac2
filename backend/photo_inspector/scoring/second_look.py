"""How likely marks are, each in the company of the others: a glance at all, a second look at the likely ones.

The glance is a logistic of a mark's own numbers (`calibration`). The second look adds what the glance says of the other
marks of that kind in the picture, and of the picture: dust and scratches seldom come alone, and what a texture is full
of is none. It is made of boosted trees, fitted by `training/calibrate.py`. Knows no pixels and no guideline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from photo_inspector.pixels.frame import Floats
from photo_inspector.scoring.calibration import first_odds
from photo_inspector.scoring.features import Features
from photo_inspector.scoring.likelihood import Forest, read_forest

FILE, FITS_FILE = "marks.npz", "fits.npz"
"""How likely marks are; and whether those that are on one are boxed well."""
GLANCE = -4.5
"""Log-odds of the first stage from which a mark gets a second look; about one in ninety."""
LONELY = -6.0
"""The value used for the best of the others if there are no others."""
BESIDE = 0.2
"""Score from which marks are reported beside one that is reported by itself."""
COMPANY = ("first", "best", "sum", "count")
"""Names of the numbers that `company` gives."""


def company(first: Floats) -> Floats:
    """What the marks of one kind in one picture say of each other, shape (marks, 4).

    Args:
        first: Log-odds of each in the first stage.

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


@dataclass(frozen=True, slots=True)
class Look:
    """What is thought of a mark.

    Attributes:
        score: How likely it is the flaw, 0..1.
        fit: How likely its box holds all of it and no more, 0..1, should it be on one; 1 where that is not asked.
    """

    score: float
    fit: float

    @property
    def worth(self) -> float:
        """How likely it is the flaw, well boxed, 0..1."""
        return self.score * self.fit


def look_at(name: str, rows: Sequence[Features], *, whole: Features) -> list[Look]:
    """What is thought of each mark, in the order given.

    Args:
        name: "dust", "scratch", "fiber" or "soft_patch".
        rows: The numbers of all such marks of one picture.
        whole: The image-wide numbers.
    """
    if not rows:
        return []
    first = np.asarray(first_odds(name, rows), np.float32)
    told, fits = _chance(np.minimum(first, GLANCE)), np.ones(first.size, np.float32)
    asked = np.flatnonzero(first >= GLANCE)
    if asked.size:
        beside, seen = company(first)[asked], [rows[index] for index in asked]
        forest, fitting = read_forest(FILE), read_forest(FITS_FILE)
        told[asked] = _chance(forest.odds_of(name, _numbers(forest, seen, beside, whole)))
        if name in fitting.flaws:
            fits[asked] = _chance(fitting.odds_of(name, _numbers(fitting, seen, beside, whole)))
    return [Look(score, fit) for score, fit in zip(told.tolist(), fits.tolist(), strict=True)]


def _chance(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), np.float32)


def _numbers(forest: Forest, rows: Sequence[Features], beside: Floats, whole: Features) -> Floats:
    """What a forest asks of marks, of the others and of the picture, shape (marks, numbers)."""
    values = np.zeros((len(rows), len(forest.numbers)), np.float32)
    for column, number in enumerate(forest.numbers):
        if number in COMPANY:
            values[:, column] = beside[:, COMPANY.index(number)]
        elif number.startswith("whole_"):
            values[:, column] = whole[number.removeprefix("whole_")]
        elif number in rows[0]:
            values[:, column] = [row[number] for row in rows]
    return values
