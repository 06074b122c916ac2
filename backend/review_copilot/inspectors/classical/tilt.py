"""Whether the camera was held level. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from review_copilot.inspectors.classical.frame import Floats, Frame, Grey, Mask, shrunk
from review_copilot.inspectors.classical.learned import ordinary, shift_of

SIDE_PX = 320
"""Longer side at which edges are read."""
STEP_DEG, LEANS = 0.5, 96
"""Step and number of the leans that are told apart: 24 degrees either way."""
LEVEL_DEG = 1.5
"""A lean of less is level."""
MAPS = 12
_WORTH_NAMING = 0.2
"""Likelihood of leaning under which the likeliest lean may be none."""
_MOST_DEG = 22.0
_MOST_EDGES = 4000
"""Edge pixels that speak, the steepest; more add nothing."""
_LEAST_EDGES = 50
_LEAST_STEEP = 160
"""Answer of the Scharr masks (32 for a grey level a pixel) under which a pixel is on no edge."""
_REACH = 4
"""Steps by which the direction of a single pixel may be off."""


@dataclass(frozen=True, slots=True)
class Tilt:
    """How the straight edges lie.

    Attributes:
        degrees: Likeliest lean of what should be level or upright, that of LEVEL_DEG or more where one is worth naming;
            positive = clockwise.
        sure: How likely the picture leans by LEVEL_DEG or more, 0..1, half of all pictures leaning.
        peak: How likely the lean is within a degree of `degrees`, 0..1.
        across: Share of the near level edges that have this lean, within a degree.
        up: The same of the near upright ones.
        level: Share of all near level and near upright edges that do not lean.
        longest: Longest straight edge of this lean over the longer side, 0..1.
        edges: Share of the pixels that lie on near level or near upright edges.
    """

    degrees: float
    sure: float
    peak: float
    across: float
    up: float
    level: float
    longest: float
    edges: float


def tilt(frame: Frame) -> Tilt:
    """Weigh the edges by what ordinary photographs look like upright."""
    grey = shrunk(frame.small_grey, longer_px=SIDE_PX)
    maps = edge_maps(grey)
    likely = shift_of(log_maps(maps), ordinary("lean"))[0]
    leans = _leans()
    leaning = np.where(np.abs(leans) >= LEVEL_DEG, likely, 0)
    best = int(np.argmax(leaning if leaning.sum() >= _WORTH_NAMING else likely))
    near = np.abs(leans - leans[best]) <= 1
    level = np.abs(leans) <= 1
    flat, upright = maps[0], maps[4]
    both = flat + upright
    return Tilt(
        degrees=float(np.average(leans[near], weights=likely[near] + 1e-9)),
        sure=float(leaning.sum()),
        peak=float(likely[near].sum()),
        across=_share(flat, near),
        up=_share(upright, near),
        level=_share(both, level),
        longest=float(max(maps[3][near].max(), maps[7][near].max())) / max(grey.shape),
        edges=float(maps[2].sum() + maps[6].sum()) / grey.size,
    )


def edge_maps(grey: Grey) -> Floats:
    """What edges of each lean there are, shape (MAPS, LEANS), no lean in the middle; zeros where edges are few.

    Four numbers each for the near level edges, the near upright ones, and the upright ones in the middle of the frame,
    which do not converge when the camera looks up: their weight, the sum of the squared lengths of straight edges, what
    is long of them, and the longest. Straight edges are found by letting every edge pixel vote for the lines through it
    that have about its direction (R. Duda, P. Hart, "Use of the Hough transformation", 1972; F. O'Gorman, M. Clowes,
    1976, for the direction).
    """
    none = np.zeros((MAPS, LEANS), np.float32)
    if min(grey.shape) < 48:
        return none
    soft = cv2.GaussianBlur(grey, (0, 0), 1.0)
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
    height, width = grey.shape
    y, x = np.divmod(places, width)
    x, y = (x - width / 2).astype(np.float32), (y - height / 2).astype(np.float32)
    flat = np.abs(gy) > np.abs(gx)
    upright = ~flat
    middle = upright & (np.abs(x) < width / 6)
    lean = np.degrees(np.arctan(np.where(flat, -gx, gy) / np.where(flat, gy, gx))).astype(np.float32)
    weight = np.sqrt(steep / 1000)
    return np.concatenate([
        _spectrum(x[flat], y[flat], lean=lean[flat], weight=weight[flat], side_px=width),
        *(
            _spectrum(y[part], -x[part], lean=lean[part], weight=weight[part], side_px=height)
            for part in (upright, middle)
        ),
    ])  # fmt: skip


def log_maps(maps: Floats) -> Floats:
    """The maps on the scale that the filters were learned for, shape (MAPS, 1, LEANS)."""
    scale = np.tile(np.array([2.0, 200.0, 5.0, 5.0], np.float32), MAPS // 4)
    return np.asarray(np.log1p(maps / scale[:, None])[:, None, :], np.float32)


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
    room = 2 * SIDE_PX
    votes = np.bincount((tried * room + (offset + room / 2).astype(np.int32)).ravel(), minlength=LEANS * room)
    lines = votes.astype(np.float32).reshape(LEANS, room)
    long = np.maximum(lines - 0.04 * side_px, 0)
    return np.stack([plain, (lines * lines).sum(axis=1), long.sum(axis=1), lines.max(axis=1)]).astype(np.float32)


def _leans() -> Floats:
    return ((np.arange(LEANS) - LEANS / 2) * STEP_DEG).astype(np.float32)


def _share(maps: Floats, chosen: Mask) -> float:
    return float(maps[chosen].sum()) / max(float(maps.sum()), 1e-6)
