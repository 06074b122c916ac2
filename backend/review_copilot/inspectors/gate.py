"""Whether an image is worth asking a model about. Knows no model."""

from __future__ import annotations

import cv2
import numpy as np

from review_copilot.domain.image import ReviewImage
from review_copilot.domain.suggestion import Evidence

_LOOK_PX = 256
_LEAST_SPREAD_LEVELS = 4.0
"""A frame whose levels, from the 1st to the 99th percentile, spread less than this shows nothing: sensor noise alone
spreads as far."""


def nothing_to_see(image: ReviewImage) -> Evidence | None:
    """Measured facts when the frame is black, white or one flat tone; None when there is something to look at.

    Raises:
        ImageError: The image cannot be decoded.
    """
    luma = cv2.cvtColor(image.decode(_LOOK_PX), cv2.COLOR_RGB2GRAY)
    low, high = np.percentile(np.asarray(luma, np.float32), (1, 99))
    spread = float(high - low)
    if spread >= _LEAST_SPREAD_LEVELS:
        return None
    return {"mean_level_percent": round(float(luma.mean()) / 2.55, 1), "spread_levels": round(spread, 1)}
