"""Whether one tint lies over the whole picture. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from photo_inspector.networks.sight import Sight
from photo_inspector.pixels.frame import Frame, shrunk

SIDE_PX = 64
"""Longer side at which color is read."""


@dataclass(frozen=True, slots=True)
class Color:
    """The colors of a picture. Distances are in CIELAB units.

    Attributes:
        cast: Distance of neutral tones from gray, by what the picture shows.
        sure: How likely a tint is, by what it shows, as the logarithm of the odds.
        green: How far the tint leans to green or magenta.
        warm: How far it leans to yellow (positive) or blue (negative).
        hue_deg: Its direction in the a*b* plane, 0 = red, 90 = yellow, 180 = green, 270 = blue.
        shift: Distance of the mean color from gray.
        ratio: That distance over the spread of the colors around the mean.
        along: Cosine between the mean color and the tint, -1..1.
        least: Distance from gray that nine tenths of the picture keep or exceed.
        dark: Distance of the darkest tones from gray.
    """

    cast: float
    sure: float
    green: float
    warm: float
    hue_deg: float
    shift: float
    ratio: float
    along: float
    least: float
    dark: float


def color(frame: Frame, seen: Sight) -> Color:
    """Measure the tint on a thumbnail, beside what the picture shows."""
    thumb = shrunk(frame.small_rgb, longer_px=SIDE_PX)
    lab = np.asarray(cv2.cvtColor(thumb, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)
    ab = lab[:, 1:] - 128
    green, warm = seen.green, seen.warm
    # a neutral tone is no farther from gray than the most saturated place: a black-and-white picture has no tint
    cast = min(float(np.hypot(green, warm)), float(np.hypot(ab[:, 0], ab[:, 1]).max()))
    mean = ab.mean(axis=0)
    shift, spread = float(np.hypot(*mean)), float(np.hypot(ab[:, 0].std(), ab[:, 1].std()))
    low = np.quantile(lab[:, 0], 0.1)
    return Color(
        cast=cast,
        sure=seen.tinted,
        green=abs(green),
        warm=warm,
        hue_deg=float(np.degrees(np.arctan2(warm, green)) % 360.0),
        shift=shift,
        ratio=shift / max(spread, 1.0),
        along=float(mean @ (green, warm)) / max(shift * cast, 1e-6),
        least=float(np.quantile(np.hypot(ab[:, 0], ab[:, 1]), 0.1)),
        dark=float(np.hypot(*ab[lab[:, 0] <= low].mean(axis=0))),
    )
