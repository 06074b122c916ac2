"""Pair boxes that have no common id: threshold first, then the best assignment. Knows numbers only.

A pair is allowed only if the boxes overlap by at least `MIN_IOU`. Of these pairs, the assignment with the greatest
total value is chosen. The value of a pair is its overlap, plus one if the criterion is the same. Applying the threshold
first prevents that a good pair is replaced by two bad ones, which would be discarded later.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

MIN_IOU = 0.5
"""Minimum overlap of two boxes for the same object (Everingham et al., The PASCAL VOC Challenge, IJCV 2010, 4.2)."""

SAME_CRITERION = 1.0
"""Added to the value of a pair with the same criterion: of two candidates, the one with the same criterion wins."""

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def assign(worth: Floats) -> Indices:
    """The assignment with the greatest total value, for many small problems at a time.

    A problem in which no two pairs compete is already solved; only the others are passed to SciPy's exact solver
    (Crouse, On implementing 2D rectangular assignment algorithms, IEEE TAES 2016). The result has the same total value
    as solving every problem exactly.

    Args:
        worth: Values, shape (problems, n, m); above 0 for allowed pairs, 0 elsewhere.

    Returns:
        The index of the partner of each of the n, -1 for none; shape (problems, n).
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
