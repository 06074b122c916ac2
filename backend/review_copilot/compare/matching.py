"""Pair boxes that have no common id: threshold first, then the best assignment. Knows numbers only.

A pair may be made at all only where the boxes overlap by `MIN_IOU`; among those pairs the assignment of the greatest
total worth is taken, where a pair is worth its overlap, and one more when the criterion is the same. Thresholding first
keeps a good pair from being given up so that two bad ones, thrown away afterwards, could be made.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

MIN_IOU = 0.5
"""Least overlap of two boxes that speak of one thing (Everingham et al., The PASCAL VOC Challenge, IJCV 2010, 4.2)."""

SAME_CRITERION = 1.0
"""What a common criterion adds to a pair's worth: of two candidates the one of the same criterion wins."""

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def assign(worth: Floats) -> Indices:
    """The assignment of greatest total worth, for many small problems at once.

    A problem in which no two pairs compete is its own answer; only the others are handed to SciPy's exact solver
    (Crouse, On implementing 2D rectangular assignment algorithms, IEEE TAES 2016). The result has the same total worth
    as solving every problem exactly.

    Args:
        worth: Shape (problems, n, m); above 0 where a pair may be made, 0 elsewhere.

    Returns:
        For each problem and each of the n the index of its partner, -1 for none; shape (problems, n).
    """
    problems, n, m = worth.shape
    if n == 0 or m == 0:
        return np.full((problems, n), -1, dtype=np.intp)
    allowed = worth > 0
    partner = np.where(allowed.any(axis=2), allowed.argmax(axis=2), -1)
    contested = (allowed.sum(axis=2) > 1).any(axis=1) | (allowed.sum(axis=1) > 1).any(axis=1)
    for index in np.flatnonzero(contested):
        rows, columns = linear_sum_assignment(worth[index], maximize=True)
        partner[index] = -1
        made = allowed[index][rows, columns]
        partner[index][rows[made]] = columns[made]
    return partner
