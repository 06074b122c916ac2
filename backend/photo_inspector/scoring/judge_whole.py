"""From image-wide numbers to readings: what is a flaw, how sure, how strong, in which words. Knows no guideline."""

from __future__ import annotations

import math
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
"""Distance from gray that nine tenths of a picture keep at which it is as likely tinted as not, whatever it shows: one
in some four hundred photographs without a flaw is so."""
NO_COLOR_LAB = 1.5
"""Distance from gray that nine tenths of a picture exceed, at which it is half as likely tinted as it seems: a tint
lies over everything, and of 522 planted ones two in a hundred left a tenth of the picture with less color."""
ALL_BRIGHT_STOPS = 2.0
"""Mean brightness above middle gray at which a picture is as likely over-exposed as not, whatever it shows: one in some
six hundred photographs without a flaw is so, and the guideline calls it critical."""
ONE_WAY, ONE_WAY_LEVELS = 45.0, 3
"""Anisotropy in one of the finer levels at which a picture is as likely one of lines as a blurred one.

Level or upright bars and ripples that fill a picture have 400 or more; slanted bars have 24 to 62, so that some of
them are still reported. Of 60 photographs with motion blur planted in each of three strengths, 2 of 180 pictures
exceed it; no clean one exceeds 10."""
SURE = 0.98
"""Probability of a flaw that follows from the pixels without doubt."""


def read_whole(whole: Whole, *, saved_quality: int | None, wanted: frozenset[str] | None = None) -> list[Reading]:
    """One reading for every wanted image-wide measurement, likely or not; those that exclude each other are weighed.

    Args:
        whole: The measurements.
        saved_quality: JPEG quality that the file's own tables show; None for other files.
        wanted: Names of the measurements; None means all. Measurements that outrank one of them are read too.
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
    text = f"soft in every direction, with about {number(blur)} px of blur; fine detail such as hair is lost"
    evidence = {"blur_px": round(blur, 2), "edges": whole.sharpness.edges}
    return Reading("defocus", blur, score, text, evidence=evidence)


def _motion(whole: Whole, features: Features, score: float) -> Reading:
    smear, degrees = strength("motion_blur", features), whole.coarse.smear.direction_deg
    text = f"detail is smeared {way_of(degrees)} by about {number(smear)} px; edges along that direction are sharper"
    evidence = {"smear_px": round(smear, 1), "direction_deg": round(degrees)}
    one_way = max(found.anisotropy for found in whole.coarse.smears[:ONE_WAY_LEVELS])
    score *= logistic(math.log(one_way), middle=math.log(ONE_WAY), slope=-6)
    return Reading("motion_blur", smear, score, text, evidence=evidence)


def _over(whole: Whole, features: Features, score: float) -> Reading:
    stops = max(whole.tone.stops, strength("over_exposure", features))
    text = f"about {counted(stops, 'stop')} too bright{_share(whole.tone.light_percent, 'white')}"
    evidence = {"nearly_white_percent": round(whole.tone.light_percent, 1)}
    score = max(score, logistic(whole.tone.stops, middle=ALL_BRIGHT_STOPS, slope=6))
    return Reading("over_exposure", stops, score, text, evidence=evidence)


def _under(whole: Whole, features: Features, score: float) -> Reading:
    stops = strength("under_exposure", features)
    text = f"about {counted(stops, 'stop')} too dark{_share(whole.tone.dark_percent, 'black')}"
    evidence = {"nearly_black_percent": round(whole.tone.dark_percent, 1)}
    return Reading("under_exposure", stops, score, text, evidence=evidence)


def _share(percent: float, tone: str) -> str:
    """How much of the image lies at one end of the range; nothing where next to nothing does."""
    return f"; {number(percent)} % of it is nearly {tone}" if percent >= 1 else ""


def _noise(whole: Whole, features: Features, score: float) -> Reading:
    grain = strength("noise", features)
    text = f"areas that should be smooth show grain of about {counted(grain, 'gray level')}; it hides fine texture"
    evidence = {"grain_levels": round(grain, 1), "lonely_pixels_percent": round(whole.noise.lonely_percent, 2)}
    return Reading("noise", grain, score, text, evidence=evidence)


def _compression(whole: Whole, features: Features, score: float) -> Reading:
    lost = min(97.0, strength("compression", features))
    text = (
        f"strong JPEG compression has removed about {number(lost)} % of the detail; "
        f"blocks of 8 px and specks around edges show"
    )
    evidence = {"jpeg_quality": round(100 - lost), "block_border_ratio": round(whole.compression.ratio, 2)}
    return Reading("compression", lost, score, text, evidence=evidence)


def _with_file(reading: Reading, quality: int | None) -> Reading:
    """What the file's own tables say outweighs what the pixels show."""
    if quality is None or quality > 40:
        return reading
    text = (
        f"the file is saved at JPEG quality {quality}, which removes about {100 - quality} % of the detail; "
        f"blocks of 8 px and specks around edges show"
    )
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
    text = f"smooth areas break into bands about {counted(step, 'gray level')} apart; the tones between are missing"
    evidence = {"step_levels": round(step, 1)}
    return Reading("banding", step, score, text, evidence=evidence)


