"""Saturation of the picture, and how gray its lightest tones are. Knows no tint and no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from photo_inspector.pixels.frame import Frame, shrunk
from photo_inspector.pixels.ranks import quantile

SIDE_PX = 64
"""Longer side at which colors are read."""


@dataclass(frozen=True, slots=True)
class Chroma:
    """Color statistics of a picture. Distances are in CIELAB units.

    Attributes:
        light: Distance of the lightest tones from gray.
        spread: Spread of the colors around their mean.
    """

    light: float
    spread: float


def chroma(frame: Frame) -> Chroma:
    """Measure a thumbnail; cheaper by far than telling whether one tint lies over it."""
    lab = np.asarray(cv2.cvtColor(shrunk(frame.small_rgb, longer_px=SIDE_PX), cv2.COLOR_RGB2LAB), np.uint8)
    light, a, b = lab.reshape(-1, 3).T.astype(np.float32)
    lightest = light >= quantile(light, 0.9)
    return Chroma(
        light=float(np.hypot(a[lightest].mean() - 128, b[lightest].mean() - 128)),
        spread=float(np.hypot(a.std(), b.std())),
    )
