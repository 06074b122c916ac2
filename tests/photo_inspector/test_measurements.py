"""Measurements on drawn pictures with known answers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from photo_inspector.marks.border import Side, bars
from photo_inspector.marks.soft_patches import sharpness_map
from photo_inspector.marks.spots import spots
from photo_inspector.networks.traces import traces
from photo_inspector.pixels.frame import DETAIL_PX, build_frame
from photo_inspector.pixels.linking import chains
from photo_inspector.scoring.features import of_whole
from photo_inspector.scoring.judge_places import read_places
from photo_inspector.scoring.likelihood import likelihoods
from photo_inspector.scoring.measured import measure_places, measure_whole
from photo_inspector.whole_image.banding import banding
from photo_inspector.whole_image.compression import compression
from photo_inspector.whole_image.contrast import contrast
from photo_inspector.whole_image.exposure import clipped_patches, tone
from photo_inspector.whole_image.jpeg_quality import saved_quality
from photo_inspector.whole_image.noise import noise
from photo_inspector.whole_image.resolution import resolution
from photo_inspector.whole_image.sharpness import blur_of, sharpness
from pictures import blurred, compressed, fibers_in, grained, lines_in, scene, smeared
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels


@pytest.mark.parametrize("sigma_px", [1.5, 2.0, 3.0])
def test_edge_width_is_the_blur_that_was_applied(sigma_px: float) -> None:
    gray = build_frame(blurred(scene(), sigma_px=sigma_px)).green
    assert blur_of(gray) == pytest.approx(sigma_px, rel=0.25)


def test_sharp_edges_are_narrow_and_alike_in_all_directions() -> None:
    found = sharpness(build_frame(scene()))
    assert found.blur_px < 0.9
    assert found.smear.middle < 0.5


@pytest.mark.parametrize("angle_deg", [0.0, 45.0, 90.0])
def test_a_smear_takes_detail_in_its_own_direction(angle_deg: float) -> None:
    found = sharpness(build_frame(smeared(scene(), length_px=9, angle_deg=angle_deg)))
    assert found.smear.middle > 0.8
    assert abs((found.smear.direction_deg - angle_deg + 90) % 180 - 90) <= 15


def test_a_picture_without_edges_has_no_edge_width() -> None:
    assert blur_of(np.full((64, 64), 128, np.uint8)) == 0.0


@pytest.mark.parametrize("sigma", [4.0, 10.0, 20.0])
def test_noise_is_the_grain_that_was_added(sigma: float) -> None:
    flat = np.full((240, 320, 3), 128, np.uint8)
    assert noise(build_frame(grained(flat, sigma=sigma))).sigma == pytest.approx(sigma, rel=0.2)


def test_no_grain_no_noise() -> None:
    assert noise(build_frame(np.full((64, 64, 3), 128, np.uint8))).sigma == 0.0


def test_salt_and_pepper_is_counted() -> None:
    pixels = np.full((100, 100, 3), 128, np.uint8)
    pixels[10::20, 10::20] = 255
    assert noise(build_frame(pixels)).lonely_percent == pytest.approx(0.25)


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (3, 5)])
def test_rounding_tells_the_quality_even_when_the_grid_was_cropped(dx: int, dy: int) -> None:
    squeezed = np.ascontiguousarray(compressed(scene(), quality=15)[dy:, dx:])
    found = compression(build_frame(squeezed))
    assert found.ratio > 2
    assert found.quality == pytest.approx(15, abs=3)
    assert compression(build_frame(scene())).ratio < 1.3


def test_a_file_tells_its_own_quality() -> None:
    ok, data = cv2.imencode(".jpg", scene(), [cv2.IMWRITE_JPEG_QUALITY, 30])
    assert ok
    assert saved_quality(data.tobytes()) == pytest.approx(30, abs=1)
    assert saved_quality(b"\x89PNG") is None
    assert saved_quality(data.tobytes()[:40]) is None


@pytest.mark.parametrize(("level", "stops"), [(118, 0.0), (188, 1.47), (255, 2.47)])
def test_stops_count_from_middle_gray(level: int, stops: float) -> None:
    """Level 118 shows 18 % of the light, 188 a half, 255 all."""
    assert tone(np.full((8, 8), level, np.uint8)).stops == pytest.approx(stops, abs=0.05)


def test_a_white_patch_is_boxed() -> None:
    pixels = np.full((200, 300, 3), 100, np.uint8)
    pixels[20:60, 30:90] = 255
    (patch,) = clipped_patches(build_frame(pixels), least_percent=1)
    assert patch.percent == pytest.approx(4.0, abs=0.1)
    assert (patch.box.x, patch.box.y) == pytest.approx((0.1, 0.1), abs=0.01)


def test_a_tint_over_everything_is_a_cast_and_colors_all_round_are_none() -> None:
    rng = np.random.default_rng(1)
    colourful = rng.integers(40, 220, (64, 64, 3)).astype(np.uint8)
    tinted = np.clip(np.array([160, 120, 80]) + rng.normal(0, 5, (64, 64, 1)), 0, 255).astype(np.uint8)
    found = measure_whole(build_frame(tinted)).color
    assert found.cast > 10
    assert found.ratio > 3
    assert measure_whole(build_frame(colourful)).color.ratio < 1
    assert measure_whole(build_frame(np.full((8, 8, 3), 90, np.uint8))).color.cast == pytest.approx(0, abs=0.5)


def test_the_unused_range_is_what_lies_outside_the_tones() -> None:
    pixels = np.tile(np.linspace(102, 153, 200).astype(np.uint8)[None, :, None], (100, 1, 3))
    found = contrast(build_frame(np.ascontiguousarray(pixels)))
    assert found.unused_percent == pytest.approx(80, abs=2)
    assert found.veil > 100


def test_missing_tones_are_a_step_and_a_full_histogram_is_none() -> None:
    ramp = np.tile(np.linspace(0, 255, 512)[None, :, None], (64, 1, 3))
    smooth, stepped = ramp.astype(np.uint8), (ramp // 16 * 16 + 8).astype(np.uint8)
    assert banding(build_frame(smooth)).wide_gap == pytest.approx(1.0, abs=0.1)
    assert banding(build_frame(stepped)).wide_gap == pytest.approx(16, rel=0.35)


def test_an_enlarged_picture_lacks_the_high_frequencies_that_a_sharp_one_has() -> None:
    sharp = grained(scene(), sigma=3)
    small = cv2.resize(sharp, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    enlarged = np.asarray(cv2.resize(small, (480, 320), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert resolution(build_frame(enlarged)).drop_2 > resolution(build_frame(sharp)).drop_2 + 1
    assert resolution(build_frame(sharp)).coarseness == pytest.approx(640 / 480)


def test_bars_are_found_with_their_depth() -> None:
    pixels = scene()
    pixels[:40] = 0
    pixels[-40:] = 0
    found = {bar.side: bar.depth for bar in bars(pixels)}
    assert found == {Side.TOP: pytest.approx(0.125), Side.BOTTOM: pytest.approx(0.125)}
    assert bars(scene()) == ()


def test_spots_are_boxed_with_their_depth() -> None:
    pixels = np.full((300, 400, 3), 180, np.uint8)
    cv2.circle(pixels, (100, 80), 8, (130, 130, 130), -1)
    frame = build_frame(pixels)
    (spot,) = spots(frame, traces(frame))
    assert spot.box.iou(Box(92 / 400, 72 / 300, 17 / 400, 17 / 300)) > 0.7
    assert spot.depth == pytest.approx(-50, abs=4)
    assert spot.ragged < 0.15


def test_a_scratch_is_a_line_that_stands_out_all_along() -> None:
    pixels = np.full((300, 400, 3), 90, np.uint8)
    cv2.line(pixels, (200, 20), (205, 280), (240, 240, 240), 1)
    line = max(lines_in(pixels), key=lambda found: found.length)
    assert line.length == pytest.approx(260 / 300, abs=0.05)
    assert line.steady > 0.9
    assert line.contrast > 80


def test_a_bent_hair_is_boxed_whole() -> None:
    pixels = np.full((300, 400, 3), 150, np.uint8)
    turn = np.linspace(0, np.pi, 60)
    points = np.stack([200 + 60 * np.cos(turn), 180 - 60 * np.sin(turn)], axis=1).astype(np.int32)
    cv2.polylines(pixels, [points], isClosed=False, color=(40, 40, 40), thickness=2)
    hair = fibers_in(pixels)[0]
    assert hair.box.iou(Box(140 / 400, 120 / 300, 120 / 400, 60 / 300)) > 0.9
    assert hair.contrast < -80


def test_what_a_chain_of_neighbors_joins_has_one_label() -> None:
    neighbors = np.zeros((5, 5), np.bool_)
    neighbors[0, 3] = neighbors[3, 4] = True
    assert chains(neighbors).tolist() == [0, 1, 2, 0, 0]


@pytest.mark.parametrize(("rows", "shown"), [(12, False), (18, True), (90, True)])
def test_a_large_white_sky_is_reported(rows: int, shown: bool) -> None:  # noqa: FBT001
    """A white area along the upper edge may be a sky by nature; from a twentieth of the image on it is reported."""
    pixels = scene(seed=3)
    pixels[:rows] = 255
    frame = build_frame(pixels)
    places = measure_places(frame, wanted=frozenset({"clipped_highlights"}))
    readings = read_places(places, whole=of_whole(measure_whole(frame)), soft_px=1.0)
    assert max((r.score for r in readings), default=0.0) >= 0.55 or not shown
    assert (max((r.strength for r in readings), default=0.0) >= 5.0) is shown


def test_a_soft_patch_in_a_sharp_picture_is_boxed() -> None:
    rng = np.random.default_rng(5)
    pixels = np.clip(scene().astype(np.float64) + rng.normal(0, 14, (320, 480, 1)), 0, 255).astype(np.uint8)
    pixels[100:200, 150:300] = blurred(pixels, sigma_px=3)[100:200, 150:300]
    found = sharpness_map(build_frame(pixels)).patches
    assert max(patch.box.iou(Box(150 / 480, 100 / 320, 150 / 480, 100 / 320)) for patch in found) > 0.6


def test_lines_tell_the_lean() -> None:
    pixels = np.full((300, 400, 3), 60, np.uint8)
    cv2.rectangle(pixels, (100, 80), (300, 220), (200, 200, 200), -1)
    turn = cv2.getRotationMatrix2D((200, 150), -4, 1.0)
    turned = np.asarray(cv2.warpAffine(pixels, turn, (400, 300), borderValue=(60, 60, 60)), np.uint8)
    assert measure_whole(build_frame(turned)).tilt.degrees == pytest.approx(4, abs=0.6)
    assert measure_whole(build_frame(pixels)).tilt.degrees == pytest.approx(0, abs=0.3)


def test_a_large_picture_is_sampled_at_full_resolution() -> None:
    """The sample keeps the grain as it is; averaging the picture down would hide it."""
    large = grained(np.full((3000, 4000, 3), 120, np.uint8), sigma=9)
    frame = build_frame(large)
    assert frame.green.shape != frame.rgb.shape[:2]
    assert frame.green.size <= DETAIL_PX
    assert noise(frame).sigma == pytest.approx(9, rel=0.15)


def test_a_huge_strip_is_measured_in_bounded_memory() -> None:
    strip: Pixels = np.zeros((6, 900_000, 3), np.uint8)
    assert build_frame(strip).green.size <= 6 * 4 * DETAIL_PX


@pytest.mark.parametrize("sigma_px", [2.0, 4.0])
def test_blur_is_told_in_a_picture_of_which_only_tiles_are_read(sigma_px: float) -> None:
    """Where two tiles meet is an edge that is sharper than anything in the picture."""
    large = blurred(np.tile(scene(), (6, 5, 1)), sigma_px=sigma_px)
    frame = build_frame(large)
    assert frame.green.size < large[..., 0].size / 1.2
    assert likelihoods(of_whole(measure_whole(frame)))["defocus"] > 0.9
