"""How much of the tonal range is used, and whether a veil lies over it. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from photo_inspector.pixels.frame import Frame, histogram, shrunk


@dataclass(frozen=True, slots=True)
class Contrast:
    """The tonal range.

    Attributes:
        low: Level of the 1st percentile, 0..255.
        high: Level of the 99th percentile, 0..255.
        unused_percent: Share of the range outside the two.
        spread: Standard deviation of the levels.
        veil: The dark channel's 5th percentile, 0..255: what even the darkest colors of most places reach.
        local: Mean contrast within small places, in gray levels.
    """

    low: float
    high: float
    unused_percent: float
    spread: float
    veil: float
    local: float


def contrast(frame: Frame) -> Contrast:
    """Range by percentiles; dark channel by K. He, J. Sun, X. Tang, "Single image haze removal" (CVPR 2009)."""
    gray = frame.small_gray
    counts = histogram(gray)
    low, high = (float(v) for v in np.searchsorted(np.cumsum(counts), [0.01 * gray.size, 0.99 * gray.size]))
    _, spread = cv2.meanStdDev(gray)
    thumb = shrunk(frame.small_rgb, longer_px=160)
    least = cv2.min(cv2.min(thumb[..., 0], thumb[..., 1]), thumb[..., 2])
    dark = np.asarray(cv2.erode(least, np.ones((5, 5), np.uint8)), np.uint8)
    return Contrast(
        low=low,
        high=high,
        unused_percent=100.0 - (high - low) / 2.55,
        spread=float(spread[0][0]),
        veil=float(np.searchsorted(np.cumsum(histogram(dark)), 0.05 * dark.size)),
        local=float(np.asarray(cv2.absdiff(gray, cv2.blur(gray, (5, 5)))).mean()),
    )
