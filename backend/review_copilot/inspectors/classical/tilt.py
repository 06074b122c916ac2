"""Whether the camera was held level. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from review_copilot.inspectors.classical.frame import Floats, Frame, Mask

MOST_DEG = 16.0
"""A stronger lean is taken for intended."""
WINDOW_DEG = 1.0
"""Lines that differ by no more lie together."""


@dataclass(frozen=True, slots=True)
class Tilt:
    """How the straight lines lie.

    Attributes:
        degrees: Lean of the strongest bundle of lines that should be level or upright; positive = clockwise.
        bundle: Its share of the length of all lines near level and near upright.
        level: Share of the lines that are level or upright within a degree.
        across: Share that its level lines have among the near level ones, at the same lean.
        up: Share that its upright lines have among the near upright ones, at the same lean.
        longest: Longest line of the bundle over the longer side.
        total: Length of all lines near level and near upright over the longer side.
        fan: How strongly uprights converge, in degrees from one side of the picture to the other.
    """

    degrees: float
    bundle: float
    level: float
    across: float
    up: float
    longest: float
    total: float
    fan: float


def tilt(frame: Frame) -> Tilt:
    """Straight lines by R. Grompone von Gioi et al., "LSD: a line segment detector" (IPOL 2012)."""
    none = Tilt(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    grey = frame.small_grey
    if min(grey.shape) < 64:
        return none
    raw = cv2.createLineSegmentDetector(cv2.LSD_REFINE_NONE).detect(grey)[0]
    if raw is None:
        return none
    segments = np.asarray(raw, np.float32).reshape(-1, 4)
    step = segments[:, 2:] - segments[:, :2]
    length = np.hypot(step[:, 0], step[:, 1])
    long = length >= 0.035 * max(grey.shape)
    if long.sum() < 3:
        return none
    step, length, segments = step[long], length[long], segments[long]
    angle = np.degrees(np.arctan2(step[:, 1], step[:, 0])) % 180
    flat = np.where(angle > 90, angle - 180, angle)
    upright = angle - 90
    is_flat, is_up = np.abs(flat) <= MOST_DEG + 4, np.abs(upright) <= MOST_DEG + 4
    if not (is_flat | is_up).any():
        return none
    middle = (segments[:, 0] + segments[:, 2]) / 2 / grey.shape[1] - 0.5
    fan, plumb = _plumb(upright[is_up], middle[is_up], length[is_up])
    weight = length**1.5
    flat_lean, flat_weight = flat[is_flat], weight[is_flat]
    up_lean, up_weight = plumb, weight[is_up]
    lean, mass = np.concatenate([flat_lean, up_lean]), np.concatenate([flat_weight, up_weight])
    degrees = _strongest(lean, mass)
    near = np.abs(lean - degrees) <= WINDOW_DEG
    return Tilt(
        degrees=degrees,
        bundle=float(mass[near].sum() / mass.sum()),
        level=float(mass[np.abs(lean) <= WINDOW_DEG].sum() / mass.sum()),
        across=_share(flat_lean, flat_weight, degrees),
        up=_share(up_lean, up_weight, degrees),
        longest=float(np.concatenate([length[is_flat], length[is_up]])[near].max(initial=0.0)) / max(grey.shape),
        total=float(length[is_flat].sum() + length[is_up].sum()) / max(grey.shape),
        fan=fan,
    )


def _plumb(lean: Floats, middle: Floats, weight: Floats) -> tuple[float, Floats]:
    """Convergence of the uprights, and their lean without it (weighted least squares, once without outliers)."""
    if lean.size < 6 or float(np.ptp(middle)) < 0.3:
        return 0.0, lean
    keep: Mask = np.ones(lean.size, np.bool_)
    slope = 0.0
    for _ in range(3):
        fit = np.polyfit(middle[keep], lean[keep], 1, w=np.sqrt(weight[keep]))
        slope = float(fit[0])
        away = np.abs(lean - np.polyval(fit, middle))
        keep = away <= max(2.0, float(np.median(away)) * 2)
        if keep.sum() < 4:
            break
    return slope, np.asarray(lean - slope * middle, np.float32)


def _strongest(lean: Floats, mass: Floats) -> float:
    bins = np.arange(-MOST_DEG, MOST_DEG + 0.01, 0.25)
    counts = np.array([float(mass[np.abs(lean - centre) <= WINDOW_DEG].sum()) for centre in bins])
    centre = float(bins[int(np.argmax(counts))])
    near = np.abs(lean - centre) <= WINDOW_DEG
    return float(np.average(lean[near], weights=mass[near])) if near.any() else 0.0


def _share(lean: Floats, mass: Floats, degrees: float) -> float:
    return float(mass[np.abs(lean - degrees) <= WINDOW_DEG].sum() / mass.sum()) if mass.size else 0.0