def _cast(whole: Whole, features: Features, score: float) -> Reading:
    distance = strength("colour_cast", features)
    color = hue_name(whole.color.hue_deg)
    text = f"neutral tones are tinted {color} by about {number(distance)} %, in light and in dark areas"
    evidence = {"cast_lab": round(distance, 1), "hue_deg": round(whole.color.hue_deg)}
    score *= logistic(whole.color.least, middle=NO_COLOR_LAB, slope=4)
    # stronger than any tint that the trees were shown
    score = max(score, logistic(whole.color.least, middle=ALL_TINTED_LAB, slope=0.25))
    return Reading("colour_cast", distance, score, text, evidence=evidence)


def _contrast(whole: Whole, _features: Features, score: float) -> Reading:
    unused = whole.contrast.unused_percent
    text = (
        f"{number(unused)} % of the range from black to white is unused; "
        f"the image looks flat, without deep shadows or bright highlights"
    )
    evidence = {
        "unused_percent": round(unused, 1),
        "low": round(whole.contrast.low),
        "high": round(whole.contrast.high),
    }
    return Reading("low_contrast", unused, score, text, evidence=evidence)


def _empty(whole: Whole, _features: Features, score: float) -> Reading:
    spread = whole.contrast.spread
    text = f"nothing can be made out; all tones are nearly the same, {number(100.0)} % of the range is unused"
    return Reading("empty_frame", 100.0, score, text, evidence={"spread": round(spread, 1)})


def _tilt(whole: Whole, _features: Features, score: float) -> Reading:
    degrees = whole.tilt.degrees
    text = f"lines that should be level or upright lean {lean_words(degrees)} by {counted(abs(degrees), 'degree')}"
    evidence = {
        "degrees": round(degrees, 1),
        "share_of_lines_percent": round(100 * max(whole.tilt.across, whole.tilt.up)),
    }
    return Reading("tilt", abs(degrees), score, text, evidence=evidence)


def _small(whole: Whole, _features: Features, _score: float) -> Reading:
    coarseness = whole.resolution.coarseness
    longer = round(640 / coarseness)
    text = f"the longer side has only {longer} px, {number(coarseness)} times too few for the 640 px needed"
    score = logistic(coarseness, middle=COARSE_MIDDLE, slope=25)
    return Reading("low_resolution", coarseness, score, text, evidence={"longer_side_px": longer})


def _upscaled(_whole: Whole, features: Features, score: float) -> Reading:
    factor = strength("upscaling", features)
    text = f"the image was enlarged; its detail is about {number(factor)} times too coarse for its size"
    return Reading("upscaling", factor, score, text, evidence={"factor": round(factor, 2)})


def _name_the_end(readings: dict[str, Reading], whole: Whole) -> None:
    """A frame of pure black or white is too dark or too light, not merely empty; the mean tells how far."""
    for name, percent in (("under_exposure", whole.tone.black_percent), ("over_exposure", whole.tone.white_percent)):
        if percent < ALL_PERCENT:
            continue
        if name in readings:
            stops = abs(whole.tone.stops)
            strength_stops = max(readings[name].strength, stops)
            tone = "dark" if name == "under_exposure" else "bright"
            text = f"about {counted(strength_stops, 'stop')} too {tone}; no detail can be made out"
            readings[name] = replace(readings[name], score=SURE, strength=strength_stops, text=text)
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
