"""Bars and frames of one colour at the picture's edges. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from review_copilot.domain.image import Pixels

FLAT_LEVELS = 6.0
"""Spread of a row (in grey levels, 5th to 95th percentile) up to which it counts as one colour after compression."""
STEP_LEVELS = 12.0
"""Least difference between the bar and the picture beside it."""
MOST_SHARE = 0.4
"""A bar deeper than this share of the picture is taken for a subject."""


class Side(StrEnum):
    """A side of the picture."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        side: Where.
        depth: How deep it reaches, as a fraction of the picture's width or height.
        level: Its mean colour, 0 = black, 255 = white.
    """

    side: Side
    depth: float
    level: float


def bars(rgb: Pixels) -> tuple[Bar, ...]:
    """Bars at the four sides; empty when there are none or the whole picture is of one colour."""
    found = []
    for side in Side:
        lines = _lines_from(rgb, side)
        depth = _flat_depth(lines)
        if 0 < depth < lines.shape[0] * MOST_SHARE:
            found.append(Bar(side, depth / lines.shape[0], float(lines[:depth].mean())))
    return tuple(found)


def _lines_from(rgb: Pixels, side: Side) -> Pixels:
    """The picture as lines parallel to a side, outermost first; shape (lines, pixels, 3)."""
    match side:
        case Side.TOP:
            return rgb
        case Side.BOTTOM:
            return rgb[::-1]
        case Side.LEFT:
            return rgb.transpose(1, 0, 2)
        case Side.RIGHT:
            return rgb.transpose(1, 0, 2)[::-1]


def _flat_depth(lines: Pixels) -> int:
    first = lines[0].astype(np.float32)
    colour = np.median(first, axis=0)
    reach = int(lines.shape[0] * MOST_SHARE) + 1
    away = np.abs(lines[:reach].astype(np.float32) - colour).max(axis=2)
    flat = np.quantile(away, 0.97, axis=1) <= FLAT_LEVELS
    depth = int(np.argmin(flat)) if not flat.all() else reach
    if depth == 0 or depth >= reach:
        return depth
    step = float(np.median(away[min(depth + 1, reach - 1)]))
    return depth if step >= STEP_LEVELS else 0
