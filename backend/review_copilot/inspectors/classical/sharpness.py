"""How wide the edges are, and in which direction: defocus and motion blur. Knows no guideline.

Source: S. Zhuo, T. Sim, "Defocus map estimation from a single image", Pattern Recognition 44 (2011). A step edge that
is blurred by a Gaussian of standard deviation s and blurred again by s0 loses gradient by the ratio
R = sqrt((s^2 + s0^2) / s^2), so s = s0 / sqrt(R^2 - 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from review_copilot.inspectors.classical.frame import Floats, Grey

REBLUR_PX = 1.5
"""Standard deviation of the second blur, s0."""
EDGE_SHARE = 0.04
"""Share of pixels, those of steepest gradient, that may count as edges."""
LEAST_GRADIENT = 6.0
"""Grey levels a pixel under which a gradient may be noise."""
ORIENTATIONS = 8
"""Bins of edge direction over half a turn."""


@dataclass(frozen=True, slots=True)
class EdgeWidths:
    """How blurred the edges are.

    Attributes:
        blur_px: Standard deviation of the blur at the sharper edges, in pixels; 0 when there are too few edges.
        smear_px: Length of a directional smear in pixels; 0 when edges of all directions are equally wide.
        direction_deg: Direction of the smear, 0 = sideways, 90 = up and down, 0 <= value < 180.
        ratio: Blur of the worst direction over that of the best, at least 1.
        edges: Number of edge pixels looked at.
    """

    blur_px: float
    smear_px: float
    direction_deg: float
    ratio: float
    edges: int


def edge_widths(grey: Grey) -> EdgeWidths:
    """Blur of the edges, overall and by direction."""
    sigma, direction = _edge_blur(grey)
    if sigma.size < 50:
        return EdgeWidths(0.0, 0.0, 0.0, 1.0, int(sigma.size))
    blur = float(np.percentile(sigma, 25))
    bins = np.floor(direction / (180.0 / ORIENTATIONS)).astype(np.int64) % ORIENTATIONS
    per_bin = np.full(ORIENTATIONS, np.nan)
    for index in range(ORIENTATIONS):
        members = sigma[bins == index]
        if members.size >= max(20, sigma.size // 200):
            per_bin[index] = np.percentile(members, 25)
    if np.isnan(per_bin).sum() > ORIENTATIONS // 2:
        return EdgeWidths(blur, 0.0, 0.0, 1.0, int(sigma.size))
    worst, best = int(np.nanargmax(per_bin)), int(np.nanargmin(per_bin))
    ratio = float(per_bin[worst] / max(per_bin[best], 0.1))
    # a box of length L has variance L^2 / 12
    extra = max(0.0, float(per_bin[worst] ** 2 - per_bin[best] ** 2))
    return EdgeWidths(
        blur_px=blur,
        smear_px=float(np.sqrt(12 * extra)),
        direction_deg=(worst + 0.5) * 180.0 / ORIENTATIONS,
        ratio=ratio,
        edges=int(sigma.size),
    )


def _edge_blur(grey: Grey) -> tuple[Floats, Floats]:
    """Blur in pixels and direction of the normal in degrees, for every edge pixel."""
    if min(grey.shape) < 8:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    work = grey.astype(np.float32)
    gx, gy = _gradient(work)
    steep = np.hypot(gx, gy)
    blurred = cv2.GaussianBlur(work, (0, 0), REBLUR_PX)
    bx, by = _gradient(np.asarray(blurred, np.float32))
    soft = np.hypot(bx, by)
    floor = max(LEAST_GRADIENT, float(np.quantile(steep, 1 - EDGE_SHARE)))
    crest = np.asarray(cv2.dilate(steep, np.ones((3, 3), np.uint8)))
    chosen = (steep >= floor) & (steep >= crest)
    ratio = steep[chosen] / np.maximum(soft[chosen], 1e-3)
    sigma = REBLUR_PX / np.sqrt(np.maximum(ratio, 1.01) ** 2 - 1)
    direction = np.degrees(np.arctan2(gy[chosen], gx[chosen])) % 180.0
    return sigma.astype(np.float32), direction.astype(np.float32)


def _gradient(work: Floats) -> tuple[Floats, Floats]:
    gx = cv2.Sobel(work, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    gy = cv2.Sobel(work, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.asarray(gx, np.float32), np.asarray(gy, np.float32)
