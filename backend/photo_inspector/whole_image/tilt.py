"""Whether the camera was held level. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from photo_inspector.networks.sight import LEANS as SIGHT_LEANS
from photo_inspector.pixels.frame import SEARCHED_PX, Floats, Frame, Gray, Mask

STEP_DEG, LEANS = 0.5, 96
"""Step in degrees and number of the tilt candidates: 24 degrees either way."""
LEVEL_DEG = 1.5
"""A lean of less is level."""
FAR_DEG = 4.5
"""A lean of more is plain to see where it can be seen at all."""
MAPS = 8
_WORTH_NAMING = 0.2
"""Likelihood of leaning under which the likeliest lean may be none."""
_FEW_LINES = 400.0
"""Squared length, in px, of straight edges that says little against the rest."""
_MOST_DEG = 22.0
_MOST_EDGES = 4000
"""Edge pixels that speak, the steepest; more add nothing."""
_LEAST_EDGES = 50
_LEAST_STEEP = 160
"""Answer of the Scharr masks (32 for a gray level a pixel) under which a pixel is on no edge."""
_REACH = 4
"""Steps by which the direction of a single pixel may be off."""


@dataclass(frozen=True, slots=True)
class Tilt:
    """How the picture lies.

    Attributes:
        degrees: Likeliest lean of what should be level or upright, that of LEVEL_DEG or more where one is worth naming;
            positive = clockwise.
        seen: How likely the picture leans by LEVEL_DEG or more to the likelier side, by what it shows, 0..1, half of
            all pictures leaning. What leans to neither side for sure may as well be level.
        told: The same when its straight edges are weighed as well.
        far: As told, but by FAR_DEG or more.
        peak: How likely the lean is within a degree of `degrees`, by both, 0..1.
        better: By how much more straight edges lie at `degrees` than level and upright, as a logarithm.
        across: Share of the near level edges that have this lean, within a degree.
        up: The same of the near upright ones.
        level: Share of all near level and near upright edges that do not lean.
        longest: Longest straight edge of this lean over the longer side, 0..1.
    """

    degrees: float
    seen: float
    told: float
    far: float
    peak: float
    better: float
    across: float
    up: float
    level: float
    longest: float


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Where straight edges lie.

    Attributes:
        maps: As from `edge_maps`.
        size_px: Height and width of the picture that the maps are of.
    """

    maps: Floats
    size_px: tuple[int, int]

    @property
    def share(self) -> float:
        """Share of the pixels that lie on near level or near upright edges."""
        return float(self.maps[2].sum() + self.maps[6].sum()) / (self.size_px[0] * self.size_px[1])


def edges(frame: Frame) -> Edges:
    """The edges of the searched level."""
    gray = frame.searched_gray
    return Edges(edge_maps(gray), (gray.shape[0], gray.shape[1]))


def lean_of(found: Edges, seen: Floats) -> Tilt:
    """The lean by both.

    Args:
        found: Where straight edges lie.
        seen: How likely each of `sight.LEANS` is by what the picture shows, summing to 1.
    """
    maps = found.maps
    leans = _leans()
    level = np.abs(leans) <= 1
    straight = np.convolve(maps[1] + maps[5], [0.25, 0.5, 0.25], "same") + _FEW_LINES
    likely = np.asarray(np.interp(leans, SIGHT_LEANS, seen) * straight, np.float32)
    likely /= max(float(likely.sum()), 1e-9)
    told = _to_a_side(likely, leans, least_deg=LEVEL_DEG)
    best = int(np.argmax(np.where(np.abs(leans) >= LEVEL_DEG, likely, 0) if told >= _WORTH_NAMING else likely))
    near = np.abs(leans - leans[best]) <= 1
    flat, upright = maps[0], maps[4]
    return Tilt(
        degrees=float(np.average(leans[near], weights=likely[near] + 1e-9)),
        seen=_to_a_side(seen, SIGHT_LEANS, least_deg=LEVEL_DEG),
        told=told,
        far=_to_a_side(likely, leans, least_deg=FAR_DEG),
        peak=float(likely[near].sum()),
        better=float(np.log(straight[near].max() / straight[level].max())),
        across=_share(flat, near),
        up=_share(upright, near),
        level=_share(flat + upright, level),
        longest=float(max(maps[3][near].max(), maps[7][near].max())) / max(found.size_px),
    )


