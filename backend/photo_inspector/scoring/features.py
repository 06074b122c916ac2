"""Measurements as the named numbers that the calibration weighs. Knows no weight.

Quantities that span powers of ten are taken as logarithms, others are scaled to the order of 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TypeAlias

import numpy as np

from photo_inspector.lettering.overlay import Lettering
from photo_inspector.marks.fibers import Fiber
from photo_inspector.marks.lines import Line
from photo_inspector.marks.soft_patches import Softness
from photo_inspector.marks.spots import Spot
from photo_inspector.pixels.frame import build_frame
from photo_inspector.scoring.measured import Whole, measure_whole
from photo_inspector.whole_image.exposure import Patch

Features: TypeAlias = Mapping[str, float]
"""Named numbers of the order of 1."""


class WholeNumbers(Mapping[str, float]):
    """The image-wide numbers of one picture; what nobody asks for is not measured. Pickled as a plain dict."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._held: dict[str, float] = {}

    def __getitem__(self, name: str) -> float:
        """The number.

        Raises:
            KeyError: There is none of that name.
        """
        if name not in self._held:
            self._held.update(_SPOKEN[_speaker_of()[name]](self._whole))
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_speaker_of())

    def __len__(self) -> int:
        return len(_speaker_of())

    def __reduce__(self) -> tuple[type[dict[str, float]], tuple[dict[str, float]]]:
        return dict, (dict(self),)


def of_whole(whole: Whole) -> Features:
    """The image-wide measurements, each taken when one of its numbers is first asked for."""
    return WholeNumbers(whole)


@cache
def _speaker_of() -> Mapping[str, int]:
    """Which of `_SPOKEN` tells each number, as they tell of a blank picture."""
    blank = measure_whole(build_frame(np.zeros((64, 64, 3), np.uint8)))
    return {name: index for index, spoken in enumerate(_SPOKEN) for name in spoken(blank)}


def _of_sharpness(whole: Whole) -> Features:
    sharp = whole.sharpness
    return {
        "blur": _log(sharp.blur_px, 0.05),
        "blur_half": _log(sharp.blur_half_px, 0.05),
        "smear_middle": sharp.smear.middle,
        "smear_coarse": sharp.smear.coarse,
        "smear_far": sharp.smear.far,
    }


def _of_coarse(whole: Whole) -> Features:
    coarse = whole.coarse
    smears = {f"smear_{2**level}": found for level, found in enumerate(coarse.smears)}
    sizes = sorted(found.middle for found in (whole.sharpness.smear, *coarse.smears))
    return {
        "reach": math.log(coarse.reach),
        "blur_screen": _log(coarse.screen_px, 0.05),
        "blur_small": _log(coarse.small_px, 0.05),
        **{name: found.middle for name, found in smears.items()},
        **{f"{name}_near": found.coarse for name, found in smears.items()},
        "smear_most": sizes[-1],
        "smear_twice": sizes[-2],
        "smear_sum": sum(sizes),
    }


def _of_tone(whole: Whole) -> Features:
    tone = whole.tone
    return {
        "stops": tone.stops,
        "median": tone.median / 64,
        "dark": tone.dark_percent / 25,
        "light": tone.light_percent / 25,
        "tone_low": tone.quantiles[0] / 40,
        "tone_lower": tone.quantiles[1] / 64,
        "tone_upper": tone.quantiles[2] / 64,
        "tone_high": tone.quantiles[3] / 40,
        "roll_off": tone.roll_off,
        "white": _log(tone.white_percent, 0.5),
        "black": _log(tone.black_percent, 0.5),
    }


def _of_light(whole: Whole) -> Features:
    light = whole.light
    return {
        "light_over": light.over,
        "light_stops": light.stops,
        "burnt": _log(light.burnt_percent, 0.3),
        "cut": light.cut,
    }


def _of_noise(whole: Whole) -> Features:
    noise = whole.noise
    return {
        "grain": _log(noise.sigma, 0.3),
        "grain_quarter": _log(noise.quarter, 0.3),
        "grain_half": _log(noise.half, 0.3),
        "lonely": _log(noise.lonely_percent, 0.01),
        "streak": 5 * noise.streak,
    }


