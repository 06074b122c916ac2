"""How light, how dark, and where detail is lost at the ends of the range. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from photo_inspector.networks.sight import Sight
from photo_inspector.pixels.frame import Frame, Gray, histogram, strongest
from review_copilot.plugin import Box, Pixels

MIDDLE_GRAY = 0.18
"""Luminance of the photographer's gray card (ISO 2721)."""
WHITE = 250
"""Level from which a channel counts as full; re-compression moves 255 by a few levels."""
BLACK = 6
"""Level up to which a pixel counts as empty."""


@dataclass(frozen=True, slots=True)
class Tone:
    """How light the picture is.

    Attributes:
        stops: Mean luminance in stops from middle gray; 0 is middle gray, 2.47 is all white, -8 is the floor.
        median: Median luma, 0..255.
        dark_percent: Share of pixels with luma below 40.
        light_percent: Share of pixels with luma above 215.
        white_percent: Share of pixels at white.
        black_percent: Share of pixels at black.
        quantiles: Luma of the 5th, 25th, 75th and 95th percentile, 0..255.
        roll_off: Share of pixels between light and white over the share at white, as a logarithm: high where the
            lightest tones run out gently, low where they are cut.
    """

    stops: float
    median: float
    dark_percent: float
    light_percent: float
    white_percent: float
    black_percent: float
    quantiles: tuple[float, float, float, float]
    roll_off: float


@dataclass(frozen=True, slots=True)
class Light:
    """Whether there was too much light, by what the picture shows.

    Attributes:
        over: How likely too much light is, as the logarithm of the odds.
        stops: How many stops too many; negative for too few.
        burnt_percent: Share of pixels that are not white, but full in one channel or two: their color has changed.
        cut: Share of pixels that are full in a channel over the share just below, as a logarithm: high where light is
            cut off, low where it runs out gently.
    """

    over: float
    stops: float
    burnt_percent: float
    cut: float


@dataclass(frozen=True, slots=True)
class Patch:
    """A connected area.

    Attributes:
        box: Its bounding box.
        percent: Its own area as a share of the picture.
    """

    box: Box
    percent: float


def tone(gray: Gray) -> Tone:
    """Lightness of a picture, with luminance by the sRGB curve (IEC 61966-2-1)."""
    counts = histogram(gray)
    share = counts / counts.sum()
    level = np.arange(256) / 255.0
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    mean = float((share * linear).sum())
    below = np.cumsum(share)
    low, lower, upper, high = (float(v) for v in np.searchsorted(below, [0.05, 0.25, 0.75, 0.95]))
    return Tone(
        stops=float(np.log2(max(mean, MIDDLE_GRAY / 256) / MIDDLE_GRAY)),
        median=float(np.searchsorted(below, 0.5)),
        dark_percent=float(100 * share[:40].sum()),
        light_percent=float(100 * share[216:].sum()),
        white_percent=float(100 * share[WHITE:].sum()),
        black_percent=float(100 * share[: BLACK + 1].sum()),
        quantiles=(low, lower, upper, high),
        roll_off=float(np.log((share[230:WHITE].sum() + 0.002) / (share[WHITE:].sum() + 0.002))),
    )


def light(frame: Frame, seen: Sight) -> Light:
    """What the picture shows and the full channels say."""
    shares = histogram(strongest(frame.small_rgb)) / (frame.small_rgb.size / 3)
    full = float(shares[WHITE:].sum())
    white = float(np.count_nonzero(_between(frame.small_rgb, WHITE, 255))) / (frame.small_rgb.size / 3)
    return Light(
        over=seen.overlit,
        stops=seen.stops,
        burnt_percent=100 * (full - white),
        cut=float(np.log((full + 0.002) / (shares[230:WHITE].sum() + 0.002))),
    )


def clipped_patches(frame: Frame, *, least_percent: float) -> tuple[Patch, ...]:
    """Areas at pure white, largest first; those under `least_percent` of the picture are left out."""
    return _patches(_between(frame.small_rgb, WHITE, 255), least_percent=least_percent)


def crushed_patches(frame: Frame, *, least_percent: float) -> tuple[Patch, ...]:
    """Areas at pure black, largest first; those under `least_percent` of the picture are left out."""
    return _patches(_between(frame.small_rgb, 0, BLACK), least_percent=least_percent)


def _between(rgb: Pixels, low: int, high: int) -> Gray:
    """Where all three channels are within two levels, 255; elsewhere 0."""
    return np.asarray(cv2.inRange(rgb, np.full(3, low, np.uint8), np.full(3, high, np.uint8)), np.uint8)


def _patches(mask: Gray, *, least_percent: float) -> tuple[Patch, ...]:
    """Connected parts of what is not 0, with little holes and clefts filled."""
    least = least_percent / 100 * mask.size
    if cv2.countNonZero(mask) < least:
        return ()
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    height, width = mask.shape
    own = np.bincount(labels[mask > 0], minlength=count)
    own[0] = 0  # the ground
    patches = []
    for index in np.flatnonzero(own >= least).tolist():
        x, y, w, h = (float(v) for v in stats[index][:4])
        box = Box(x / width, y / height, w / width, h / height)
        patches.append(Patch(box, 100.0 * float(own[index]) / mask.size))
    return tuple(sorted(patches, key=lambda p: -p.percent))