def edge_maps(gray: Gray) -> Floats:
    """What edges of each lean there are, shape (MAPS, LEANS), no lean in the middle; zeros where edges are few.

    Four numbers each for the near level and the near upright edges: their weight, the sum of the squared lengths of
    straight edges, what is long of them, and the longest. Straight edges are found by letting every edge pixel vote for
    the lines through it that have about its direction (R. Duda, P. Hart, "Use of the Hough transformation", 1972;
    F. O'Gorman, M. Clowes, 1976, for the direction).
    """
    none = np.zeros((MAPS, LEANS), np.float32)
    if min(gray.shape) < 48:
        return none
    soft = cv2.GaussianBlur(gray, (0, 0), 1.0)
    across = np.asarray(cv2.Scharr(soft, cv2.CV_16S, 1, 0))
    down = np.asarray(cv2.Scharr(soft, cv2.CV_16S, 0, 1))
    crest = _crests(np.abs(across), np.abs(down))
    places = np.flatnonzero(crest)
    gx, gy = across.ravel()[places].astype(np.float32), down.ravel()[places].astype(np.float32)
    steep = np.hypot(gx, gy)
    if places.size > _MOST_EDGES:
        chosen = np.argpartition(steep, places.size - _MOST_EDGES)[places.size - _MOST_EDGES :]
        places, gx, gy, steep = places[chosen], gx[chosen], gy[chosen], steep[chosen]
    if places.size < _LEAST_EDGES:
        return none
    height, width = gray.shape
    y, x = np.divmod(places, width)
    x, y = (x - width / 2).astype(np.float32), (y - height / 2).astype(np.float32)
    flat = np.abs(gy) > np.abs(gx)
    upright = ~flat
    lean = np.degrees(np.arctan(np.where(flat, -gx, gy) / np.where(flat, gy, gx))).astype(np.float32)
    weight = np.sqrt(steep / 1000)
    return np.concatenate([
        _spectrum(x[flat], y[flat], lean=lean[flat], weight=weight[flat], side_px=width),
        _spectrum(y[upright], -x[upright], lean=lean[upright], weight=weight[upright], side_px=height),
    ])  # fmt: skip


def _crests(across: np.ndarray[tuple[int, ...], np.dtype[np.int16]],
            down: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> Mask:  # fmt: skip
    """Pixels where a near level or near upright edge is steepest."""
    crest = np.zeros(across.shape, np.bool_)
    inner, before, after = slice(1, -1), slice(None, -2), slice(2, None)
    level = (down[inner, inner] >= down[before, inner]) & (down[inner, inner] > down[after, inner])
    plumb = (across[inner, inner] >= across[inner, before]) & (across[inner, inner] > across[inner, after])
    a, d = across[inner, inner], down[inner, inner]
    # 2/5 is the tangent of 22 degrees
    crest[inner, inner] = (level & (d > _LEAST_STEEP) & (5 * (a >> 1) < d)) | (
        plumb & (a > _LEAST_STEEP) & (5 * (d >> 1) < a)
    )
    return crest


def _spectrum(along: Floats, aside: Floats, *, lean: Floats, weight: Floats, side_px: int) -> Floats:
    """The four numbers for each lean, shape (4, LEANS)."""
    keep = np.abs(lean) < _MOST_DEG
    along, aside, lean, weight = along[keep], aside[keep], lean[keep], weight[keep]
    if lean.size == 0:
        return np.zeros((4, LEANS), np.float32)
    at = lean / STEP_DEG + LEANS / 2
    cell = at.astype(np.int32)
    rest = at - cell
    plain = np.bincount(
        np.concatenate([cell, cell + 1]), np.concatenate([weight * (1 - rest), weight * rest]), LEANS + 1
    )[:LEANS]
    tried = np.clip(np.rint(at).astype(np.int32)[:, None] + np.arange(-_REACH, _REACH + 1), 0, LEANS - 1)
    angle = np.radians(_leans()).astype(np.float32)
    offset = aside[:, None] * np.cos(angle)[tried] - along[:, None] * np.sin(angle)[tried]
    room = 2 * SEARCHED_PX
    votes = np.bincount((tried * room + (offset + room / 2).astype(np.int32)).ravel(), minlength=LEANS * room)
    lines = votes.astype(np.float32).reshape(LEANS, room)
    long = np.maximum(lines - 0.04 * side_px, 0)
    return np.stack([plain, (lines * lines).sum(axis=1), long.sum(axis=1), lines.max(axis=1)]).astype(np.float32)


def _to_a_side(likely: Floats, leans: Floats, *, least_deg: float) -> float:
    """How likely a lean of so much is, to the likelier of both sides."""
    return max(float(likely[leans >= least_deg].sum()), float(likely[leans <= -least_deg].sum()))


def _leans() -> Floats:
    return ((np.arange(LEANS) - LEANS / 2) * STEP_DEG).astype(np.float32)


def _share(maps: Floats, chosen: Mask) -> float:
    return float(maps[chosen].sum()) / max(float(maps.sum()), 1e-6)
