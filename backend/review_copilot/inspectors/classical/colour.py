"""Whether a colour lies over the whole picture. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from review_copilot.domain.image import Pixels


@dataclass(frozen=True, slots=True)
class Cast:
    """The colour that lies over a picture.

    Attributes:
        shift: Distance of the mean colour from grey, in CIELAB units.
        ratio: That distance over the spread of the colours around it; above 1.5 the colours huddle on one side.
        hue_deg: Its direction in the a*b* plane, 0 = red, 90 = yellow, 180 = green, 270 = blue.
        grey_picture: Whether the picture has next to no colour at all.
    """

    shift: float
    ratio: float
    hue_deg: float
    grey_picture: bool


def colour_cast(rgb: Pixels) -> Cast:
    """F. Gasparini, R. Schettini, "Color balancing of digital photos using simple image statistics" (2004).

    Only pixels that are neither nearly black nor nearly white speak.
    """
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    chosen = lab[(lab[:, 0] > 15) & (lab[:, 0] < 95)]
    if chosen.shape[0] < 16:
        return Cast(0.0, 0.0, 0.0, grey_picture=True)
    a, b = chosen[:, 1], chosen[:, 2]
    mean_a, mean_b = float(a.mean()), float(b.mean())
    shift = float(np.hypot(mean_a, mean_b))
    spread = float(np.hypot(a.std(), b.std()))
    grey_picture = shift < 1.5 and spread < 2.0
    hue = float(np.degrees(np.arctan2(mean_b, mean_a)) % 360.0)
    return Cast(shift, shift / max(spread, 1.0), hue, grey_picture=grey_picture)
