"""Sharpness as it shows at the size of a screen, where grain no longer hides it. Knows no guideline.

A blur of many pixels leaves no edge at full resolution for it to be seen by: what is steep there is grain, which the
camera adds behind the lens and which is as crisp as ever. Shrunk to a screen the grain averages out, and the blur is a
few pixels wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from photo_inspector.pixels.frame import MIDDLE_PX, Frame
from photo_inspector.whole_image.sharpness import Sharpness, Smear, blur_of, smears_of

SMEARS = 4
"""Pyramid levels at which loss of detail by direction is measured: shake is a few pixels or a tenth of the frame."""


@dataclass(frozen=True, slots=True)
class Coarse:
    """How sharp the picture is on a screen.

    Attributes:
        reach: Full pixels in one of the middle level, along the longer side; 1 for pictures that fit it.
        screen_px: Blur of the sharper edges of the middle level in its pixels; 0 when there are too few.
        small_px: The same of the small level.
        smears: Loss of detail by direction in the middle level and in those that halving makes of it, SMEARS of them.
        smear: That of these and of full resolution where most is lost in one direction only.
    """

    reach: float
    screen_px: float
    small_px: float
    smears: tuple[Smear, ...]
    smear: Smear


def coarse(frame: Frame, fine: Sharpness) -> Coarse:
    """Measure edges and the loss of detail by direction as they show on a screen.

    Args:
        frame: The picture.
        fine: What full resolution shows, which is what the screen shows of a picture that fits it.
    """
    fits = frame.middle_rgb is frame.rgb
    smears = smears_of(frame.middle_gray.astype(np.float32), count=SMEARS)
    return Coarse(
        reach=max(1.0, max(frame.height_px, frame.width_px) / MIDDLE_PX),
        screen_px=fine.blur_px if fits else blur_of(frame.middle_gray),
        small_px=blur_of(frame.small_gray),
        smears=smears,
        smear=max(fine.smear, *smears, key=lambda found: found.middle),
    )
