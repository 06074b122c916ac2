"""Where copper is, and where it differs from the reference. Knows no class of defect and no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from photo_inspector.reference.planes import Gray, Mask, clusters, depth_px, dilated, eroded, grain_of, smoothed

EDGE_TOLERANCE = 2.0
"""Grains by which an edge may lie elsewhere: etching and sampling (the guideline: "one or two pixels")."""

FRAYED = 2.4
"""Tolerance over the distance within which nine tenths of the edges lie."""
MOST_TOLERANCE = 4.0
"""Grains beyond which a difference is a defect, however frayed the edges are."""
_JOIN_GAP = 6.0
LEAST_AREA = 6.0
"""Square grains of certain pixels from which a change is reported."""
_RIM = 3
_SEPARATION = 0.8
_TWO_LEVEL_SHARE = 0.7


@dataclass(frozen=True, eq=False)
class Copper:
    """The copper of an image and of its reference, in one frame.

    Attributes:
        image: Copper of the image under review.
        reference: Copper of the reference.
        valid: Where both are known.
        dark: Whether copper is the darker of the two levels.
    """

    image: Mask
    reference: Mask
    valid: Mask
    dark: bool


@dataclass(frozen=True, eq=False)
class Change:
    """Copper that was added or is missing in one place.

    Attributes:
        added: True for copper that the reference lacks, False for copper that is missing.
        rows: Rows of its bounding box.
        columns: Columns of its bounding box.
        body: Its pixels within that box.
        certain_px: Number of pixels that no tolerance of edges explains.
        grain: Pixels for one unit of tolerance.
        tolerance_px: Pixels by which edges of this board may lie elsewhere.
    """

    added: bool
    rows: slice
    columns: slice
    body: Mask
    certain_px: int
    grain: float
    tolerance_px: float


def copper_of(image: Gray, reference: Gray, valid: Mask) -> Copper | None:
    """Part both pictures into copper and board, each midway between its own two levels.

    In a picture of two levels (artwork, a scanner's or an inspection machine's output) copper is dark, as on a
    positive film; in a photograph it shines.

    Args:
        image: Gray plane, 0..255.
        reference: The same for the aligned reference.
        valid: Where the reference has true pixels.

    Returns:
        None when the reference does not part into two levels: Otsu's share of the variance that lies between the two
        sides (Otsu 1979, eq. 12) is under 0.8.
    """
    grain = grain_of(image.shape)
    planes = [smoothed(plane, 0.7 * grain) for plane in (image, reference)]
    if _separation(planes[1]) < _SEPARATION or not valid.any():
        return None
    dark = _has_two_levels(reference)
    masks = [(plane <= midway(plane)) == dark for plane in planes]
    return Copper(masks[0], masks[1], valid, dark)


def otsu(plane: Gray) -> float:
    """Otsu's threshold of a plane of 0..255."""
    level, _ = cv2.threshold(np.clip(plane, 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(level)


def midway(plane: Gray) -> float:
    """The level midway between the medians of the two sides of Otsu's threshold: where an edge crosses.

    Otsu's own level may lie anywhere in an empty stretch between two levels, which would thin or thicken all copper.
    """
    upper = plane > otsu(plane)
    if upper.all() or not upper.any():
        return otsu(plane)
    return (float(np.median(plane[upper])) + float(np.median(plane[~upper]))) / 2


def changes(copper: Copper) -> tuple[Change, ...]:
    """All places where copper was added or is missing, by more than the tolerance of edges.

    A pixel counts as certain when it lies deeper than the tolerance inside what the reference has there, or farther
    than the tolerance from what the image has of it: the first finds holes however thin, the second breaks in traces
    however narrow. Uncertain pixels beside certain ones belong to the same change; changes of one kind less than
    6 grains apart are one.
    """
    found: list[Change] = []
    grain = grain_of(copper.image.shape)
    tolerance = tolerance_px(copper, grain=grain)
    usable = copper.valid.copy()
    rim = round(_RIM * grain)
    usable[:rim], usable[-rim:], usable[:, :rim], usable[:, -rim:] = False, False, False, False
    for added, here, there in ((True, copper.image, copper.reference), (False, ~copper.image, ~copper.reference)):
        difference = here & ~there
        certain = difference & ((depth_px(~there) > tolerance) | (depth_px(here) > tolerance)) & usable
        body = certain | (dilated(certain, tolerance + grain) & difference & copper.valid)
        for rows, columns, pixels in clusters(body, gap_px=_JOIN_GAP * grain):
            sure = int((pixels & certain[rows, columns]).sum())
            if sure >= LEAST_AREA * grain * grain:
                found.append(Change(added, rows, columns, pixels, sure, grain, tolerance))
    return tuple(found)


def tolerance_px(copper: Copper, *, grain: float) -> float:
    """Pixels by which an edge may lie elsewhere: two grains, or more where the edges of the whole board are frayed.

    Nine tenths of the image's edge pixels lie within half of it from an edge of the reference; defects touch far fewer
    than a tenth of all edges.
    """
    edges = (copper.image & ~eroded(copper.image, 1.0)) & copper.valid
    if not edges.any():
        return EDGE_TOLERANCE * grain
    away = np.maximum(depth_px(copper.reference), depth_px(~copper.reference))[edges]
    frayed = FRAYED * (float(np.quantile(away, 0.9)) - 1.0)
    return min(max(EDGE_TOLERANCE * grain, frayed), MOST_TOLERANCE * grain)


def _separation(plane: Gray) -> float:
    """Share of the variance that lies between the two sides of Otsu's threshold, 0..1; 0 for a flat plane."""
    variance = float(plane.var())
    upper = plane > otsu(plane)
    share = float(upper.mean())
    if variance < 1 or not 0 < share < 1:
        return 0.0
    return share * (1 - share) * float(plane[upper].mean() - plane[~upper].mean()) ** 2 / variance


def _has_two_levels(plane: Gray) -> bool:
    """Whether on both sides of the threshold most pixels lie within a sixth of the range from their side's median."""
    upper = plane > otsu(plane)
    low, high = plane[~upper], plane[upper]
    reach = (float(np.median(high)) - float(np.median(low))) / 6
    return all(float((np.abs(side - np.median(side)) <= reach).mean()) >= _TWO_LEVEL_SHARE for side in (low, high))