def _of_compression(whole: Whole) -> Features:
    squeeze = whole.compression
    return {
        "block_ratio": _log(squeeze.ratio, 0.0),
        "block_jump": _log(squeeze.jump, 0.2),
        "jpeg_quality": _log(squeeze.quality, 0.0),
        "jpeg_comb": 3 * squeeze.comb,
    }


def _of_color(whole: Whole) -> Features:
    color = whole.color
    return {
        "cast": color.cast / 10,
        "cast_sure": color.sure,
        "cast_green": color.green / 10,
        "cast_warm": color.warm / 10,
        "cast_shift": color.shift / 10,
        "cast_ratio": min(color.ratio, 6.0),
        "cast_along": 2 * color.along,
        "cast_least": color.least / 8,
        "cast_dark": color.dark / 10,
    }


def _of_chroma(whole: Whole) -> Features:
    chroma = whole.chroma
    return {"cast_light": chroma.light / 10, "colourful": chroma.spread / 10}


def _of_contrast(whole: Whole) -> Features:
    contrast = whole.contrast
    return {
        "low": contrast.low / 40,
        "high": contrast.high / 40,
        "unused": contrast.unused_percent / 20,
        "spread": contrast.spread / 20,
        "veil": contrast.veil / 40,
        "local": _log(contrast.local, 0.5),
    }


def _of_banding(whole: Whole) -> Features:
    banding = whole.banding
    return {
        "luma_gap": 2 * _log(banding.luma_gap, 0.0),
        "gap": 2 * _log(banding.gap, 0.0),
        "wide_gap": 2 * _log(banding.wide_gap, 0.0),
        "still": banding.still,
        "levels": 4 * banding.levels,
    }


def _of_resolution(whole: Whole) -> Features:
    resolution = whole.resolution
    return {
        "drop_1": resolution.drop_1,
        "drop_2": resolution.drop_2,
        "drop_3": resolution.drop_3,
        "drop_4": resolution.drop_4,
        "ripple": resolution.ripple,
        "repeats": _log(resolution.repeats, 0.01),
    }


def _of_tilt(whole: Whole) -> Features:
    tilt = whole.tilt
    return {
        "lean": min(abs(tilt.degrees), 16.0) / 4,
        "lean_seen": _odds(tilt.seen),
        "lean_told": _odds(tilt.told),
        "lean_far": _odds(tilt.far),
        "lean_better": tilt.better,
        "lean_peak": _odds(tilt.peak),
        "lean_both": 4 * min(tilt.across, tilt.up),
        "lean_most": 4 * max(tilt.across, tilt.up),
        "level": _log(tilt.level, 0.02),
        "lean_longest": 4 * tilt.longest,
    }


def _of_edges(whole: Whole) -> Features:
    return {"edges": _log(whole.edges.share, 0.002)}


_SPOKEN: tuple[Callable[[Whole], Features], ...] = (
    _of_sharpness, _of_coarse, _of_tone, _of_light, _of_noise, _of_compression, _of_color, _of_chroma, _of_contrast,
    _of_banding, _of_resolution, _of_tilt, _of_edges,
)  # fmt: skip
"""The numbers of each measurement."""


def of_patch(patch: Patch) -> Features:
    """A clipped or crushed area."""
    box = patch.box
    fill = patch.percent / 100 / max(box.area, 1e-6)
    on_edge = box.x < 0.004 or box.y < 0.004 or box.right > 0.996 or box.bottom > 0.996
    return {"percent": _log(patch.percent, 0.1), "fill": 4 * min(1.0, fill), "on_edge": float(on_edge)}


def of_softness(soft: Softness, *, whole: Features) -> Features:
    """A soft area, in its picture."""
    return {
        "percent": _log(soft.percent, 0.1),
        "step": soft.step,
        "enclosed": 4 * soft.enclosed,
        "fill": 4 * soft.fill,
        "detail": _log(soft.detail, 0.2),
        "at_edge": 4 * soft.at_edge,
        "gap": soft.gap,
        "elsewhere": 4 * soft.elsewhere,
        "blur": whole["blur"],
    }


