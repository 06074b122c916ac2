"""From image-wide numbers to readings: what is a flaw, how sure, how strong, in which words. Knows no guideline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from photo_inspector.scoring.calibration import strength
from photo_inspector.scoring.features import Features, of_whole
from photo_inspector.scoring.likelihood import likelihoods
from photo_inspector.scoring.measured import Whole
from photo_inspector.scoring.reading import Reading, logistic
from photo_inspector.wording import counted, hue_name, lean_words, number, way_of

COARSE_MIDDLE = 1.45
"""640 over the longer side at which a picture is as likely too small as not: 441 px, just above the guideline's 430."""
ALL_PERCENT = 99.0
"""Share of pixels at one end of the range from which the frame is that end and nothing else."""
ALL_TINTED_LAB = 38.0
"""Distance from grey that nine tenths of a picture keep at which it is as likely tinted as not, whatever it shows: one
in some four hundred photographs is so by nature."""
NO_COLOUR_LAB = 1.5
"""Distance from grey that nine tenths of a picture exceed, at which it is half as likely tinted as it seems: a tint
lies over everything, and of 522 planted ones two in a hundred left a tenth of the picture with less colour."""
ALL_BRIGHT_STOPS = 2.0
"""Mean brightness above middle grey at which a picture is as likely over-exposed as not, whatever it shows: one in some
six hundred photographs is so by nature, and the guideline calls it critical."""
SURE = 0.98
"""Probability of what cannot be otherwise."""


def read_whole(whole: Whole, *, saved_quality: int | None, wanted: frozenset[str] | None = None) -> list[Reading]:
    """One reading for every wanted image-wide measurement, likely or not; those that exclude each other are weighed.

    Args:
        whole: The measurements.
        saved_quality: JPEG quality that the file's own tables show; None for other files.
        wanted: Names of the measurements; all when nothing is said. What outranks one of them is read as well.
    """
    names = frozenset(_READERS) if wanted is None else _with_rivals(wanted)
    features = of_whole(whole)
    likely = likelihoods(features, wanted=names)
    readings = {name: read(whole, features, likely.get(name, 0.0)) for name, read in _READERS.items() if name in names}
    if "compression" in readings:
        readings["compression"] = _with_file(readings["compression"], saved_quality)
    _name_the_end(readings, whole)
    _exclude(readings)
    return list(readings.values())


def _defocus(whole: Whole, features: Features, score: float) -> Reading:
    blur = strength("defocus", features)
    text = f"even the crispest edges are spread over about {number(2 * blur)} px; fine detail is gone"
    evidence = {"blur_px": round(blur, 2), "edges": whole.sharpness.edges}
    return Reading("defocus", blur, score, text, evidence=evidence)


def _motion(whole: Whole, features: Features, score: float) -> Reading:
    smear, degrees = strength("motion_blur", features), whole.coarse.smear.direction_deg
    text = f"detail is smeared {way_of(degrees)} over about {number(smear)} px; edges along that direction stay crisp"
    evidence = {"smear_px": round(smear, 1), "direction_deg": round(degrees)}
    return Reading("motion_blur", smear, score, text, evidence=evidence)


def _over(whole: Whole, features: Features, score: float) -> Reading:
    stops = max(whole.tone.stops, strength("over_exposure", features))
    text = (
        f"mean brightness is {counted(max(0.1, whole.tone.stops), 'stop')} above middle grey; "
        f"{number(whole.tone.light_percent)} % is nearly white"
    )
    evidence = {"stops": round(whole.tone.stops, 2), "nearly_white_percent": round(whole.tone.light_percent, 1)}
    score = max(score, logistic(whole.tone.stops, middle=ALL_BRIGHT_STOPS, slope=6))
    return Reading("over_exposure", stops, score, text, evidence=evidence)


def _under(whole: Whole, features: Features, score: float) -> Reading:
    stops = strength("under_exposure", features)
    text = (
        f"mean brightness is {counted(max(0.1, -whole.tone.stops), 'stop')} below middle grey; "
        f"{number(whole.tone.dark_percent)} % is nearly black"
    )
    evidence = {"stops": round(whole.tone.stops, 2), "nearly_black_percent": round(whole.tone.dark_percent, 1)}
    return Reading("under_exposure", stops, score, text, evidence=evidence)


def _noise(whole: Whole, features: Features, score: float) -> Reading:
    grain = strength("noise", features)
    text = f"areas that should be smooth carry grain of about {number(grain)} of 255 grey levels"
    evidence = {"grain_levels": round(grain, 1), "lonely_pixels_percent": round(whole.noise.lonely_percent, 2)}
    return Reading("noise", grain, score, text, evidence=evidence)


def _compression(whole: Whole, features: Features, score: float) -> Reading:
    lost = min(97.0, strength("compression", features))
    ratio = whole.compression.ratio
    text = (
        f"blocks of 8 px show as at a JPEG quality of about {number(100 - lost)}; "
        f"their borders jump {number(ratio)} times as much as the rest"
    )
    evidence = {"jpeg_quality": round(100 - lost), "block_border_ratio": round(ratio, 2)}
    return Reading("compression", lost, score, text, evidence=evidence)


def _with_file(reading: Reading, quality: int | None) -> Reading:
    """What the file's own tables say outweighs what the pixels show."""
    if quality is None or quality > 40:
        return reading
    text = f"the file is saved at JPEG quality {quality}; blocks of 8 px and specks around edges replace fine detail"
    score = max(reading.score, logistic(quality, middle=39.0, slope=-0.7))
    return replace(
        reading,
        strength=100.0 - quality,
        score=score,
        text=text,
        evidence={**reading.evidence, "saved_quality": quality},
    )


