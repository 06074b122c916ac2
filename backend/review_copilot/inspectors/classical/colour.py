"""Whether one tint lies over the whole picture. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from review_copilot.inspectors.classical.frame import Floats, Frame, shrunk
from review_copilot.inspectors.classical.learned import ordinary, shift_of

SIDE_PX = 64
"""Longer side at which colour is read."""
BINS, BIN = 32, 0.05
"""Cells a side of a map, and the step of a cell in the logarithm of a colour ratio."""
NEUTRAL_LAB = 7.0
"""A tint of fewer Lab units is none: just below the least that the guideline calls minor."""
_FULL, _EMPTY = 252, 8
"""Levels beyond which a pixel's colour says nothing."""
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Colour:
    """The colours of a picture. Distances are in CIELAB units.

    Attributes:
        cast: Likeliest distance of neutral tones from grey, on average over what is likely.
        sure: How likely a tint of NEUTRAL_LAB or more is, 0..1, half of all pictures being tinted.
        peak: Distance from grey of the single likeliest tint.
        green: How far the tint leans to green or magenta.
        warm: How far it leans to yellow (positive) or blue (negative).
        hue_deg: Its direction in the a*b* plane, 0 = red, 90 = yellow, 180 = green, 270 = blue.
        shift: Distance of the mean colour from grey.
        ratio: That distance over the spread of the colours around the mean.
        least: Distance from grey that nine tenths of the picture keep or exceed.
        dark: Distance of the darkest tones from grey.
    """

    cast: float
    sure: float
    peak: float
    green: float
    warm: float
    hue_deg: float
    shift: float
    ratio: float
    least: float
    dark: float


def colour(frame: Frame) -> Colour:
    """Measure the tint on a thumbnail."""
    thumb = shrunk(frame.small_rgb, longer_px=SIDE_PX)
    lab = np.asarray(cv2.cvtColor(thumb, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)
    ab = lab[:, 1:] - 128
    chroma = np.hypot(ab[:, 0], ab[:, 1])
    least, most = (float(v) for v in np.quantile(chroma, [0.1, 0.95]))
    tints = _tints()
    distance = np.hypot(tints[0], tints[1])
    likely = shift_of(colour_maps(thumb), ordinary("tint"))
    likely = np.where(distance <= 1.5 * most, likely, 0)  # a tint that is stronger than every colour would show nowhere
    likely /= max(float(likely.sum()), 1e-9)
    far = np.where(distance >= NEUTRAL_LAB, likely, 0)
    weight = far / max(float(far.sum()), 1e-9)
    green, warm = float((tints[0] * weight).sum()), float((tints[1] * weight).sum())
    shift, spread = float(np.hypot(*ab.mean(axis=0))), float(np.hypot(ab[:, 0].std(), ab[:, 1].std()))
    low = np.quantile(lab[:, 0], 0.1)
    return Colour(
        cast=float((distance * likely).sum()),
        sure=float(far.sum()),
        peak=float(distance.ravel()[int(np.argmax(likely))]),
        green=abs(green),
        warm=warm,
        hue_deg=float(np.degrees(np.arctan2(warm, green)) % 360.0),
        shift=shift,
        ratio=shift / max(spread, 1.0),
        least=least,
        dark=float(np.hypot(*ab[lab[:, 0] <= low].mean(axis=0))),
    )


def colour_maps(thumb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Floats:
    """Histograms of the logarithms of green over red and green over blue, shape (4, BINS, BINS).

    All tones, steps between neighbours, light tones, dark tones: a tint lies over all four, the colour of a thing does
    not. More light of one colour shifts them as a whole (G. Finlayson, S. Hordley, "Color constancy at a pixel", 2001).
    """
    levels = thumb.reshape(-1, 3).astype(np.float32)
    luma = levels @ _GREY
    logs = np.log(levels + 3)
    x, y = logs[:, 1] - logs[:, 0], logs[:, 1] - logs[:, 2]
    told = (levels.max(axis=1) < _FULL) & (luma > _EMPTY)
    if np.count_nonzero(told) < 20:
        return np.zeros((4, BINS, BINS), np.float32)
    low, high = np.quantile(luma[told], [0.3, 0.75])
    one = np.ones_like(luma)
    return np.stack([
        _votes(x[told], y[told], one[told]),
        _step_votes(thumb),
        *(_votes(x[part], y[part], one[part]) for part in (told & (luma > high), told & (luma < low))),
    ])  # fmt: skip


def _step_votes(thumb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Floats:
    if min(thumb.shape[:2]) < 3:
        return np.zeros((BINS, BINS), np.float32)
    across = cv2.absdiff(thumb[:-2, 2:], thumb[:-2, :-2]).reshape(-1, 3).astype(np.float32)
    down = cv2.absdiff(thumb[2:, :-2], thumb[:-2, :-2]).reshape(-1, 3).astype(np.float32)
    steps = across + down
    size = steps.mean(axis=1)
    steep = size > 6
    logs = np.log(steps[steep] + 2)
    return _votes(logs[:, 1] - logs[:, 0], logs[:, 1] - logs[:, 2], size[steep])


def _votes(x: Floats, y: Floats, weight: Floats) -> Floats:
    """Root of the shares of the weight by cell, each vote spread over its four nearest; zeros when all lie outside."""
    x, y = x / BIN + BINS / 2, y / BIN + BINS / 2
    inside = (x >= 1) & (x < BINS - 2) & (y >= 1) & (y < BINS - 2)
    x, y, weight = x[inside], y[inside], weight[inside]
    column, row = x.astype(np.int32), y.astype(np.int32)
    right, below = x - column, y - row
    cell = row * BINS + column
    counts = np.bincount(
        np.concatenate([cell, cell + 1, cell + BINS, cell + BINS + 1]),
        np.concatenate([(1 - right) * (1 - below), right * (1 - below), (1 - right) * below, right * below])
        * np.tile(weight, 4),
        BINS * BINS,
    )
    return np.sqrt(counts / max(float(weight.sum()), 1e-6)).astype(np.float32).reshape(BINS, BINS)


@cache
def _tints() -> Floats:
    """a* and b* of a middle grey under each shift of the maps, shape (2, BINS, BINS)."""
    shift = (np.arange(BINS) - BINS / 2) * BIN
    red, blue = np.meshgrid(np.exp(-shift), np.exp(-shift))
    rgb = np.stack([red, np.ones_like(red), blue], axis=-1)
    rgb = np.clip(rgb / (rgb @ _GREY)[..., None] / 2, 0, 1).astype(np.float32)
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float32)
    return np.ascontiguousarray(np.moveaxis(lab[..., 1:], -1, 0))
