"""Connected parts of a mask, and where their pixels lie. Knows no letters and no fibers."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.pixels.frame import Gray

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The parts of a mask that are not too small, the upmost first; every array but the last has one entry for each.

    Attributes:
        x: Left edge in pixels.
        y: Upper edge in pixels.
        width: In pixels.
        height: In pixels.
        area: Pixels of its own.
        first: Where in `on` its pixels begin.
        on: Flat places of all parts' pixels in the mask, part by part, each row by row.
    """

    x: Ints
    y: Ints
    width: Ints
    height: Ints
    area: Ints
    first: Ints
    on: Ints

    def pixels(self, chosen: Ints) -> tuple[Ints, Ints]:
        """Flat places of some parts' pixels, part by part in the order chosen, and where in them each part begins."""
        sizes = self.area[chosen]
        starts = np.cumsum(sizes) - sizes
        return self.on[np.arange(sizes.sum()) + np.repeat(self.first[chosen] - starts, sizes)], starts


def parts_of(mask: Gray, *, least_px: float) -> Parts:
    """The parts of at least `least_px` pixels; pixels that touch by a corner hang together.

    OpenCV's own statistics look at every pixel of the picture; few are in a mask, and most parts of it are specks.

    Args:
        mask: 0 or 1 per pixel.
        least_px: Smaller parts are left out.
    """
    left, top, width, height = cv2.boundingRect(mask)
    if width == 0:
        return Parts(*(np.zeros(0, np.int64),) * 7)
    cut = np.ascontiguousarray(mask[top : top + height, left : left + width])
    count, labels = cv2.connectedComponents(cut, connectivity=8)
    on = np.flatnonzero(cut.view(np.bool_))
    owner = np.take(np.asarray(labels, np.int32), on)
    area = np.bincount(owner, minlength=count)
    large = area >= max(least_px, 1)
    # a stable sort of short numbers counts them
    place = (np.cumsum(large) - 1).astype(np.uint16 if count < 2**16 else np.uint32)
    kept = np.take(large, owner)
    order = np.argsort(np.take(place, np.compress(kept, owner)), kind="stable")
    on = np.take(np.compress(kept, on), order)
    area = area[large]
    end = np.cumsum(area)
    first = end - area
    if area.size == 0:
        return Parts(area, area, area, area, area, first, on)
    rows, columns = np.divmod(on, width)
    x, right = np.minimum.reduceat(columns, first), np.maximum.reduceat(columns, first)
    y, bottom = rows[first], rows[end - 1]
    on = (rows + top) * mask.shape[1] + columns + left
    return Parts(x + left, y + top, right - x + 1, bottom - y + 1, area, first, on)
