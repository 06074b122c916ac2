"""Sharpness as it shows at the size of a screen, where grain no longer hides it. Knows no guideline.

A blur of many pixels leaves no edge at full resolution for it to be seen by: what is steep there is grain, which the
camera adds behind the lens and which is as crisp as ever. Shrunk to a screen the grain averages out, and the blur is a
few pixels wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from review_copilot.inspectors.classical.frame import MIDDLE_PX, Frame, halved
from review_copilot.inspectors.classical.sharpness import Sharpness, Smear, blur_of, smear_of


@dataclass(frozen=True, slots=True)
class Coarse:
    """How sharp the picture is on a screen.

    Attributes:
        reach: Full pixels in one of the middle level, along the longer side; 1 for pictures that fit it.
        screen_px: Blur of the sharper edges of the middle level in its pixels; 0 when there are too few.
        small_px: The same of the small level.
        screen: Loss of detail by direction in the middle level.
        small: The same in the small level.
        smear: That of these and of full resolution where most is lost in one direction only.
    """

    reach: float
    screen_px: float
    small_px: float
    screen: Smear
    small: Smear
    smear: Smear


def coarse(frame: Frame, fine: Sharpness) -> Coarse:
    """Measure edges and the loss of detail by direction in both smaller levels.

    Args:
        frame: The picture.
        fine: What full resolution shows, which is what the screen shows of a picture that fits it.
    """
    fits = frame.middle_rgb is frame.rgb
    screen = fine.smear if fits else smear_of(halved(frame.middle_grey.astype(np.float32)))
    small = smear_of(halved(frame.small_grey.astype(np.float32)))
    return Coarse(
        reach=max(1.0, max(frame.height_px, frame.width_px) / MIDDLE_PX),
        screen_px=fine.blur_px if fits else blur_of(frame.middle_grey),
        small_px=blur_of(frame.small_grey),
        screen=screen,
        small=small,
        smear=max(fine.smear, screen, small, key=lambda found: found.middle),
    )
