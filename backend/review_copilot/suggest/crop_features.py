"""Features of a crop, for regions without notes. Knows only pixels."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.domain.reviewed_crops import CropFeatures

Floats: TypeAlias = npt.NDArray[np.float64]

FEATURE_COUNT = 14
SIDE_PX = 64
"""Crops are sampled at about this size, so that features do not depend on the image size."""
ORIENTATIONS = 4


def crop_features(pixels: Pixels, box: Box) -> Floats:
    """Measure a crop.

    Args:
        pixels: Upright RGB.
        box: The place, in fractions.

    Returns:
        FEATURE_COUNT numbers: mean and spread of brightness, of red versus green, and of yellow versus blue; detail at
        two scales, strength of edges in four directions, size and shape of the box.
    """
    crop = _sampled(pixels, box)
    red, green, blue = (crop[..., i] for i in range(3))
    channels = (crop.mean(axis=2), red - green, (red + green) / 2 - blue)
    gray = channels[0]
    down, across = np.gradient(gray) if min(gray.shape) > 1 else (np.zeros_like(gray), np.zeros_like(gray))
    strength = np.hypot(down, across)
    direction = ((np.arctan2(down, across) % np.pi) / np.pi * ORIENTATIONS).astype(np.int64) % ORIENTATIONS
    edges = np.bincount(direction.ravel(), weights=strength.ravel(), minlength=ORIENTATIONS) / strength.size
    measured = [value for channel in channels for value in (channel.mean(), channel.std())]
    measured += [_detail(gray, 1), _detail(gray, 4), *np.log1p(50 * edges)]
    measured += [np.log(max(box.width * box.height, 1e-6)), np.log(max(box.width, 1e-3) / max(box.height, 1e-3))]
    return np.asarray(measured, dtype=np.float64)


def crop_features_of(pixels: Pixels, box: Box) -> CropFeatures:
    """The same features, rounded for storage."""
    return rounded(crop_features(pixels, box))


def rounded(numbers: Floats) -> CropFeatures:
    """Round to four digits: crops of one kind differ by more."""
    return tuple(float(f"{number:.4g}") for number in numbers.tolist())


def _sampled(pixels: Pixels, box: Box) -> Floats:
    height, width = pixels.shape[:2]
    top, left = int(box.y * height), int(box.x * width)
    bottom, right = max(top + 1, round(box.bottom * height)), max(left + 1, round(box.right * width))
    rows = np.linspace(top, bottom - 1, min(SIDE_PX, bottom - top)).astype(np.int64)
    columns = np.linspace(left, right - 1, min(SIDE_PX, right - left)).astype(np.int64)
    crop = pixels[np.minimum(rows, height - 1)][:, np.minimum(columns, width - 1)]
    return np.asarray(crop.astype(np.float64) / 255.0)


def _detail(gray: Floats, step: int) -> float:
    """Logarithm of the mean difference between pixels at this distance."""
    if min(gray.shape) <= step:
        return 0.0
    across, down = np.abs(gray[:, step:] - gray[:, :-step]).mean(), np.abs(gray[step:] - gray[:-step]).mean()
    return float(np.log1p(50 * (across + down) / 2))
