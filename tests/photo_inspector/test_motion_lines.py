"""Lines and ripples that fill a picture are no motion blur: nothing crosses them, so that no smear can be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import pytest
from skimage import data

from builders import an_image
from photo_inspector.inspector import BuiltinInspector
from pictures import smeared
from review_copilot.domain.image import Pixels
from review_copilot.library import load_guideline
from review_copilot.plugin import Brief

GUIDELINE = load_guideline("photo-quality")
HEIGHT, WIDTH = 600, 800
Y, X = np.mgrid[:HEIGHT, :WIDTH]


def photographed(levels: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Pixels:
    """Gray levels under uneven light and with a sensor's noise."""
    noisy = levels * (0.8 + 0.4 * X / WIDTH) + np.random.default_rng(1).normal(0, 2, levels.shape)
    return np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def bars(period_px: int, angle_deg: float) -> Pixels:
    angle = np.radians(angle_deg)
    along = X * np.cos(angle) + Y * np.sin(angle)
    sharp = np.where(along % period_px < period_px / 2, 90.0, 170.0)
    return photographed(np.asarray(cv2.GaussianBlur(sharp, (0, 0), 0.7), np.float64))


def ripples(length_px: int) -> Pixels:
    """Calm water: long, low waves."""
    noise = np.random.default_rng(2).normal(0, 1, (HEIGHT, WIDTH))
    waves = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=length_px, sigmaY=1.5), np.float64)
    return photographed(120 + 18 * waves / waves.std() + 30 * Y / HEIGHT)


LINES: Mapping[str, Callable[[], Pixels]] = {
    "fence": lambda: bars(16, 0),
    "wide fence": lambda: bars(30, 0),
    "blinds": lambda: bars(16, 90),
    "wide blinds": lambda: bars(30, 90),
    "water": lambda: ripples(14),
    "calm water": lambda: ripples(30),
}


def motion_score(pixels: Pixels) -> float:
    findings = BuiltinInspector().inspect(Brief(an_image(pixels), GUIDELINE)).findings
    motion = next(c.id for c in GUIDELINE.criteria if "motion_blur" in c.measures)
    return max((f.score for f in findings if f.criterion_id == motion), default=0.0)


@pytest.mark.parametrize("name", LINES)
def test_lines_in_one_direction_are_no_motion_blur(name: str) -> None:
    assert motion_score(LINES[name]()) == 0.0


@pytest.mark.parametrize("picture", ["astronaut", "coffee", "chelsea"])
@pytest.mark.parametrize("angle_deg", [0.0, 45.0, 90.0])
def test_a_photograph_that_was_moved_is_still_reported(picture: str, angle_deg: float) -> None:
    pixels = np.asarray(getattr(data, picture)(), np.uint8)
    assert motion_score(smeared(pixels, length_px=19, angle_deg=angle_deg)) > 0.5
