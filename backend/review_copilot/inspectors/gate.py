"""Whether an image is worth asking a model about. Knows no model."""

from __future__ import annotations

import cv2
import numpy as np

from review_copilot.domain.image import ReviewImage
from review_copilot.domain.suggestion import Evidence

_LOOK_PX = 1024
_NOISE_SIGMA = 1.5
_LEAST_SPREAD_LEVELS = 10.0
"""A frame whose levels spread less than this, grain smoothed away, shows nothing, not even a speck on plain ground."""


def nothing_to_see(image: ReviewImage) -> Evidence | None:
    """Measured facts when the frame is black, white or one flat tone; None when there is something to look at.

    Raises:
        ImageError: The image cannot be decoded.
    """
    luma = cv2.cvtColor(image.decode(_LOOK_PX), cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth = cv2.GaussianBlur(luma, (0, 0), _NOISE_SIGMA)
    spread = float(smooth.max() - smooth.min())
    if spread >= _LEAST_SPREAD_LEVELS:
        return None
    return {"mean_level_percent": round(float(luma.mean()) / 2.55, 1), "spread_levels": round(spread, 1)}
