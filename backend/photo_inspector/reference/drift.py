"""Where a picture has drifted from another by a few pixels, differently from place to place. Knows no circuits."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from photo_inspector.reference.planes import Gray, Mask, smoothed

WORK_SIDE_PX = 640
"""Longer side at which drift is measured."""

_STIFFNESS = 1.0
_LEAST_SIDE_PX = 32


@dataclass(frozen=True, slots=True)
class _Grid:
    """One pass of block matching: shifts up to `reach_px`, nodes every `step_px`, windows of `window_px`."""

    reach_px: int
    step_px: int
    window_px: int


_PASSES = (_Grid(reach_px=7, step_px=32, window_px=96), _Grid(reach_px=2, step_px=24, window_px=64))

Field = npt.NDArray[np.float32]
"""Shape (height_px, width_px, 2): (dx, dy) in px to add to a pixel's place to find its partner."""


def drift(image: Gray, reference: Gray, valid: Mask) -> Field:
    """Displacement field that carries each pixel of `image` to its partner in `reference`.

    Block matching on a grid: around each node the mean squared difference is taken for every shift (up to 7 px at a
    longer side of 640 px, then finer), its surfaces are smoothed over neighboring nodes, and a parabola gives the
    fraction of a pixel. Squared differences are capped, so that a flaw weighs no more than its area; a small penalty
    on the shift settles nodes without structure.

    Args:
        image: Gray plane.
        reference: Gray plane of the same shape, roughly aligned, of like exposure.
        valid: Where `reference` holds true pixels.

    Returns:
        The field, of the shape of `image`; zeros when the reference has no contrast.
    """
    height, width = image.shape
    scale = min(1.0, WORK_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    low, high = np.percentile(reference, [2, 98])
    if high - low < 1 or min(size) < _LEAST_SIDE_PX:
        return np.zeros((height, width, 2), np.float32)
    t, r = (_prepared(plane, size, contrast=float(high - low)) for plane in (image, reference))
    mask = cv2.resize(valid.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    field = np.zeros((*t.shape, 2), np.float32)
    for grid in _PASSES:
        field += _spread(_settled(_cost_volume(t, _moved(r, field), mask, grid), grid), shape=t.shape, grid=grid)
    return np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR) / scale, dtype=np.float32)


def _prepared(plane: Gray, size: tuple[int, int], *, contrast: float) -> Gray:
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return smoothed(np.asarray(small / contrast, dtype=np.float32), 1.0)


def _moved(plane: Gray, field: Field) -> Gray:
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]].astype(np.float32)
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.remap(plane, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR, borderMode=border))


def _cost_volume(image: Gray, reference: Gray, mask: Gray, grid: _Grid) -> Gray:
    """Sum of capped squared differences around each node, shape (2 r + 1, 2 r + 1, rows, columns): [dy, dx, ...]."""
    height, width = image.shape
    reach = grid.reach_px
    padded = cv2.copyMakeBorder(reference, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    rows, columns = np.arange(0, height, grid.step_px), np.arange(0, width, grid.step_px)
    side, window = 2 * reach + 1, (grid.window_px, grid.window_px)
    volume = np.empty((side, side, len(rows), len(columns)), np.float32)
    for dy in range(side):
        for dx in range(side):
            squared = np.minimum((image - padded[dy : dy + height, dx : dx + width]) ** 2, 1.0) * mask
            sums = cv2.boxFilter(squared, -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
            volume[dy, dx] = sums[np.ix_(rows, columns)]
    return volume


def _settled(volume: Gray, grid: _Grid) -> Field:
    """Best shift for each node, (rows, columns, 2) as (dx, dy), to a fraction of a pixel."""
    side = volume.shape[0]
    shifts = np.arange(side, dtype=np.float32) - grid.reach_px
    penalty = _STIFFNESS * (shifts[:, None] ** 2 + shifts[None, :] ** 2)
    cost = ndimage.gaussian_filter(volume, (0, 0, 1, 1)) + penalty[:, :, None, None]
    rows, columns = cost.shape[2:]
    best_dy, best_dx = np.divmod(cost.reshape(side * side, rows, columns).argmin(axis=0), side)
    i, j = np.mgrid[:rows, :columns]

    def fraction(index: npt.NDArray[np.intp], *, along_y: bool) -> Gray:
        inner = np.clip(index, 1, side - 2)
        before, at, after = (
            cost[inner + k, best_dx, i, j] if along_y else cost[best_dy, inner + k, i, j] for k in (-1, 0, 1)
        )
        bend = before + after - 2 * at
        step = np.where((inner == index) & (bend > 1e-6), 0.5 * (before - after) / np.maximum(bend, 1e-6), 0.0)
        return np.asarray(np.clip(step, -0.5, 0.5), dtype=np.float32)

    dx = shifts[best_dx] + fraction(best_dx, along_y=False)
    dy = shifts[best_dy] + fraction(best_dy, along_y=True)
    return np.stack([ndimage.median_filter(plane, 3) for plane in (dx, dy)], axis=-1).astype(np.float32)


def _spread(nodes: Field, *, shape: tuple[int, ...], grid: _Grid) -> Field:
    """The nodes' shifts interpolated to every pixel."""
    y = np.clip(np.arange(shape[0]) / grid.step_px, 0, nodes.shape[0] - 1)
    x = np.clip(np.arange(shape[1]) / grid.step_px, 0, nodes.shape[1] - 1)
    grid_y, grid_x = (plane.astype(np.float32) for plane in np.meshgrid(y, x, indexing="ij"))
    planes = [cv2.remap(np.ascontiguousarray(nodes[..., k]), grid_x, grid_y, cv2.INTER_LINEAR) for k in (0, 1)]
    return np.stack(planes, axis=-1)
