"""Gray planes and masks, and the few things done to them everywhere. Knows no image file and no guideline."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.plugin import Pixels

Gray: TypeAlias = npt.NDArray[np.float32]
"""One plane, shape (height_px, width_px), usually 0..255."""

Mask: TypeAlias = npt.NDArray[np.bool_]
"""One plane of yes and no, shape (height_px, width_px)."""

_GRAIN_SIDE_PX = 640.0


def grain_of(shape: tuple[int, ...]) -> float:
    """Unit in which tolerances are counted: 1 px up to a longer side of 640 px, then growing with it.

    Registration and edges are uncertain by about the same fraction of a picture, whatever its resolution, and never by
    less than a pixel. 640 px is the size of the DeepPCB boards (Tang et al., 2019) on which the tolerances were set.
    """
    return max(1.0, max(shape[:2]) / _GRAIN_SIDE_PX)


def gray_of(pixels: Pixels) -> Gray:
    """Luma of an RGB picture (ITU-R BT.601 weights), 0..255."""
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)


def smoothed(plane: Gray, sigma_px: float) -> Gray:
    """Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px), dtype=np.float32)


def disc(radius_px: float) -> npt.NDArray[np.uint8]:
    """Structuring element: 1 within the radius, shape (2 r + 1, 2 r + 1)."""
    reach = max(0, int(radius_px))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(x * x + y * y <= radius_px * radius_px + 0.01, dtype=np.uint8)


def dilated(mask: Mask, radius_px: float) -> Mask:
    """The mask and everything within the radius of it."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc(radius_px)) > 0)


def eroded(mask: Mask, radius_px: float) -> Mask:
    """What of the mask is farther than the radius from what is not in it; the picture's edge does not eat."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), disc(radius_px)) > 0)


def depth_px(mask: Mask) -> Gray:
    """Distance of each pixel of the mask to the nearest pixel outside it, 0 outside, in px (Euclidean, 5 x 5 mask)."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), dtype=np.float32)


def clusters(mask: Mask, *, gap_px: float) -> list[tuple[slice, slice, Mask]]:
    """Pieces of a mask, those less than about `gap_px` apart taken together.

    Returns:
        For each cluster the rows and columns of its bounding box, and its pixels within that box.
    """
    joined = dilated(mask, gap_px / 2).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for k in range(1, count):
        x, y, width, height = (int(v) for v in stats[k, :4])
        own = (labels[y : y + height, x : x + width] == k) & mask[y : y + height, x : x + width]
        rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        place = (slice(y + int(top), y + int(bottom)), slice(x + int(left), x + int(right)))
        found.append((*place, own[top:bottom, left:right]))
    return found
