"""Name a change of copper by what it touches, and say how much of the width it takes. Knows no guideline.

Added and missing copper are mirror images: a spur is to the gap what a mousebite is to the trace. All functions
therefore speak of `ground`, the stuff that the change eats into, and `shore`, the stuff that it grows from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from scipy import ndimage

from photo_inspector.reference.copper import Change, Copper
from photo_inspector.reference.planes import Mask, depth_px, dilated, disc


class Defect(StrEnum):
    """Kinds of defect of bare boards; the value is the measure's name in guidelines."""

    OPEN = "pcb_open"
    SHORT = "pcb_short"
    MOUSEBITE = "pcb_mousebite"
    SPUR = "pcb_spur"
    SPURIOUS_COPPER = "pcb_spurious_copper"
    PIN_HOLE = "pcb_pin_hole"


_KINDS = {
    True: (Defect.SPURIOUS_COPPER, Defect.SPUR, Defect.SHORT),
    False: (Defect.PIN_HOLE, Defect.MOUSEBITE, Defect.OPEN),
}

_CLOSE = 3.0
_RING = 2.0
_LEAST_CONTACT = 3.0
_SURROUNDINGS = 12


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a change is.

    Attributes:
        defect: Its kind.
        counted: Length in px of each stretch along which the change touches its shore and that counts, longest first.
        doubt: 0 when the kind is plain, 1 when a contact is as short as the shortest that counts.
        along_px: Extent along the trace or gap that it lies in.
        across_px: Extent across it.
        width_px: Width of that trace or gap in the reference.
        taken_percent: Share of the width that the change takes, 0..100.
    """

    defect: Defect
    counted: tuple[float, ...]
    doubt: float
    along_px: float
    across_px: float
    width_px: float
    taken_percent: float


def diagnose(change: Change, copper: Copper) -> Diagnosis:
    """Name the change by the number of separate stretches of its outline that touch its shore.

    Missing copper that touches no bare board is a pin-hole, with one contact a mousebite, with two or more it parts
    the copper: an open. Added copper that touches no copper is spurious, with one contact a spur, with two or more
    a short. Counting contacts, not pieces of copper, also tells a bridge within one net and a cut in a ring.
    """
    window = _window(change, copper.image.shape, margin_px=round((_SURROUNDINGS + _CLOSE + _RING) * change.grain))
    body = _body_in(change, window)
    image, reference = copper.image[window], copper.reference[window]
    shore = (image & reference) if change.added else (~image & ~reference)
    lengths = contacts(body, shore, grain=change.grain)
    counted = tuple(length for length in lengths if length >= _LEAST_CONTACT * change.grain)
    defect = _KINDS[change.added][min(2, len(counted))]
    along, across, width = _extents(body, ~reference if change.added else reference, grain=change.grain)
    taken = 100.0 if defect is Defect.OPEN else min(100.0, 100 * across / width)
    return Diagnosis(defect, counted, _doubt(lengths, grain=change.grain), along, across, width, taken)


def contacts(body: Mask, shore: Mask, *, grain: float) -> tuple[float, ...]:
    """Lengths in px of the separate stretches of the shore around a body, longest first.

    The body is closed and its holes filled, for real defects are frayed; the ring of 2 grains around it is then cut by
    the shore into stretches, whose area over the ring's width is their length.
    """
    closed = cv2.morphologyEx(body.astype(np.uint8), cv2.MORPH_CLOSE, disc(_CLOSE * grain))
    solid = np.asarray(ndimage.binary_fill_holes(closed))
    radius = max(1, int(_RING * grain))
    ring = dilated(solid, radius) & ~solid & shore
    _, _, stats, _ = cv2.connectedComponentsWithStats(ring.astype(np.uint8), connectivity=8)
    return tuple(sorted((float(area) / radius for area in stats[1:, cv2.CC_STAT_AREA]), reverse=True))


def _doubt(lengths: tuple[float, ...], *, grain: float) -> float:
    """How near any of the two longest contacts is to the length at which the kind would change, 0..1."""
    least = _LEAST_CONTACT * grain
    return max((max(0.0, 1 - abs(length - least) / least) for length in lengths[:2]), default=0.0)


def _extents(body: Mask, ground: Mask, *, grain: float) -> tuple[float, float, float]:
    """Extent of the body along and across the strip of ground that it lies in, and that strip's width, all in px.

    The strip's direction comes from the structure tensor of the ground's depth, its width from the greatest depth near
    the body: the radius of the largest disc that fits (Blum's medial axis).
    """
    depth = depth_px(ground)
    near = dilated(body, 2 * grain)
    reach = max(2 * grain, float(depth[near].max(initial=0.0)))
    around = dilated(body, min(reach, _SURROUNDINGS * grain)) & ground
    width = max(1.0, 2 * float(depth[around].max(initial=0.0)) - 1)
    gy, gx = np.gradient(depth)
    inside = near & ground
    angle = 0.5 * np.arctan2(2 * (gx * gy)[inside].sum(), (gx * gx - gy * gy)[inside].sum())
    y, x = np.nonzero(body)
    across = np.ptp(x * np.cos(angle) + y * np.sin(angle)) + 1.0
    along = np.ptp(y * np.cos(angle) - x * np.sin(angle)) + 1.0
    return float(along), float(across), width


def _window(change: Change, shape: tuple[int, ...], *, margin_px: int) -> tuple[slice, slice]:
    return (
        slice(max(0, change.rows.start - margin_px), min(shape[0], change.rows.stop + margin_px)),
        slice(max(0, change.columns.start - margin_px), min(shape[1], change.columns.stop + margin_px)),
    )


def _body_in(change: Change, window: tuple[slice, slice]) -> Mask:
    rows, columns = window
    body = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.bool_)
    top, left = change.rows.start - rows.start, change.columns.start - columns.start
    body[top : top + change.body.shape[0], left : left + change.body.shape[1]] = change.body
    return body
