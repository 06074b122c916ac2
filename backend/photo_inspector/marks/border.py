"""Bars and frames of one color at the picture's edges. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from photo_inspector.pixels.frame import Floats
from photo_inspector.pixels.ranks import medians
from review_copilot.plugin import Pixels

FLAT_LEVELS = 10
"""Gray levels by which a pixel may differ from the bar's color after compression."""
STRAY_SHARE = 0.03
"""Share of a line that may differ by more."""
STEP_SHARE = 0.3
"""Share of the first line of the scene that must differ by more."""
MOST_SHARE = 0.45
"""A bar deeper than this share of the picture is taken for a subject."""
_CHUNK = 24
_MOST_SAMPLES = 1500


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
        level: Mean level of its color, 0 = black, 255 = white.
        step: Share of the scene's first lines that differ from the bar, 0..1.
        spread: Mean deviation from the bar's color in gray levels, 0 for a drawn bar.
        depth_px: How deep it reaches, in pixels.
    """

    side: Side
    depth: float
    level: float
    step: float
    spread: float
    depth_px: int


def bars(rgb: Pixels) -> tuple[Bar, ...]:
    """Bars at the four sides; empty when there are none or the whole picture is of one color."""
    found = []
    for side in Side:
        lines = _lines_from(rgb, side)
        bar = _bar(lines, side)
        if bar is not None:
            found.append(bar)
    return tuple(found)


def _lines_from(rgb: Pixels, side: Side) -> Pixels:
    """The picture as lines parallel to a side, outermost first; shape (lines, pixels, 3)."""
    match side:
        case Side.TOP:
            lines = rgb
        case Side.BOTTOM:
            lines = rgb[::-1]
        case Side.LEFT:
            lines = rgb.transpose(1, 0, 2)
        case Side.RIGHT:
            lines = rgb.transpose(1, 0, 2)[::-1]
    return lines[:, :: max(1, lines.shape[1] // _MOST_SAMPLES)]


def _bar(lines: Pixels, side: Side) -> Bar | None:
    color = medians(lines[0].T.astype(np.float32)).astype(np.int16)
    if _stray(_away(lines[:1], color))[0] > STRAY_SHARE:  # as in most pictures
        return None
    reach = int(lines.shape[0] * MOST_SHARE)
    stray: Floats = np.zeros(0, np.float32)
    spread: list[Floats] = []
    while stray.size < reach:
        away = _away(lines[stray.size : stray.size + _CHUNK], color)
        stray = np.concatenate([stray, _stray(away)])
        spread.append(away.mean(axis=1).astype(np.float32))
        if (stray[-len(away) :] > STRAY_SHARE).any():
            break
    busy = np.flatnonzero(stray > STRAY_SHARE)
    if busy.size == 0 or busy[0] == 0 or busy[0] >= reach:
        return None
    depth = int(busy[0])
    after = stray[depth : depth + 3]
    if after.max() < STEP_SHARE:
        return None
    return Bar(
        side=side,
        depth=depth / lines.shape[0],
        level=float(color.mean()),
        step=float(after.max()),
        spread=float(np.concatenate(spread)[:depth].mean()),
        depth_px=depth,
    )


def _away(lines: Pixels, color: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """How far each pixel is from a color, in gray levels of the channel that differs most."""
    red, green, blue = np.moveaxis(np.abs(lines - color), 2, 0)
    return np.asarray(np.maximum(np.maximum(red, green), blue), np.int16)


def _stray(away: npt.NDArray[np.int16]) -> Floats:
    """Share of the pixels of each line that differ."""
    return np.asarray((away > FLAT_LEVELS).mean(axis=1), np.float32)
