"""Marks laid over a picture, as a reviewer sees them: dust, scratches, hairs, lettering, drawings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from photo_inspector.marks.soft_patches import sharpness_map
from photo_inspector.marks.spots import spots
from photo_inspector.networks.traces import traces
from photo_inspector.pixels.frame import build_frame
from photo_inspector.scoring.judge_places import reported
from photo_inspector.scoring.operating_points import least_score
from photo_inspector.scoring.second_look import BESIDE, COMPANY, LONELY, company
from pictures import fibers_in, lines_in
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels

HEIGHT, WIDTH = 320, 480


def slope(color: tuple[int, int, int] = (90, 120, 60)) -> Pixels:
    """A plain ground that grows lighter from left to right."""
    rise = np.linspace(0, 60, WIDTH, dtype=np.float32)[None, :, None]
    return np.clip(np.array(color, np.float32) + np.broadcast_to(rise, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)


def veiled(pixels: Pixels, ink: Pixels, *, share: float) -> Pixels:
    """White laid over the picture by an even share wherever there is ink."""
    alpha = share * ink.astype(np.float32)[..., None] / 255
    return np.clip(pixels + (255 - pixels.astype(np.float32)) * alpha, 0, 255).astype(np.uint8)


def around(x: int, y: int, reach: int) -> Box:
    """A square around a place in pixels."""
    return Box((x - reach) / WIDTH, (y - reach) / HEIGHT, 2 * reach / WIDTH, 2 * reach / HEIGHT)


def test_a_light_speck_on_colored_ground_is_as_neutral_as_a_dark_one() -> None:
    for goal in (0.0, 255.0):
        pixels = slope((40, 90, 130)).astype(np.float32)
        mask = np.zeros((HEIGHT, WIDTH), np.float32)
        cv2.circle(mask, (200, 150), 6, 1.0, -1, cv2.LINE_AA)
        speck = (pixels + (goal - pixels) * (0.4 * mask[..., None])).astype(np.uint8)
        frame = build_frame(speck)
        (spot,) = [s for s in spots(frame, traces(frame)) if s.box.iou(around(200, 150, 6)) > 0.5]
        assert spot.tint < 0.1
        assert spot.flat > 0.9


def test_a_colored_gouge_of_the_same_lightness_is_seen() -> None:
    """A scratch through one layer of a film changes the color more than the lightness."""
    pixels = np.full((HEIGHT, WIDTH, 3), (150, 110, 150), np.uint8)
    cv2.line(pixels, (240, 20), (244, 300), (95, 148, 95), 1)
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    assert int(gray.max()) - int(gray.min()) < 6
    longest = max(lines_in(pixels), key=lambda line: line.length)
    assert longest.length == pytest.approx(280 / HEIGHT, abs=0.06)
    assert longest.hue > 20


def test_a_broad_bent_hair_is_boxed_whole() -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    cv2.ellipse(pixels, (240, 160), (60, 50), 0, 180, 360, (40, 40, 40), 4, cv2.LINE_AA)
    hair = fibers_in(pixels)[0]
    assert hair.box.iou(Box(178 / WIDTH, 108 / HEIGHT, 124 / WIDTH, 54 / HEIGHT)) > 0.8
    assert hair.pen == pytest.approx(4, abs=1.0)
    assert hair.veil < 0.3


def test_a_slightly_soft_patch_is_looked_at_as_well() -> None:
    rng = np.random.default_rng(5)
    pixels = np.repeat(np.clip(rng.normal(128, 40, (HEIGHT, WIDTH, 1)), 0, 255), 3, axis=2).astype(np.uint8)
    pixels = cv2.GaussianBlur(pixels, (0, 0), 0.8).astype(np.uint8)
    pixels[104:200, 152:296] = cv2.GaussianBlur(pixels, (0, 0), 1.4)[104:200, 152:296]
    patch = Box(152 / WIDTH, 104 / HEIGHT, 144 / WIDTH, 96 / HEIGHT)
    assert max(soft.box.iou(patch) for soft in sharpness_map(build_frame(pixels)).patches) > 0.7


def test_marks_are_told_in_company() -> None:
    told = company(np.array([3.0, -1.0, -2.0], np.float32))
    best_other = told[:, COMPANY.index("best")]
    assert best_other.tolist() == [-1.0, 3.0, 3.0]
    assert company(np.array([0.5], np.float32))[0, COMPANY.index("best")] == LONELY
    assert company(np.zeros(0, np.float32)).shape == (0, len(COMPANY))


def test_beside_a_mark_that_is_reported_less_likely_ones_are() -> None:
    least = least_score("overlay")
    assert least > BESIDE
    assert reported([BESIDE], "overlay") == []
    assert reported([BESIDE, least], "overlay") == [0, 1]
    assert reported([BESIDE - 0.01, least], "overlay") == [1]
    least = least_score("clipped_highlights")
    assert reported([least - 0.01, least], "clipped_highlights") == [1]