def of_lettering(line: Lettering) -> Features:
    """A piece of lettering."""
    ink = line.ink
    return {
        "detected": 4 * line.detected,
        "slant": min(line.slant_deg, 45.0) / 10,
        "seen": _odds(line.seen),
        "around": _odds(line.around),
        "agreed": 4 * line.agreed,
        "edge": _log(line.edge, 0.01),
        "twins": _log(line.twins, 1.0),
        "others": _log(line.others, 1.0),
        "height": _log(line.box.height, 0.01),
        "width": _log(line.box.width, 0.01),
        "middle": 4 * abs(line.box.x + line.box.width / 2 - 0.5),
        "level": 4 * (line.box.y + line.box.height / 2),
        "contrast": _log(ink.contrast, 5.0),
        "spread": 4 * min(ink.spread, 1.5),
        "ground": _log(ink.ground, 1.0),
        "veil": 4 * ink.veil,
        "rest": 4 * min(ink.rest, 1.5),
        "share": 4 * ink.share,
        "light": float(ink.light),
        "pure": _log(ink.pure, 5.0),
        "colored": _log(ink.colored, 5.0),
    }


def of_spot(spot: Spot) -> Features:
    """A round spot."""
    return {
        "clear": _log(abs(spot.depth) / (spot.ground + 1), 0.1),
        "depth": _log(abs(spot.depth), 1.0),
        "ground": _log(spot.ground, 1.0),
        "ragged": 6 * min(spot.ragged, 0.8),
        "aspect": 4 * (min(spot.aspect, 2.2) - 1),
        "width": min(spot.width_percent, 12.0) / 3,
        "tint": _log(spot.tint, 0.03),
        "flat": 4 * min(max(spot.flat, 0.0), 1.2),
        "steep": 4 * min(spot.steep, 1.5),
        "inner": _log(spot.inner, 0.02),
        "uneven": _log(spot.uneven, 0.02),
        "sloping": _log(spot.sloping, 0.02),
        "tone": spot.tone / 64,
        "dark": float(spot.depth < 0),
        "rivals": _log(spot.rivals, 1.0),
        "seen": _odds(spot.seen),
        "around": _odds(spot.around),
    }


def of_line(line: Line) -> Features:
    """A fine line."""
    return {
        "length": _log(line.length, 0.02),
        "contrast": _log(abs(line.contrast), 2.0),
        "steady": 6 * line.steady,
        "evenness": _log(line.evenness, 0.05),
        "ground": _log(line.ground, 1.0),
        "apart": _log(line.apart, 2.0),
        "end": _log(min(line.tone, 255 - line.tone), 8.0),
        "light": float(line.contrast > 0),
        "level": float(line.upright > 88),
        "plumb": float(line.upright < 4),
        "wander": min(line.wander, 3.0),
        "hue": _log(line.hue, 4.0),
        "veil": 4 * line.veil,
        "rivals": _log(line.rivals, 1.0),
        "beyond": 4 * line.beyond,
        "seen": _odds(line.seen),
        "backing": 2 * min(line.backing, 4.0),
    }


def of_fiber(fiber: Fiber) -> Features:
    """A hair or a bent scratch."""
    return {
        "length": _log(fiber.length, 0.02),
        "thickness": fiber.thickness,
        "pen": min(fiber.pen, 12.0),
        "contrast": _log(abs(fiber.contrast), 2.0),
        "standout": _log(fiber.standout, 0.1),
        "evenness": 4 * fiber.evenness,
        "veil": 4 * fiber.veil,
        "spread": _log(fiber.spread, 2.0),
        "ground": _log(fiber.ground, 2.0),
        "apart": 2 * min(fiber.apart, 4.0),
        "end": _log(min(fiber.tone, 255 - fiber.tone), 8.0),
        "hue": _log(fiber.hue, 4.0),
        "light": float(fiber.contrast > 0),
        "fill": 4 * fiber.fill,
        "rivals": _log(fiber.rivals, 1.0),
        "seen": _odds(fiber.seen),
        "backing": 2 * min(fiber.backing, 4.0),
    }


def _log(value: float, offset: float) -> float:
    held = value + offset if value > 0 else offset
    return math.log(held) if held > 0 else 0.0


def _odds(likely: float) -> float:
    """A probability as the logarithm of its odds, within 7 either way."""
    held = min(1 - 1e-3, max(1e-3, likely))
    return math.log(held / (1 - held))
