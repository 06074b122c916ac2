"""Straight seams where two pictures, or two parts of one, were put together. Knows no guideline.

At a seam the scene goes on, but with a step of tone or beside itself. The edge of a wall is a step too; but there the
two sides have nothing to do with each other, while at a seam one side foretells the other. A slanting rail lies beside
itself in neighboring columns too; but it does so everywhere, while a seam does so in one column only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.plugin import Box

SIDE_PX = 800
"""Longer side at which seams are looked for."""
PIECES = 8
"""Pieces of a side that are looked at by themselves; things are shorter than seams, which run through most of them."""
LEAST_PIECES = 3
LEAST_AGREEING = 0.5
"""Share of the pieces with detail that must show the same seam."""
LEAST_LIKENESS = 0.5
"""Correlation of the two sides along the seam."""
LEAST_STEP = 2.5
"""Gray levels by which the tone jumps."""
LEAST_GAIN = 0.15
"""Rise of the correlation when one side is moved along the seam."""
MOST_SHIFT_PX = 12
LEAST_CONTRAST = 2.5
"""Gray levels by which each side varies along the seam; an even wall foretells nothing."""
_EDGE_SHARE = 0.03
_FINE_PX = 25
_APART_PX = 6

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class SeamKind(StrEnum):
    """What gives a seam away."""

    TONE = "tone"
    SHIFT = "shift"


@dataclass(frozen=True, slots=True)
class Seam:
    """One straight seam, upright or level.

    Attributes:
        box: Around it, two per cent of the picture wide.
        upright: Whether it runs up and down.
        kind: What gives it away.
        step: Gray levels by which the tone jumps, or full pixels by which the scene is beside itself.
        likeness: Correlation of both sides, 0..1.
        length: Share of the side along which it runs.
    """

    box: Box
    upright: bool
    kind: SeamKind
    step: float
    likeness: float
    length: float


def seams(gray: npt.NDArray[np.uint8], *, shrink: float = 1.0) -> tuple[Seam, ...]:
    """Seams, longest first.

    Args:
        gray: The picture, at most `SIDE_PX` on its longer side.
        shrink: Full pixels per pixel of `gray`.
    """
    if min(gray.shape) < 96:
        return ()
    level = gray.astype(np.float32)
    found = [
        *_upright(level, shrink=shrink),
        *(_turned(seam) for seam in _upright(np.ascontiguousarray(level.T), shrink=shrink)),
    ]
    return tuple(sorted(found, key=lambda s: (-s.length, -s.likeness)))


def _turned(seam: Seam) -> Seam:
    box = seam.box
    return Seam(Box(box.y, box.x, box.height, box.width), False, seam.kind, seam.step, seam.likeness, seam.length)


def _upright(level: Floats, *, shrink: float) -> list[Seam]:
    height, width = level.shape
    # only fine detail tells a place along the seam; coarse light and shade are alike wherever one looks
    fine = np.asarray(level - cv2.blur(level, (1, _FINE_PX)), np.float32)
    left, right = _beside(fine, -1), _beside(fine, 1)
    none = _likeness(left, right, shift=0)
    detailed = np.minimum(_spread(left), _spread(right)) >= LEAST_CONTRAST
    edge = max(_APART_PX + 2, round(_EDGE_SHARE * width))
    detailed[:, :edge] = detailed[:, -edge:] = False

    step, steady = _step(level)
    usual = np.median(np.abs(step), axis=1, keepdims=True)
    jumps = (np.abs(step) >= LEAST_STEP + 4 * usual) & (steady > 0.6)
    goes_on = detailed & (none >= LEAST_LIKENESS)
    found = []
    jump = np.abs(_along(_beside(level, 1) - _beside(level, -1)))
    for sign in (-1, 1):
        tone = jumps & (np.sign(step) == sign)
        told = _agreed(tone, among=np.ones_like(tone)) & (np.count_nonzero(tone & goes_on, axis=0) >= 2)
        found += _collected(told, tone, SeamKind.TONE, strength=jump, likeness=none, height=height, unit=1.0)

    best, by = none.copy(), np.zeros_like(none)
    for shift in (*range(-MOST_SHIFT_PX, -1), *range(2, MOST_SHIFT_PX + 1)):
        moved = _likeness(left, right, shift=shift)
        better = moved > best
        best[better], by[better] = moved[better], shift
    gain = best - none
    calm = np.maximum(np.roll(gain, _APART_PX, 1), np.roll(gain, -_APART_PX, 1)) < 0.5 * gain
    beside = detailed & (best >= LEAST_LIKENESS) & (gain >= LEAST_GAIN) & calm
    for shift in np.unique(by[beside]):
        same = beside & (np.abs(by - shift) <= 1)
        told = _agreed(same, among=detailed)
        found += _collected(told, same, SeamKind.SHIFT, strength=np.abs(by), likeness=best, height=height, unit=shrink)
    return _apart(found)


def _agreed(mask: Mask, *, among: Mask) -> Mask:
    """Columns of which enough pieces show it."""
    shown, asked = np.count_nonzero(mask, axis=0), np.count_nonzero(among, axis=0)
    return np.asarray((shown >= LEAST_PIECES) & (shown >= LEAST_AGREEING * asked))


def _apart(found: list[Seam]) -> list[Seam]:
    """The likeliest of seams that lie over each other."""
    kept: list[Seam] = []
    for seam in sorted(found, key=lambda s: -s.length * s.likeness):
        if all(seam.box.intersection_area(other.box) == 0 for other in kept):
            kept.append(seam)
    return kept


def _beside(level: Floats, side: int) -> Floats:
    """The mean of two columns on one side of the border behind each column, one column away from it."""
    near, far = (-1, -2) if side < 0 else (2, 3)
    return np.asarray((np.roll(level, -near, 1) + np.roll(level, -far, 1)) / 2, np.float32)


def _along(values: Floats) -> Floats:
    """Means over the pieces of each column; shape (pieces, columns)."""
    edges = np.linspace(0, values.shape[0], PIECES + 1).astype(int)
    sums = np.vstack([np.zeros((1, values.shape[1])), values.cumsum(axis=0, dtype=np.float64)])[edges]
    return np.asarray(np.diff(sums, axis=0) / np.diff(edges)[:, None], np.float32)


def _spread(values: Floats) -> Floats:
    return np.asarray(np.sqrt(np.maximum(_along(values * values) - _along(values) ** 2, 0)), np.float32)


def _likeness(left: Floats, right: Floats, *, shift: int) -> Floats:
    """Correlation of both sides along each piece, the right one moved down by `shift`."""
    moved = np.roll(right, shift, 0)
    together = _along(left * moved) - _along(left) * _along(moved)
    return np.asarray(together / (_spread(left) * _spread(moved) + 1.0), np.float32)


def _step(level: Floats) -> tuple[Floats, Floats]:
    """Mean jump behind each column beyond what both neighbors go on with, and how steadily it has one sign."""
    jump = np.roll(level, -1, 1) - level
    beyond = np.asarray(jump - (np.roll(jump, 1, 1) + np.roll(jump, -1, 1)) / 2, np.float32)
    mean = _along(beyond)
    return mean, np.asarray(np.abs(mean) / (_along(np.abs(beyond)) + 0.5), np.float32)


def _collected(
    told: Mask, pieces: Mask, kind: SeamKind, *, strength: Floats, likeness: Floats, height: int, unit: float
) -> list[Seam]:
    """A seam for each column that tells one, from its first piece to its last."""
    width = told.size
    wide = max(6.0, 0.02 * width)
    edges = np.linspace(0, height, PIECES + 1).astype(int)
    found = []
    for column in np.flatnonzero(told):
        own = np.flatnonzero(pieces[:, column])
        top, bottom = int(edges[own[0]]), int(edges[own[-1] + 1])
        found.append(
            Seam(
                box=Box.from_corners(
                    max(0.0, (column + 1 - wide / 2) / width),
                    top / height,
                    min(1.0, (column + 1 + wide / 2) / width),
                    bottom / height,
                ),
                upright=True,
                kind=kind,
                step=float(np.median(strength[own, column])) * unit,
                likeness=float(np.median(likeness[own, column])),
                length=(bottom - top) / height,
            )
        )
    return found
