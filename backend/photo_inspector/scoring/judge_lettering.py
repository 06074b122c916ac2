"""From lettering to readings: which was laid over the picture, each piece once. Knows no pixels and no guideline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from photo_inspector.lettering.overlay import Lettering
from photo_inspector.scoring.features import of_lettering
from photo_inspector.scoring.likelihood import read_forest

FILE = "lettering.npz"
"""Boosted trees over the numbers of one piece of lettering; written by `training/fit_lettering.py`."""
FLAW = "overlay"
SAME = 0.5
"""Share of the smaller of two boxes from which they hold the same lettering."""
ALIKE = 0.1
"""Difference in score that says nothing of which of two boxes fits better; the detector's are tighter."""


def laid_over(found: Sequence[Lettering]) -> list[tuple[Lettering, float]]:
    """Each piece of lettering once with the probability that it was laid over the picture, likeliest first."""
    if not found:
        return []
    forest = read_forest(FILE)
    rows = [of_lettering(one) for one in found]
    odds = forest.odds_of(FLAW, np.array([[row[name] for name in forest.numbers] for row in rows], np.float32))
    scores = (1 / (1 + np.exp(-np.clip(odds, -30, 30)))).tolist()
    ranked = sorted(
        zip(found, scores, strict=True), key=lambda pair: (-round(pair[1] / ALIKE), pair[0].detected == 0, -pair[1])
    )
    kept: list[tuple[Lettering, float]] = []
    for one, score in ranked:
        if all(one.box.intersection_area(o.box) < SAME * min(one.box.area, o.box.area) for o, _ in kept):
            kept.append((one, score))
    return sorted(kept, key=lambda pair: -pair[1])
