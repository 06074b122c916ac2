"""Where the picture is soft although its surroundings are sharp. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from photo_inspector.pixels.frame import Floats, Frame, Gray, Mask
from photo_inspector.pixels.ranks import median, quantile
from review_copilot.plugin import Box

CELL_PX = 8
"""Side of a cell of the map, in pixels of the middle level."""
LEAST_DETAIL = 0.7
"""Gray levels of coarse detail from which a cell says anything."""


DROPS = (1.1, 0.8, 1.5)
"""How far below the sharpest parts, as a logarithm, soft ones lie: one area may come once for each."""


@dataclass(frozen=True, slots=True)
class Softness:
    """A soft area.

    Attributes:
        box: Around it.
        percent: Its own area as a share of the picture.
        step: Sharpness of the ring around it over its own, as a logarithm.
        enclosed: Share of its rim that is sharp.
        fill: Its area over that of its box.
        detail: Contrast of its coarse detail in gray levels; soft things without any say nothing.
        at_edge: Share of its rim that lies on the picture's edge.
        gap: What nearly all of its rim has more of fine over coarse detail than nearly all of it, as a logarithm.
        elsewhere: Share of the detail outside of it that is soft as well; large where a picture has little depth.
    """

    box: Box
    percent: float
    step: float
    enclosed: float
    fill: float
    detail: float
    at_edge: float
    gap: float
    elsewhere: float


@dataclass(frozen=True, slots=True)
class SharpnessMap:
    """What is sharp and what is soft.

    Attributes:
        sharp_percent: Share of the cells with detail that are sharp.
        soft_percent: Share of the cells with detail that are soft.
        patches: Soft areas, largest first for each of `DROPS`.
    """

    sharp_percent: float
    soft_percent: float
    patches: tuple[Softness, ...]


def sharpness_map(frame: Frame) -> SharpnessMap:
    """Fine over coarse detail, cell by cell.

    Fine detail is what a blur of .7 px takes away, coarse detail what lies between blurs of 1.5 and 4 px (P. Burt,
    E. Adelson, "The Laplacian pyramid", 1983). A blur of s px lowers fine over coarse wherever there is any detail.
    """
    gray = frame.middle_gray.astype(np.float32)
    rows, columns = gray.shape[0] // CELL_PX, gray.shape[1] // CELL_PX
    if min(rows, columns) < 8:
        return SharpnessMap(0.0, 0.0, ())
    gray = np.ascontiguousarray(gray[: rows * CELL_PX, : columns * CELL_PX])
    fine = _cells(np.asarray(cv2.absdiff(gray, cv2.GaussianBlur(gray, (0, 0), 0.7)), np.float32))
    soft_a = cv2.GaussianBlur(gray, (0, 0), 1.5)
    coarse = _cells(np.asarray(cv2.absdiff(soft_a, cv2.GaussianBlur(soft_a, (0, 0), 3.7)), np.float32))
    ratio = np.log((fine + 0.08) / (coarse + 0.5))
    detailed = coarse > LEAST_DETAIL
    if detailed.sum() < 30:
        return SharpnessMap(0.0, 0.0, ())
    high = quantile(ratio[detailed], 0.8)
    weight = np.minimum(coarse, 6.0)
    blurred = cv2.GaussianBlur(ratio * weight, (0, 0), 1.0) / (cv2.GaussianBlur(weight, (0, 0), 1.0) + 1e-3)
    quiet = np.asarray(cv2.GaussianBlur(fine, (0, 0), 1.0)) < 0.25 * median(fine)
    levels = np.asarray(blurred, np.float32)
    masks = [_soft(levels, quiet, high=high, drop=drop) for drop in DROPS]
    return SharpnessMap(
        sharp_percent=100 * float((blurred > high - 0.8)[detailed].mean()),
        soft_percent=100 * float(masks[0][detailed].mean()),
        patches=tuple(patch for mask in masks for patch in _patches(mask, fine=fine, coarse=coarse, ratio=levels)),
    )


def _soft(ratio: Floats, quiet: Mask, *, high: float, drop: float) -> Gray:
    """Where fine over coarse detail lies so far below that of the sharpest fifth; 0 or 1."""
    mask = ((ratio < high - drop) & (ratio < -0.5 - drop)) | (quiet & (ratio < high - drop + 0.2))
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)


def _cells(values: Floats) -> Floats:
    rows, columns = values.shape[0] // CELL_PX, values.shape[1] // CELL_PX
    return np.asarray(cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)


def _patches(mask: Gray, *, fine: Floats, coarse: Floats, ratio: Floats) -> tuple[Softness, ...]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    rows, columns = mask.shape
    found = []
    detailed = coarse > LEAST_DETAIL
    for index in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[index])
        if area < 0.01 * mask.size or min(w, h) < 3:
            continue
        own = labels == index
        grown = np.asarray(cv2.dilate(own.astype(np.uint8), np.ones((5, 5), np.uint8))) > 0
        ring = grown & ~own
        rim = ring.sum()
        touching = int(own[0].sum() + own[-1].sum() + own[:, 0].sum() + own[:, -1].sum())
        inside, around = median(fine[own]), median(fine[ring]) if rim else 0.0
        found.append(
            Softness(
                box=Box(x / columns, y / rows, w / columns, h / rows),
                percent=100.0 * area / mask.size,
                step=float(np.log((around + 0.05) / (inside + 0.05))),
                enclosed=float((fine[ring] > 2.2 * inside + 0.1).mean()) if rim else 0.0,
                fill=area / (w * h),
                detail=float(coarse[own].mean()),
                gap=quantile(ratio[ring], 0.2) - quantile(ratio[own], 0.8) if rim else 0.0,
                elsewhere=float((mask[detailed & ~own] > 0).mean()) if (detailed & ~own).any() else 0.0,
                at_edge=touching / max(1, touching + int(rim) // 2),
            )
        )
    return tuple(sorted(found, key=lambda p: -p.percent))
