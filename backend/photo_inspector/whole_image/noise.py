"""How grainy the picture is. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from photo_inspector.pixels.frame import Floats, Frame, Gray
from photo_inspector.pixels.ranks import quantile

TILE_PX = 16
"""Side of the tiles of which the smoothest speak for the noise."""
_MASK = np.array([1, -2, 1], np.float32)
"""Along rows and along columns, one after the other."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How grainy the picture is.

    Attributes:
        sigma: Standard deviation of the grain in gray levels in the quieter tenth of the picture.
        quarter: The same in the quieter quarter.
        half: The same in the quieter half.
        lonely_percent: Share of pixels that differ from all their neighbors by 40 gray levels or more.
        streak: Likeness of neighboring grain values, -1..1; near or below 0 for sensor noise, above for texture.
    """

    sigma: float
    quarter: float
    half: float
    lonely_percent: float
    streak: float


def noise(frame: Frame) -> Noise:
    """Measure the grain of the green channel."""
    green = frame.green
    if min(green.shape) < TILE_PX + 2:
        return Noise(0.0, 0.0, 0.0, 0.0, 0.0)
    tiles = tile_grain(green)
    ranked = np.sort(tiles)
    low, quarter, half = (quantile(ranked, share) for share in (0.1, 0.25, 0.5))
    return Noise(low, quarter, half, _lonely_percent(green), _streak(green))


def tile_grain(gray: Gray) -> Floats:
    """Standard deviation of the grain in gray levels, for every tile that is neither nearly black nor nearly white.

    J. Immerkaer, "Fast noise variance estimation", CVIU 64 (1996): the mask [1 -2 1] by [1 -2 1] is blind to flat areas
    and ramps. All tiles speak when all are at the ends of the range. Needs one tile at least.
    """
    rows, columns = gray.shape[0] // TILE_PX, gray.shape[1] // TILE_PX
    work = gray[: rows * TILE_PX, : columns * TILE_PX]
    masked = np.abs(cv2.sepFilter2D(work, cv2.CV_16S, _MASK, _MASK, borderType=cv2.BORDER_REFLECT_101))
    # sixteen answers of the mask are at most 65 280 and fit into 16 bits
    strips = masked.view(np.uint16).reshape(rows, TILE_PX, columns * TILE_PX).sum(axis=1, dtype=np.uint16)
    mean = strips.reshape(rows, columns, TILE_PX).sum(axis=2, dtype=np.int32) / np.float32(TILE_PX**2)
    level = cv2.resize(work, (columns, rows), interpolation=cv2.INTER_AREA)
    usable = (level > 12) & (level < 243)
    grain = np.asarray(mean, np.float32) * np.float32(np.sqrt(np.pi / 2) / 6)
    return np.asarray(grain[usable] if usable.sum() >= 4 else grain.ravel(), np.float32)


def _lonely_percent(gray: Gray) -> float:
    """Salt and pepper: pixels that are far above or below every neighbor."""
    ring = np.ones((3, 3), np.uint8)
    ring[1, 1] = 0
    above = cv2.subtract(gray, cv2.dilate(gray, ring))
    below = cv2.subtract(cv2.erode(gray, ring), gray)
    return 100.0 * float(np.count_nonzero(cv2.max(above, below) >= 40)) / gray.size


def _streak(gray: Gray) -> float:
    """Correlation of the residual with itself three pixels on, sideways and down, in every other strip of 8 rows."""
    strips = np.ascontiguousarray(gray[: gray.shape[0] // 8 * 8].reshape(-1, 8, gray.shape[1])[::2]).reshape(
        -1, gray.shape[1]
    )
    residual = cv2.sepFilter2D(strips, cv2.CV_16S, _MASK, _MASK).reshape(-1, 8, gray.shape[1])[:, 1:-1]
    clipped = np.clip(residual, -60, 60).astype(np.float32)
    power = float((clipped * clipped).mean())
    if power < 1e-3:
        return 0.0
    across = float((clipped[:, :, :-3] * clipped[:, :, 3:]).mean())
    down = float((clipped[:, :-3] * clipped[:, 3:]).mean())
    return (abs(across) + abs(down)) / (2 * power)
