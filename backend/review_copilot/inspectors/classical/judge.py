"""From numbers to readings: which measurement is a flaw, how sure, in which words. Knows no guideline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from review_copilot.domain.geometry import Box
from review_copilot.inspectors.classical import border, colour, compression, exposure, noise, sharpness
from review_copilot.inspectors.classical.frame import Frame
from review_copilot.inspectors.classical.reading import Reading, logistic
from review_copilot.inspectors.classical.wording import number


def _sharpness(frame: Frame) -> list[Reading]:
    widths = sharpness.edge_widths(frame.grey)
    evidence = {"blur_px": round(widths.blur_px, 2), "smear_px": round(widths.smear_px, 1), "edges": widths.edges}
    if widths.ratio > 2.2 and widths.smear_px >= 3:
        way = _direction(widths.direction_deg)
        text = f"edges are smeared {way} over about {number(widths.smear_px)} pixels; across that they stay crisp"
        score = logistic(widths.ratio, middle=2.4, slope=4)
        return [Reading("motion_blur", widths.smear_px, score, text, evidence=evidence)]
    score = logistic(widths.blur_px, middle=0.75, slope=8)
    text = f"even the sharpest edges are blurred over about {number(2 * widths.blur_px)} pixels"
    return [Reading("defocus", widths.blur_px, score, text, evidence=evidence)]


def _exposure(frame: Frame) -> list[Reading]:
    tone = exposure.tone(frame.small_grey)
    evidence = {"stops_from_middle_grey": round(tone.stops, 2), "median_level": round(tone.median)}
    readings = [
        Reading(
            "over_exposure",
            tone.stops,
            logistic(tone.stops, middle=1.3, slope=6),
            f"mean brightness lies {number(tone.stops)} stops above middle grey; "
            f"{number(tone.light_percent)} % of it is nearly white",
            evidence={**evidence, "nearly_white_percent": round(tone.light_percent, 1)},
        ),
        Reading(
            "under_exposure",
            -tone.stops,
            logistic(-tone.stops, middle=2.4, slope=4),
            f"mean brightness lies {number(-tone.stops)} stops below middle grey; "
            f"{number(tone.dark_percent)} % of it is nearly black",
            evidence={**evidence, "nearly_black_percent": round(tone.dark_percent, 1)},
        ),
    ]
    readings += [
        Reading(
            "clipped_highlights",
            patch.percent,
            logistic(patch.percent, middle=1.0, slope=1.5),
            f"pure white over {number(patch.percent)} % of the picture; no detail is left there",
            box=patch.box,
            evidence={"clipped_percent": round(patch.percent, 2)},
        )
        for patch in exposure.clipped_patches(frame, least_percent=0.8)[:4]
    ]
    readings += [
        Reading(
            "crushed_shadows",
            patch.percent,
            logistic(patch.percent, middle=8.0, slope=0.5),
            f"pure black over {number(patch.percent)} % of the picture; no detail is left there",
            box=patch.box,
            evidence={"crushed_percent": round(patch.percent, 2)},
        )
        for patch in exposure.crushed_patches(frame, least_percent=5)[:4]
    ]
    return readings


def _noise(frame: Frame) -> list[Reading]:
    sigma = noise.noise_sigma(frame.grey)
    text = f"smooth areas carry grain of about {number(sigma)} grey levels"
    return [
        Reading(
            "noise", sigma, logistic(sigma, middle=3.5, slope=1.5), text, evidence={"noise_levels": round(sigma, 1)}
        )
    ]


def _compression(frame: Frame) -> list[Reading]:
    found = compression.blocking(frame.grey)
    lost = min(98.0, 50 + 28 * max(0.0, found.ratio - 1.0) ** 0.5)
    more = number(100 * (found.ratio - 1))
    text = f"square blocks of 8 pixels stand out; their borders jump {more} % more than the rest"
    score = logistic(found.ratio, middle=2.0, slope=5)
    return [Reading("compression", lost, score, text, evidence={"block_border_ratio": round(found.ratio, 2)})]


def _colour(frame: Frame) -> list[Reading]:
    cast = colour.colour_cast(frame.small_rgb)
    if cast.grey_picture:
        return []
    score = logistic(cast.ratio, middle=2.5, slope=3) * logistic(cast.shift, middle=12, slope=0.6)
    text = f"a {_hue(cast.hue_deg)} tint of {number(cast.shift)} Lab units lies over all tones"
    evidence = {
        "shift_lab": round(cast.shift, 1),
        "shift_over_spread": round(cast.ratio, 2),
        "hue_deg": round(cast.hue_deg),
    }
    return [Reading("colour_cast", cast.shift, score, text, evidence=evidence)]


def _border(frame: Frame) -> list[Reading]:
    found = border.bars(frame.rgb)
    readings = []
    for bar in found:
        percent = 100 * bar.depth
        tint = "black" if bar.level < 40 else "white" if bar.level > 215 else "plain"
        text = f"a {tint} bar along the {bar.side} edge takes {number(percent)} % of the picture"
        score = logistic(percent, middle=0.3, slope=8)
        readings.append(
            Reading("border", percent, score, text, box=_bar_box(bar), evidence={"bar_percent": round(percent, 2)})
        )
    return readings


def _bar_box(bar: border.Bar) -> Box:
    match bar.side:
        case border.Side.LEFT:
            return Box(0.0, 0.0, bar.depth, 1.0)
        case border.Side.RIGHT:
            return Box(1 - bar.depth, 0.0, bar.depth, 1.0)
        case border.Side.TOP:
            return Box(0.0, 0.0, 1.0, bar.depth)
        case border.Side.BOTTOM:
            return Box(0.0, 1 - bar.depth, 1.0, bar.depth)


def _direction(degrees: float) -> str:
    names = ("sideways", "from upper left to lower right", "up and down", "from lower left to upper right")
    return names[int((degrees + 22.5) // 45) % 4]


def _hue(degrees: float) -> str:
    names = ("red", "orange", "yellow", "green", "green", "blue-green", "blue", "magenta")
    return names[int((degrees + 22.5) // 45) % 8]


Judge = Callable[[Frame], list[Reading]]

JUDGES: Mapping[str, tuple[tuple[str, ...], Judge]] = MappingProxyType(
    {
        "sharpness": (("defocus", "motion_blur"), _sharpness),
        "exposure": (("over_exposure", "under_exposure", "clipped_highlights", "crushed_shadows"), _exposure),
        "noise": (("noise",), _noise),
        "compression": (("compression",), _compression),
        "colour": (("colour_cast",), _colour),
        "border": (("border",), _border),
    }
)
"""Families of measurements: which names a judge may give, and the judge."""
