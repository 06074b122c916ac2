"""Patches of a picture that repeat another place of it pixel for pixel. Knows no guideline.

Keypoints that match another place of the same picture (SIFT and the ratio of the next two distances: I. Amerini et al.,
"A SIFT-based forensic method for copy-move attack detection", 2011) propose how a patch was moved; the picture laid
over itself that way shows where it really repeats. Windows of a facade match too, but hardly ever pixel for pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.plugin import Box

SIDE_PX = 1024
"""Longer side at which copies are looked for."""
MOST_KEYPOINTS = 3000
RATIO = 0.6
"""Next over second next distance from which two places are alike beyond chance (D. Lowe, 2004)."""
LEAST_MOVE_PX = 24.0
"""A shorter move is within one texture."""
LEAST_PAIRS = 5
"""Pairs of keypoints that must agree on a move; three fix it."""
LEAST_SHARE = 0.004
"""Share of the picture that a repeated patch covers at least."""
LEAST_LIKENESS = 0.93
"""Mean correlation of a repeated patch with its origin; JPEG at quality 50 keeps .95 of a copy."""
MOST_APART = 4.0
"""Gray levels by which a copy differs from its origin after saving. In a grainy picture up to the grain itself: a copy
has its origin's grain, while of two windows of one make each has its own, which differ by 1.4 times of it."""
MOST_MOVES = 6
_WINDOW_PX = 11
_LEAST_CONTRAST = 2.5

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Copy:
    """One patch that is there twice.

    Attributes:
        first: Where it is.
        second: Where it is again.
        percent: Its area as a share of the picture.
        likeness: Mean correlation of the two places, 0..1.
        pairs: Pairs of keypoints that agree on the move.
    """

    first: Box
    second: Box
    percent: float
    likeness: float
    pairs: int


def copied_patches(gray: Mask, *, in_time: Callable[[], bool]) -> tuple[tuple[Copy, ...], bool]:
    """Repeated patches, largest first, and whether there was time to look to the end.

    Args:
        gray: The picture, at most `SIDE_PX` on its longer side.
        in_time: Asked before each costly step.
    """
    if min(gray.shape) < 64:
        return (), True
    pairs = _pairs(gray)
    found: list[Copy] = []
    for move, count in _moves(pairs):
        if not in_time():
            return tuple(found), False
        copy = _laid_over(gray, move, pairs=count)
        if copy is not None and all(copy.first.iou(other.first) < 0.3 for other in found):
            found.append(copy)
    return tuple(sorted(found, key=lambda c: -c.percent)), True


def _pairs(gray: Mask) -> Floats:
    """Places that match another place: rows of x, y, x', y', the one further left first."""
    keypoints, descriptors = cv2.SIFT.create(MOST_KEYPOINTS, contrastThreshold=0.01).detectAndCompute(
        gray, np.full_like(gray, 255)
    )
    if len(keypoints) < 2 * LEAST_PAIRS:
        return np.zeros((0, 4), np.float32)
    places = np.array([point.pt for point in keypoints], np.float32)
    # the root of the normed descriptor compares as the Hellinger distance (R. Arandjelovic, A. Zisserman, 2012)
    rooted = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6)).astype(np.float32)
    found = []
    for start in range(0, len(places), 500):
        likeness = rooted[start : start + 500] @ rooted.T
        apart = np.hypot(*(places[start : start + 500, None] - places[None]).transpose(2, 0, 1))
        likeness[apart < LEAST_MOVE_PX] = -1.0
        two = np.argpartition(-likeness, 2, axis=1)[:, :2]
        rows = np.arange(len(likeness))
        best = np.take_along_axis(likeness, two, axis=1)
        nearest = two[rows, best.argmax(axis=1)]
        distance = np.sqrt(np.maximum(0.0, 2 - 2 * np.sort(best, axis=1)[:, ::-1]))
        alike = (distance[:, 0] < RATIO * distance[:, 1]) & (distance[:, 0] < 0.5)
        found.append(np.hstack([places[start : start + 500][alike], places[nearest[alike]]]))
    rows = np.concatenate(found)
    swapped = (rows[:, 0] > rows[:, 2]) | ((rows[:, 0] == rows[:, 2]) & (rows[:, 1] > rows[:, 3]))
    rows[swapped] = rows[swapped][:, [2, 3, 0, 1]]
    return np.asarray(np.unique(rows.round(1), axis=0), np.float32)


