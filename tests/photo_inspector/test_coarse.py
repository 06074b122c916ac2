"""Sharpness at the size of a screen, of large pictures with grain on top of what the lens lost."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from photo_inspector.pixels.frame import build_frame
from photo_inspector.whole_image.coarse import Coarse, coarse
from photo_inspector.whole_image.sharpness import sharpness
from pictures import blurred, grained, scene, smeared
from review_copilot.domain.image import Pixels

LARGE_PX = (2400, 1600)


def large() -> Pixels:
    return np.asarray(cv2.resize(scene(), LARGE_PX, interpolation=cv2.INTER_LANCZOS4), np.uint8)


def seen(pixels: Pixels) -> Coarse:
    frame = build_frame(pixels)
    return coarse(frame, sharpness(frame))


def test_a_wide_blur_under_grain_is_seen_at_the_size_of_a_screen() -> None:
    """At full resolution the steepest slopes are grain, as crisp as ever."""
    soft = grained(blurred(large(), sigma_px=14), sigma=3)
    assert sharpness(build_frame(soft)).blur_px < 0.9
    assert seen(soft).screen_px > 2 * seen(grained(large(), sigma=3)).screen_px


@pytest.mark.parametrize("angle_deg", [0.0, 90.0])
def test_a_wide_smear_under_grain_shows_its_direction(angle_deg: float) -> None:
    found = seen(grained(smeared(large(), length_px=45, angle_deg=angle_deg), sigma=3)).smear
    assert found.middle > 0.8
    assert abs((found.direction_deg - angle_deg + 90) % 180 - 90) <= 15


def test_a_picture_that_fits_the_screen_is_measured_once() -> None:
    frame = build_frame(scene())
    fine = sharpness(frame)
    found = coarse(frame, fine)
    assert (found.reach, found.screen_px) == (1.0, fine.blur_px)
