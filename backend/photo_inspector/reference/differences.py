"""Places where an image differs from its aligned reference. Knows no circuits and no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from photo_inspector.reference.planes import Gray, Mask, clusters, disc, grain_of, smoothed
from review_copilot.plugin import Pixels

_SHIFT_TOLERANCE = 2.0
_LEAST_CONTRAST = 20.0
_NOISE_FACTOR = 6.0
_TEXTURE_FACTOR = 0.45
_OUTLINE_FACTOR = 0.5
_LEAST_AREA = 24.0
_JOIN_GAP = 8.0


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs.

    Attributes:
        x_px: Left edge.
        y_px: Top edge.
        width_px: Width.
        height_px: Height.
        area_px: Pixels that differ.
        brightness: Mean change of luma there, in levels of 255; negative where the image is darker.
        contrast: Mean change of the channel that changes most, in levels of 255.
        certainty: How far the strongest change stands above the threshold, 1 at the threshold.
    """

    x_px: int
    y_px: int
    width_px: int
    height_px: int
    area_px: int
    brightness: float
    contrast: float
    certainty: float


def differences(image: Pixels, reference: Pixels, valid: Mask) -> tuple[Difference, ...]:
    """All places that differ by more than noise, compression and a shift of two grains can explain.

    A pixel differs by what it exceeds the greatest, or falls short of the least, level of the reference within two
    grains of it; so an edge that lies slightly elsewhere is no difference. The threshold is 20 levels, or six times
    the noise where that is more, and nearly half of the reference's local range on top: texture survives compression
    and resampling badly. Places above it grow to half the threshold. All of these were set on photographs of one half
    of a set, moved, re-exposed, noisy and compressed, with planted patches.

    Args:
        image: RGB.
        reference: RGB of the same shape, aligned and of like exposure.
        valid: Where `reference` holds true pixels.
    """
    grain = grain_of(image.shape)
    seen, wanted = (_calmed(pixels, grain) for pixels in (image, reference))
    ratio = np.zeros(image.shape[:2], np.float32)
    for k in range(3):
        low, high = _envelope(wanted[..., k], _SHIFT_TOLERANCE * grain)
        beyond = np.maximum(np.maximum(seen[..., k] - high, low - seen[..., k]), 0.0)
        floor = max(_LEAST_CONTRAST, _NOISE_FACTOR * _noise(seen[..., k] - wanted[..., k], valid))
        limit = floor + _TEXTURE_FACTOR * (high - low)
        ratio = np.maximum(ratio, beyond / limit)
    ratio[~valid] = 0.0
    found = []
    for rows, columns, body in clusters(_grown(ratio), gap_px=_JOIN_GAP * grain):
        strong = body & (ratio[rows, columns] >= 1)
        if body.sum() >= _LEAST_AREA * grain * grain and strong.sum() >= _LEAST_AREA / 4 * grain * grain:
            found.append(_described(rows, columns, body, image=image, reference=reference, ratio=ratio))
    return tuple(found)


def differing_share(found: tuple[Difference, ...], valid: Mask) -> float:
    """Share of the comparable picture that differs, 0..1."""
    return min(1.0, sum(one.area_px for one in found) / max(1, int(valid.sum())))


def _calmed(pixels: Pixels, grain: float) -> Gray:
    """Lightly blurred, to calm noise and compression."""
    return smoothed(pixels.astype(np.float32), 1.0 * grain)


def _envelope(plane: Gray, radius_px: float) -> tuple[Gray, Gray]:
    """Least and greatest level within the radius of each pixel."""
    around = disc(radius_px)
    return np.asarray(cv2.erode(plane, around)), np.asarray(cv2.dilate(plane, around))


def _noise(residual: Gray, valid: Mask) -> float:
    """Standard deviation of the residual, by its median absolute deviation (Rousseeuw and Croux, 1993)."""
    inside = residual[valid]
    return 1.4826 * float(np.median(np.abs(inside - np.median(inside)))) if inside.size else 0.0


def _grown(ratio: Gray) -> Mask:
    """Pieces of the half-threshold mask that hold a pixel above the threshold."""
    weak = (ratio >= _OUTLINE_FACTOR).astype(np.uint8)
    count, labels = cv2.connectedComponents(weak, connectivity=8)
    keep = np.zeros(count, dtype=np.bool_)
    keep[np.unique(labels[ratio >= 1])] = True
    keep[0] = False
    return np.asarray(keep[labels])


def _described(rows: slice, columns: slice, body: Mask, *, image: Pixels, reference: Pixels, ratio: Gray) -> Difference:
    change = image[rows, columns][body].astype(np.float32) - reference[rows, columns][body].astype(np.float32)
    brightness = float((change @ np.asarray([0.299, 0.587, 0.114], np.float32)).mean())
    return Difference(
        x_px=columns.start,
        y_px=rows.start,
        width_px=columns.stop - columns.start,
        height_px=rows.stop - rows.start,
        area_px=int(body.sum()),
        brightness=brightness,
        contrast=float(np.abs(change).max(axis=1).mean()),
        certainty=float(ratio[rows, columns][body].max()),
    )