def _moves(pairs: Floats) -> Iterator[tuple[Floats, int]]:
    """Moves on which several pairs agree, each with their number; a move is a 2 x 3 matrix."""
    left = pairs
    for _ in range(MOST_MOVES):
        if len(left) < LEAST_PAIRS:
            return
        move, agreeing = cv2.estimateAffinePartial2D(
            np.ascontiguousarray(left[:, :2]),
            np.ascontiguousarray(left[:, 2:]),
            method=cv2.RANSAC,
            ransacReprojThreshold=2.0,
            maxIters=2000,
        )
        if int(agreeing.sum()) < LEAST_PAIRS:
            return
        agree = agreeing.ravel() > 0
        scale = float(np.hypot(move[0, 0], move[1, 0]))
        if 0.5 <= scale <= 2.0:
            yield _straightened(np.asarray(move, np.float32), left[agree]), int(agree.sum())
        left = left[~agree]


def _straightened(move: Floats, pairs: Floats) -> Floats:
    """A move by whole pixels where it is nearly one: keypoints are too coarse for pixels that must lie on pixels."""
    if float(np.abs(move[:, :2] - np.eye(2)).max()) > 0.03:
        return move
    by = np.rint(np.median(pairs[:, 2:] - pairs[:, :2], axis=0))
    return np.asarray([[1, 0, by[0]], [0, 1, by[1]]], np.float32)


def _laid_over(gray: Mask, move: Floats, *, pairs: int) -> Copy | None:
    """Where the picture repeats itself under the move; None where it does not."""
    height, width = gray.shape
    here = gray.astype(np.float32)
    there = np.asarray(
        cv2.warpAffine(here, move, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=-1.0),
        np.float32,
    )
    likeness, contrast = _likeness(here, there)
    alike = ((likeness > 0.8) & (contrast > _LEAST_CONTRAST) & (there >= 0)).astype(np.uint8)
    joined = cv2.morphologyEx(alike, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y, w, h, area = (int(v) for v in stats[largest])
    inside = (labels == largest) & (alike > 0)
    mean = float(likeness[inside].mean()) if inside.any() else 0.0
    if area < LEAST_SHARE * gray.size or mean < LEAST_LIKENESS:
        return None
    apart = here[inside] - there[inside]
    if 1.48 * float(np.median(np.abs(apart - np.median(apart)))) > max(MOST_APART, 0.9 * _grain(here)):
        return None
    margin = _WINDOW_PX // 2
    corners = np.array([[x - margin, y - margin], [x + w + margin, y - margin],
                        [x + w + margin, y + h + margin], [x - margin, y + h + margin]], np.float32)  # fmt: skip
    moved = corners @ move[:, :2].T + move[:, 2]
    return Copy(
        first=_box(corners, width, height),
        second=_box(moved, width, height),
        percent=100.0 * area / gray.size,
        likeness=min(1.0, mean),
        pairs=pairs,
    )


def _grain(here: Floats) -> float:
    """Spread of the grain in gray levels (J. Immerkaer, "Fast noise variance estimation", 1996; by the median)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return float(np.median(np.abs(cv2.filter2D(here, -1, kernel)))) / 0.6745 / 6


def _likeness(here: Floats, there: Floats) -> tuple[Floats, Floats]:
    """Correlation in small windows, and the contrast there in gray levels."""
    size = (_WINDOW_PX, _WINDOW_PX)

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, size), np.float32)

    mean_here, mean_there = mean(here), mean(there)
    spread_here = np.maximum(mean(here * here) - mean_here**2, 0)
    spread_there = np.maximum(mean(there * there) - mean_there**2, 0)
    together = mean(here * there) - mean_here * mean_there
    likeness = together / np.sqrt((spread_here + 1) * (spread_there + 1))
    return np.asarray(likeness, np.float32), np.asarray(np.sqrt(np.minimum(spread_here, spread_there)), np.float32)


def _box(corners: Floats, width: int, height: int) -> Box:
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Box.from_corners(
        max(0.0, float(low[0]) / width),
        max(0.0, float(low[1]) / height),
        min(1.0, float(high[0]) / width),
        min(1.0, float(high[1]) / height),
    )
