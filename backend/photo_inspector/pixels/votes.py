"""Boxes that many small squares of a picture agree on. Knows no network and no guideline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photo_inspector.pixels.frame import Floats
from photo_inspector.pixels.parts import Ints
from review_copilot.plugin import Box

Doubles = npt.NDArray[np.float64]

AGREED = 0.5
"""Overlap from which two squares speak of one box."""
MOST_ELECTED = 40
"""Boxes that are looked at, those of most weight first."""


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """What squares take for the box of the thing that they are part of, the likeliest first.

    Attributes:
        edges: Left, upper, right and lower edge as fractions of the picture, shape (squares, 4).
        likely: How likely each is part of something, 0..1.
        row: In which row of squares each lies.
        column: In which column.
        shape: Rows and columns of squares of the picture.
    """

    edges: Floats
    likely: Floats
    row: Ints
    column: Ints
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Elected:
    """A box that squares agree on.

    Attributes:
        box: Weighted mean of what they take for it.
        weight: Sum of how likely each is part of something, 0 and up.
        squares: Their places among the votes.
        wide: Its width in squares, at least 1.
        high: Its height in squares, at least 1.
    """

    box: Box
    weight: float
    squares: Ints
    wide: float
    high: float


def elected(votes: Votes) -> tuple[Elected, ...]:
    """What squares agree on, that of most weight first.

    The likeliest square's box and all that overlap it are one (after R. Solovyev, W. Wang, T. Gabruseva, "Weighted
    boxes fusion", 2021), then the likeliest of the rest.
    """
    found = []
    rows, columns = votes.shape
    left, top, right, bottom = votes.edges.T
    area = (right - left) * (bottom - top)
    open_ = np.arange(area.size)
    while open_.size:
        first = open_[0]
        across = np.minimum(right[first], right[open_]) - np.maximum(left[first], left[open_])
        down = np.minimum(bottom[first], bottom[open_]) - np.maximum(top[first], top[open_])
        shared = np.maximum(across, 0) * np.maximum(down, 0)
        alike = shared >= AGREED * (area[first] + area[open_] - shared)
        alike[0] = True
        squares, open_ = open_[alike], open_[~alike]
        weight = votes.likely[squares]
        x, y, x2, y2 = (weight @ votes.edges[squares] / weight.sum()).tolist()
        wide, high = max(1.0, (x2 - x) * columns), max(1.0, (y2 - y) * rows)
        found.append(Elected(Box(x, y, x2 - x, y2 - y), float(weight.sum()), squares, wide, high))
    return tuple(sorted(found, key=lambda one: -one.weight)[:MOST_ELECTED])


def edges_of(boxes: Iterable[Box]) -> Doubles:
    """Left, upper, right and lower edges as fractions of the picture, shape (boxes, 4)."""
    return np.array([(box.x, box.y, box.right, box.bottom) for box in boxes], np.float64).reshape(-1, 4)


def backing(boxes: Doubles, chosen: Sequence[Elected], *, thin: bool) -> Floats:
    """How much those that elected a box like it speak for each box: 0 for not at all, 1 where every square does.

    The most of overlap (IoU) times weight over squares that the elected box takes, along its longer side or in all.

    Args:
        boxes: Left, upper, right and lower edges as fractions of the picture, shape (boxes, 4).
        chosen: What was elected.
        thin: Whether the things are lines.
    """
    if not chosen or not len(boxes):
        return np.zeros(len(boxes), np.float32)
    others = edges_of(one.box for one in chosen)
    across = np.minimum(boxes[:, None, 2], others[:, 2]) - np.maximum(boxes[:, None, 0], others[:, 0])
    down = np.minimum(boxes[:, None, 3], others[:, 3]) - np.maximum(boxes[:, None, 1], others[:, 1])
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    own, theirs = ((b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) for b in (boxes, others))
    overlap = shared / np.maximum(own[:, None] + theirs - shared, 1e-12)
    taken = [max(one.wide, one.high) if thin else one.wide * one.high for one in chosen]
    share = np.array([one.weight for one in chosen]) / taken
    return np.asarray((overlap * share).max(axis=1), np.float32)
