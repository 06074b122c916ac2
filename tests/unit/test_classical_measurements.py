"""Measurements on drawn pictures with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from pictures import blurred, compressed, grained, scene, smeared
from review_copilot.inspectors.classical import border, colour, compression, exposure, noise, sharpness
from review_copilot.inspectors.classical.frame import Grey, build_frame


def _grey(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Grey:
    return build_frame(pixels).grey


@pytest.mark.parametrize("sigma_px", [1.5, 2.0, 3.0])
def test_edge_width_is_the_blur_that_was_applied(sigma_px: float) -> None:
    widths = sharpness.edge_widths(_grey(blurred(scene(), sigma_px=sigma_px)))
    assert widths.blur_px == pytest.approx(sigma_px, rel=0.25)


def test_sharp_edges_are_narrow_and_alike_in_all_directions() -> None:
    widths = sharpness.edge_widths(_grey(scene()))
    assert widths.blur_px < 0.9
    assert widths.ratio < 2.2


def test_a_sideways_smear_widens_only_edges_across_it() -> None:
    widths = sharpness.edge_widths(_grey(smeared(scene(), length_px=9)))
    assert widths.ratio > 2.2
    assert widths.smear_px > 3


def test_a_picture_without_edges_has_no_edge_width() -> None:
    assert sharpness.edge_widths(np.full((64, 64), 128, np.uint8)) == sharpness.EdgeWidths(0.0, 0.0, 0.0, 1.0, 0)


@pytest.mark.parametrize("sigma", [4.0, 10.0, 20.0])
def test_noise_is_the_grain_that_was_added(sigma: float) -> None:
    flat = np.full((240, 320, 3), 128, np.uint8)
    assert noise.noise_sigma(_grey(grained(flat, sigma=sigma))) == pytest.approx(sigma, rel=0.2)


def test_no_grain_no_noise() -> None:
    assert noise.noise_sigma(np.full((64, 64), 128, np.uint8)) == 0.0


def test_blocks_stand_out_after_strong_compression_even_when_cropped() -> None:
    squeezed = compressed(scene(), quality=10)
    assert compression.blocking(_grey(scene())).ratio < 1.3
    assert compression.blocking(_grey(squeezed)).ratio > 2
    assert compression.blocking(_grey(np.ascontiguousarray(squeezed[3:, 5:]))).ratio > 2


@pytest.mark.parametrize(("level", "stops"), [(118, 0.0), (188, 1.47), (255, 2.47)])
def test_stops_count_from_middle_grey(level: int, stops: float) -> None:
    """SRGB 118 shows 18 % of the light, 188 a half, 255 all."""
    assert exposure.tone(np.full((8, 8), level, np.uint8)).stops == pytest.approx(stops, abs=0.05)


def test_a_white_patch_is_boxed() -> None:
    pixels = np.full((200, 300, 3), 100, np.uint8)
    pixels[20:60, 30:90] = 255
    (patch,) = exposure.clipped_patches(build_frame(pixels), least_percent=1)
    assert patch.percent == pytest.approx(4.0, abs=0.1)
    assert (patch.box.x, patch.box.y) == pytest.approx((0.1, 0.1), abs=0.01)


def test_a_tint_over_everything_is_a_cast_and_colours_all_round_are_none() -> None:
    rng = np.random.default_rng(1)
    colourful = rng.integers(40, 220, (64, 64, 3)).astype(np.uint8)
    tinted = np.clip(np.array([160, 120, 80]) + rng.normal(0, 5, (64, 64, 1)), 0, 255).astype(np.uint8)
    assert colour.colour_cast(colourful).ratio < 1
    assert colour.colour_cast(tinted).ratio > 3
    assert colour.colour_cast(np.full((8, 8, 3), 90, np.uint8)).grey_picture


def test_bars_are_found_with_their_depth() -> None:
    pixels = scene()
    pixels[:40] = 0
    pixels[-40:] = 0
    found = {bar.side: bar.depth for bar in border.bars(pixels)}
    assert found == {border.Side.TOP: pytest.approx(0.125), border.Side.BOTTOM: pytest.approx(0.125)}
    assert border.bars(scene()) == ()
