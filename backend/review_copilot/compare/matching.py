"""Pair boxes that have no common id: threshold first, then the best assignment. Knows numbers only.

A pair may be made at all only where the boxes overlap by `MIN_IOU`; among those pairs the assignment of the greatest
total worth is taken, where a pair is worth its overlap, and one more when the criterion is the same. Thresholding first
keeps a good pair from being given up so that two bad ones, thrown away afterwards, could be made.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from review_copilot.domain.geometry import Box

MIN_IOU = 0.5
"""Least overlap of two boxes that speak of one thing (Everingham et al., The PASCAL VOC Challenge, IJCV 2010, 4.2)."""

SAME_CRITERION = 1.0
"""What a common criterion adds to a pair's worth: of two candidates the one of the same criterion wins."""

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def corners(boxes: Sequence[Box]) -> Floats:
    """Boxes as an array of (left, top, right, bottom), shape (n, 4)."""
    return np.array([(b.x, b.y, b.right, b.bottom) for b in boxes], dtype=np.float64).reshape(-1, 4)


def overlaps(ours: Floats, theirs: Floats) -> Floats:
    """IoU of every box with every box, 0..1.

    Args:
        ours: (left, top, right, bottom), shape (..., n, 4).
        theirs: The same, shape (..., m, 4).

    Returns:
        Shape (..., n, m); 0 where neither box has an area.
    """
    # One plane per edge: numpy then works on rows of whole batches and not on short last axes of four.
    left, top, right, bottom = np.moveaxis(ours, -1, 0)
    left2, top2, right2, bottom2 = np.moveaxis(theirs, -1, 0)
    width: Floats = np.minimum(right[..., :, None], right2[..., None, :])
    width -= np.maximum(left[..., :, None], left2[..., None, :])
    height = np.minimum(bottom[..., :, None], bottom2[..., None, :])
    height -= np.maximum(top[..., :, None], top2[..., None, :])
    shared: Floats = np.maximum(width, 0.0, out=width)
    shared *= np.maximum(height, 0.0, out=height)
    area = np.maximum(right - left, 0.0) * np.maximum(bottom - top, 0.0)
    area2 = np.maximum(right2 - left2, 0.0) * np.maximum(bottom2 - top2, 0.0)
    union = area[..., :, None] + area2[..., None, :]
    union -= shared
    np.divide(shared, union, out=shared, where=union > 0)  # nothing is shared where there is no union
    return shared


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
