"""Whether an image is worth asking a model about. Knows no model."""

from __future__ import annotations

import cv2
import numpy as np

from review_copilot.domain.image import Pixels
from review_copilot.domain.suggestion import Evidence

LOOK_PX = 1024
_COARSE_PX = 96
_NOISE_SIGMA = 1.5
_LEAST_SPREAD_LEVELS = 10.0
"""A frame whose levels spread less than this, grain smoothed away, shows nothing, not even a speck on plain ground."""


def nothing_to_see(frame: Pixels) -> Evidence | None:
    """Measured facts when the frame is black, white or one flat tone; None when there is something to look at.

    Args:
        frame: The whole image at any size: what is decoded for the model anyway.
    """
    if _plainly_something(frame):
        return None
    scale = min(1.0, LOOK_PX / max(frame.shape[:2]))
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else frame
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth = cv2.GaussianBlur(luma, (0, 0), _NOISE_SIGMA)
    spread = float(smooth.max() - smooth.min())
    if spread >= _LEAST_SPREAD_LEVELS:
        return None
    return {"mean_level_percent": round(float(luma.mean()) / 2.55, 1), "spread_levels": round(spread, 1)}


def _plainly_something(frame: Pixels) -> bool:
    """Whether a few of the pixels, averaged so that grain is gone, spread enough already; most frames need no more."""
    stride = max(1, max(frame.shape[:2]) // LOOK_PX)
    few = np.ascontiguousarray(frame[::stride, ::stride])
    scale = min(1.0, _COARSE_PX / max(few.shape[:2]))
    coarse = cv2.resize(few, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    luma = cv2.cvtColor(coarse, cv2.COLOR_RGB2GRAY)
    return int(luma.max()) - int(luma.min()) >= 2 * _LEAST_SPREAD_LEVELS
