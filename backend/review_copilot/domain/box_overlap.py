"""Overlap of many boxes at a time, like `Box.iou` for two. Knows only numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from review_copilot.domain.geometry import Box

Floats: TypeAlias = npt.NDArray[np.float64]


def corners(boxes: Sequence[Box]) -> Floats:
    """Boxes as an array of (left, top, right, bottom) in fractions, shape (n, 4)."""
    return np.array([(b.x, b.y, b.right, b.bottom) for b in boxes], dtype=np.float64).reshape(-1, 4)


def pairwise_iou(ours: Floats, theirs: Floats) -> Floats:
    """IoU of every box with every box, 0..1.

    Args:
        ours: (left, top, right, bottom), shape (..., n, 4).
        theirs: The same, shape (..., m, 4).

    Returns:
        Shape (..., n, m); 0 if neither box has an area.
    """
    # One plane per edge: numpy then works on rows of whole batches instead of short last axes of four.
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
    return np.minimum(_shares(shared, union), 1.0, out=shared)


def paired_iou(ours: Floats, theirs: Floats) -> Floats:
    """IoU of each box with the box in the same row, 0..1.

    Args:
        ours: (x, y, width, height), shape (n, 4).
        theirs: The same, shape (n, 4).

    Returns:
        Shape (n,); 0 if neither box has an area.
    """
    right = np.minimum(ours[:, 0] + ours[:, 2], theirs[:, 0] + theirs[:, 2])
    bottom = np.minimum(ours[:, 1] + ours[:, 3], theirs[:, 1] + theirs[:, 3])
    width = np.maximum(0.0, right - np.maximum(ours[:, 0], theirs[:, 0]))
    height = np.maximum(0.0, bottom - np.maximum(ours[:, 1], theirs[:, 1]))
    shared = width * height
    union = ours[:, 2] * ours[:, 3] + theirs[:, 2] * theirs[:, 3] - shared
    return np.minimum(_shares(shared, union), 1.0)


def _shares(shared: Floats, union: Floats) -> Floats:
    """Intersection over union; 0 if the union is empty."""
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
