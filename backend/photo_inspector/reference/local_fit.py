"""Whether a change of copper is there when the reference is laid over the image place by place. Knows no defect.

Global alignment and smooth drift leave a place a pixel or two off where a scan was stitched or an edge is frayed. Such
a place shows slivers along its edges that vanish when the reference is moved by as much; a defect stays.
"""

from __future__ import annotations

import numpy as np

from photo_inspector.reference.copper import LEAST_AREA, Change, Copper
from photo_inspector.reference.planes import Mask, depth_px, dilated

REACH = 4.0
"""Grains by which a place may lie off."""
SURROUNDINGS = 8.0
"""Distance in grains around a change within which the reference is aligned again."""
THIN = 3.0
"""Grains that a frayed edge reaches beyond the tolerance of edges, at most."""
LONG = 3.0
"""Length over breadth from which a thin change follows an edge."""


def stays(change: Change, copper: Copper) -> bool:
    """Whether a change is still there under the best shift of its surroundings, and is no frayed edge."""
    grain = change.grain
    margin = round(SURROUNDINGS * grain)
    rows = slice(max(0, change.rows.start - margin), min(copper.image.shape[0], change.rows.stop + margin))
    columns = slice(max(0, change.columns.start - margin), min(copper.image.shape[1], change.columns.stop + margin))
    image, reference = copper.image[rows, columns], copper.reference[rows, columns]
    body = np.zeros(image.shape, np.bool_)
    top, left = change.rows.start - rows.start, change.columns.start - columns.start
    body[top : top + change.body.shape[0], left : left + change.body.shape[1]] = change.body
    near = dilated(body, 2 * grain)
    reach = round(REACH * grain)
    steps = range(-reach, reach + 1)
    best = min(
        ((down, across) for down in steps for across in steps),
        key=lambda by: (int((_moved(reference, by) ^ image)[~near].sum()), abs(by[0]) + abs(by[1])),
    )
    return _certain(image, _moved(reference, best), near, change=change) >= LEAST_AREA * grain * grain


def _certain(image: Mask, reference: Mask, near: Mask, *, change: Change) -> int:
    """Pixels of the change that no tolerance of edges explains under this reference."""
    here, there = (image, reference) if change.added else (~image, ~reference)
    difference = here & ~there & near
    tolerance = change.tolerance_px
    certain = difference & ((depth_px(~there) > tolerance) | (depth_px(here) > tolerance))
    y, x = np.nonzero(certain)
    if y.size == 0:
        return 0
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(np.stack([y, x])) if y.size > 1 else np.eye(2)), 0.08))
    breadth, length = (float(np.sqrt(12.0) * one) for one in spread)
    frayed = breadth <= THIN * change.grain and length >= LONG * breadth
    return 0 if frayed else int(certain.sum())


def _moved(mask: Mask, by: tuple[int, int]) -> Mask:
    """The mask moved by rows and columns; what comes in repeats the edge."""
    down, across = by
    padded = np.pad(mask, ((max(down, 0), max(-down, 0)), (max(across, 0), max(-across, 0))), mode="edge")
    height, width = mask.shape
    top, left = max(-down, 0), max(-across, 0)
    return np.asarray(padded[top : top + height, left : left + width])
