"""How wide the edges are, and whether detail is lost in one direction: defocus and motion blur. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.pixels.frame import Floats, Frame, Gray, halved

Whole16 = npt.NDArray[np.int16]
REBLUR_PX = 1.5
"""Standard deviation of the second blur, s0."""
_REBLUR = np.asarray(cv2.getGaussianKernel(13, REBLUR_PX), np.float64)
_XX: Floats = np.array([[1, -2, 1]], np.float32)
_YY: Floats = np.ascontiguousarray(_XX.T)
_XY: Floats = np.array([[0.25, 0, -0.25], [0, 0, 0], [-0.25, 0, 0.25]], np.float32)
"""Masks of the second derivatives across, down, and across and down."""
EDGE_SHARE = 0.04
"""Share of pixels, those of steepest gradient, that count as edges."""
LEAST_GRADIENT = 2.0
"""Gray levels a pixel under which a gradient is left out."""
_UNIT = 16 * 8
"""Sixteenths of a level, and the weight of the mask of Sobel."""
LEAST_EDGES = 50
"""Below this number of edge pixels, sharpness is not measured."""
LEAST_ENERGY = 0.3
"""Energy of second derivatives, in squared gray levels, below which there is only rounding."""
DIRECTIONS = 12
"""Directions over half a turn in which detail is compared."""


@dataclass(frozen=True, slots=True)
class Smear:
    """How much more detail is lost in one direction than in another.

    Attributes:
        middle: Loss of fine detail (about 2 px) in the worst direction against the best, as a logarithm; 0 for none.
        coarse: The same against a nearer scale.
        far: The same for detail twice as coarse.
        direction_deg: Direction in which detail is lost, 0 = sideways, 90 = up and down, 0 <= value < 180.
        anisotropy: Detail about 4 px wide in the strongest direction over that in the weakest, at least 1.
    """

    middle: float
    coarse: float
    far: float
    direction_deg: float
    anisotropy: float


@dataclass(frozen=True, slots=True)
class Sharpness:
    """How sharp the picture is.

    Attributes:
        blur_px: Standard deviation of the blur at the sharper edges, in pixels; 0 when there are too few edges.
        blur_half_px: The same, read at half size.
        smear: Loss of detail by direction.
        edges: Number of edge pixels that spoke.
    """

    blur_px: float
    blur_half_px: float
    smear: Smear
    edges: int


def sharpness(frame: Frame) -> Sharpness:
    """Measure edges and the loss of detail by direction."""
    widths, half = edge_blur(frame.green), edge_blur(frame.green_half)
    return Sharpness(
        blur_px=_sharper(widths),
        blur_half_px=2 * _sharper(half),
        smear=smears_of(frame.green_half, count=1)[0],
        edges=int(widths.size),
    )


def smears_of(level: Floats, *, count: int) -> tuple[Smear, ...]:
    """The loss of detail by direction in a level and in those that halving makes of it, finest first.

    Args:
        level: Gray levels.
        count: Number of levels; each also uses two coarser levels.
    """
    ladder = [_directional_energy(level)]
    for _ in range(count + 1):
        level = halved(level)
        ladder.append(_directional_energy(level))
    return tuple(_smear(*ladder[at : at + 3]) for at in range(count))


def _smear(finer: Floats, coarser: Floats, coarsest: Floats) -> Smear:
    middle = _loss(finer, coarsest)
    return Smear(
        middle=float(np.ptp(middle)),
        coarse=float(np.ptp(_loss(finer, coarser))),
        far=float(np.ptp(_loss(coarser, coarsest))),
        direction_deg=float(np.argmin(middle)) * 180.0 / DIRECTIONS,
        anisotropy=max(1.0, float(coarser.max() / max(float(coarser.min()), LEAST_ENERGY))),
    )


def edge_blur(level: Floats | Gray) -> Floats:
    """Blur in pixels at every pixel that crests one of the steepest edges; empty under 8 px.

    S. Zhuo, T. Sim, "Defocus map estimation from a single image", Pattern Recognition 44 (2011): a step edge blurred by
    a Gaussian of standard deviation s and again by s0 loses gradient by R = sqrt((s^2 + s0^2) / s^2), so
    s = s0 / sqrt(R^2 - 1).
    """
    if min(level.shape) < 8:
        return np.zeros(0, np.float32)
    if level.dtype == np.uint8:
        across, down = cv2.spatialGradient(level)
        steep = np.asarray((np.abs(across) + np.abs(down)) << 4, np.int16)
        # in sixteenths of a level
        soft = _steepness(np.asarray(cv2.sepFilter2D(level, cv2.CV_16S, 4 * _REBLUR, 4 * _REBLUR), np.int16))
    else:
        fine = (level * 16).astype(np.int16)
        steep = _steepness(fine)
        soft = _steepness(np.asarray(cv2.sepFilter2D(fine, cv2.CV_16S, _REBLUR, _REBLUR), np.int16))
    crest = np.asarray(cv2.dilate(steep, np.ones((3, 3), np.uint8)))
    on_crest = np.flatnonzero(steep >= np.maximum(crest, int(LEAST_GRADIENT * _UNIT) + 1))
    wanted = int(EDGE_SHARE * level.size)
    heights = steep.ravel()[on_crest]
    if on_crest.size > wanted > 0:
        chosen = np.argpartition(heights, on_crest.size - wanted)[on_crest.size - wanted :]
        on_crest, heights = on_crest[chosen], heights[chosen]
    if on_crest.size == 0:
        return np.zeros(0, np.float32)
    ratio = heights.astype(np.float32) / np.maximum(soft.ravel()[on_crest], 1)
    return np.asarray(REBLUR_PX / np.sqrt(np.maximum(ratio, 1.01) ** 2 - 1), np.float32)


def blur_of(gray: Gray) -> float:
    """Blur of the sharper edges of one plane in pixels; 0 when there are too few edges."""
    return _sharper(edge_blur(gray))


def _sharper(widths: Floats) -> float:
    """Blur that a quarter of the edges stay below; 0 when there are too few."""
    if widths.size < LEAST_EDGES:
        return 0.0
    return float(np.partition(widths, widths.size // 4)[widths.size // 4])


def _steepness(level: Whole16) -> Whole16:
    """Sum of the sizes of both slopes, in units of 1 / _UNIT levels a pixel; the direction cancels in the ratio."""
    across = cv2.Sobel(level, cv2.CV_16S, 1, 0, ksize=3)
    down = cv2.Sobel(level, cv2.CV_16S, 0, 1, ksize=3)
    return np.asarray(np.abs(across) + np.abs(down), np.int16)


def _directional_energy(level: Floats) -> Floats:
    """Mean squared second derivative along each direction; zeros under 3 px.

    The second derivative along an angle is c^2 Ixx + 2 c s Ixy + s^2 Iyy, so six products give it for all angles
    (W. Freeman, E. Adelson, "The design and use of steerable filters", PAMI 13, 1991).
    """
    if min(level.shape) < 3:
        return np.zeros(DIRECTIONS, np.float32)
    flat = [_inner(level, kernel).ravel() for kernel in (_XX, _XY, _YY)]
    count = (level.shape[0] - 2) * (level.shape[1] - 2)
    products = [float(a @ b) / count for i, a in enumerate(flat) for b in flat[i:]]
    return np.asarray(np.maximum(_turned() @ products, 0), np.float32)


@cache
def _turned() -> npt.NDArray[np.float64]:
    """What each product of two second derivatives adds to the energy in each direction, shape (DIRECTIONS, 6)."""
    angle = np.arange(DIRECTIONS) * np.pi / DIRECTIONS
    c, s = np.cos(angle), np.sin(angle)
    # across by across, mixed and down; mixed by mixed and down; down by down
    return np.stack([c**4, 4 * c**3 * s, 2 * c**2 * s**2, 4 * c**2 * s**2, 4 * c * s**3, s**4], axis=1)


def _inner(level: Floats, kernel: Floats) -> Floats:
    """A mask's answers of the size of the level, nought at its rim, where the mask reaches beyond it."""
    said = np.asarray(cv2.filter2D(level, cv2.CV_32F, kernel), np.float32)
    said[[0, -1]] = 0
    said[:, [0, -1]] = 0
    return said


def _loss(finer: Floats, coarser: Floats) -> Floats:
    """Logarithm of finer over coarser detail by direction; a smear lowers it along its own direction only."""
    return np.asarray(np.log((finer + 0.05) / (coarser + 0.05)), np.float32)