def _banding(_whole: Whole, features: Features, score: float) -> Reading:
    step = strength("banding", features)
    text = f"smooth tones fall into steps about {number(step)} grey levels apart; the tones between are missing"
    evidence = {"step_levels": round(step, 1)}
    return Reading("banding", step, score, text, evidence=evidence)


def _cast(whole: Whole, features: Features, score: float) -> Reading:
    distance = strength("colour_cast", features)
    colour = hue_name(whole.colour.hue_deg)
    text = f"tones that should be neutral lean to {colour} by about {number(distance)} Lab units, light and dark alike"
    evidence = {"cast_lab": round(distance, 1), "hue_deg": round(whole.colour.hue_deg)}
    score *= logistic(whole.colour.least, middle=NO_COLOUR_LAB, slope=4)
    # stronger than any tint that the trees were shown
    score = max(score, logistic(whole.colour.least, middle=ALL_TINTED_LAB, slope=0.25))
    return Reading("colour_cast", distance, score, text, evidence=evidence)


def _contrast(whole: Whole, _features: Features, score: float) -> Reading:
    unused = whole.contrast.unused_percent
    text = (
        f"the tones span only {number(100 - unused)} % of the range, "
        f"from level {whole.contrast.low:.0f} to {whole.contrast.high:.0f} of 255"
    )
    evidence = {
        "unused_percent": round(unused, 1),
        "low": round(whole.contrast.low),
        "high": round(whole.contrast.high),
    }
    return Reading("low_contrast", unused, score, text, evidence=evidence)


def _empty(whole: Whole, _features: Features, score: float) -> Reading:
    spread = whole.contrast.spread
    text = f"nothing can be made out; all tones lie within {number(2 * spread)} grey levels of each other"
    return Reading("empty_frame", 100.0, score, text, evidence={"spread": round(spread, 1)})


def _tilt(whole: Whole, _features: Features, score: float) -> Reading:
    degrees = whole.tilt.degrees
    text = f"lines that should be level or upright lean {lean_words(degrees)} by {number(abs(degrees))} degrees"
    evidence = {
        "degrees": round(degrees, 1),
        "share_of_lines_percent": round(100 * max(whole.tilt.across, whole.tilt.up)),
    }
    return Reading("tilt", abs(degrees), score, text, evidence=evidence)


def _small(whole: Whole, _features: Features, _score: float) -> Reading:
    coarseness = whole.resolution.coarseness
    longer = round(640 / coarseness)
    text = f"the longer side has only {longer} px"
    score = logistic(coarseness, middle=COARSE_MIDDLE, slope=25)
    return Reading("low_resolution", coarseness, score, text, evidence={"longer_side_px": longer})


def _upscaled(_whole: Whole, features: Features, score: float) -> Reading:
    factor = strength("upscaling", features)
    text = f"the picture was enlarged about {number(factor)} times; it holds no detail finer than {number(factor)} px"
    return Reading("upscaling", factor, score, text, evidence={"factor": round(factor, 2)})


def _name_the_end(readings: dict[str, Reading], whole: Whole) -> None:
    """A frame of pure black or white is too dark or too light, not merely empty; the mean tells how far."""
    for name, percent in (("under_exposure", whole.tone.black_percent), ("over_exposure", whole.tone.white_percent)):
        if percent < ALL_PERCENT:
            continue
        if name in readings:
            stops = abs(whole.tone.stops)
            readings[name] = replace(readings[name], score=SURE, strength=max(readings[name].strength, stops))
        if "empty_frame" in readings:
            readings["empty_frame"] = replace(readings["empty_frame"], score=1 - SURE)


@cache
def _with_rivals(wanted: frozenset[str]) -> frozenset[str]:
    """Some image-wide measurements and all that outrank one of them."""
    names = wanted & frozenset(_READERS)
    return names | {winner for winner, losers in _OUTRANKS.items() if not names.isdisjoint(losers)}


def _exclude(readings: dict[str, Reading]) -> None:
    """What the guideline's "do not flag" leaves to another criterion is taken back."""
    for winner, losers in _OUTRANKS.items():
        for loser in (name for name in losers if winner in readings and name in readings):
            rest = 1 - readings[winner].score
            readings[loser] = replace(readings[loser], score=min(readings[loser].score, rest))


_READERS: Mapping[str, Callable[[Whole, Features, float], Reading]] = MappingProxyType(
    {
        "defocus": _defocus,
        "motion_blur": _motion,
        "over_exposure": _over,
        "under_exposure": _under,
        "noise": _noise,
        "compression": _compression,
        "banding": _banding,
        "colour_cast": _cast,
        "low_contrast": _contrast,
        "empty_frame": _empty,
        "tilt": _tilt,
        "low_resolution": _small,
        "upscaling": _upscaled,
    }
)

_OUTRANKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "empty_frame": tuple(n for n in _READERS if n not in {"empty_frame", "low_resolution"}),
        "under_exposure": ("low_contrast", "banding"),
        "over_exposure": ("low_contrast", "banding"),
        "low_resolution": ("upscaling", "tilt"),
    }
)
"""Measurement: those that say less when it speaks. One tone is neither soft nor tinted; blocks are not bands."""
