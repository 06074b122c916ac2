"""From local numbers to readings with boxes. Knows no guideline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from photo_inspector.lettering.overlay import Lettering
from photo_inspector.marks.border import Bar, Side
from photo_inspector.marks.fibers import Fiber
from photo_inspector.marks.lines import Line
from photo_inspector.marks.soft_patches import Softness
from photo_inspector.marks.spots import Spot
from photo_inspector.scoring import features
from photo_inspector.scoring.calibration import probabilities
from photo_inspector.scoring.features import Features
from photo_inspector.scoring.judge_lettering import laid_over
from photo_inspector.scoring.measured import Places
from photo_inspector.scoring.merge_marks import SAME_MARK, SURE, lines_once
from photo_inspector.scoring.operating_points import least_score
from photo_inspector.scoring.reading import Reading, logistic
from photo_inspector.scoring.second_look import BESIDE, look_at
from photo_inspector.whole_image.exposure import Patch
from photo_inspector.wording import level_name, number
from review_copilot.plugin import Box

LARGE_PERCENT, LARGE_SCORE = 5.0, 0.55
"""A pure white area of this share of the image is reported, sky or window: the guideline calls it major. Its
score is not fitted: no recipe plants a white sky, so that the fit took large white areas for objects."""
LEAST_TIMES = 2.0
"""Fine detail around a soft patch over its own, at least: less is how scenes differ from place to place."""
IN_COMPANY = frozenset({"defocus", "overlay", "dust", "scratch"})
"""Flaws that seldom come alone: one that is reported lets others be less sure."""
LEAST_BAR_PX = 3
"""Thinner bars are remains of scanning or resizing that nobody crops for."""


def reported(scores: Sequence[float], name: str) -> list[int]:
    """Which places of one measurement are likely enough to be reported: one that is lets others be less so."""
    least = least_score({"defocus": "soft_patch"}.get(name, name))
    beside = min(least, BESIDE) if name in IN_COMPANY else least
    bar = beside if max(scores, default=0.0) >= least else least
    return [place for place, score in enumerate(scores) if score >= bar]


def read_places(places: Places, *, whole: Features, soft_px: float) -> list[Reading]:
    """One reading for every candidate, likely or not.

    Args:
        places: The local measurements.
        whole: The image-wide numbers.
        soft_px: Blur of the whole picture, for the strength of soft patches.
    """
    return [
        *_bars(places.bars),
        *_patches(places.clipped, "clipped_highlights", "white"),
        *_patches(places.crushed, "crushed_shadows", "black"),
        *_soft(places.softness.patches, whole=whole, soft_px=soft_px),
        *_lettering(places.lettering),
        *_spots(places.spots, whole=whole),
        *_lines(places.lines, places.fibers, whole=whole),
    ]


def _bars(bars: tuple[Bar, ...]) -> list[Reading]:
    """One reading for all bars, at the largest: a letterbox is one flaw."""
    if not bars:
        return []
    scores = [_bar_score(bar) for bar in bars]
    shown = [bar for bar, score in zip(bars, scores, strict=True) if score >= max(scores) / 2]
    total = 100 * sum(bar_box(bar).area for bar in shown)
    largest = max(shown, key=lambda bar: bar_box(bar).area)
    tone = level_name(largest.level)
    if len(shown) == 1:
        text = f"a {tone} bar {largest.depth_px} px wide shows nothing of the scene; "
    else:
        sides = f" ({' and '.join(bar.side.value for bar in shown)})" if len(shown) == 2 else ""
        text = f"the widest of {len(shown)} {tone} bars{sides} that show nothing of the scene; "
    text += f"{'it covers' if len(shown) == 1 else 'together they cover'} {number(total)} % of the picture"
    evidence = {"width_px": largest.depth_px, "bars": len(shown)}
    return [Reading("border", total, max(scores), text, box=bar_box(largest), evidence=evidence)]


def _bar_score(bar: Bar) -> float:
    return logistic(bar.step, middle=0.35, slope=8) * (0.98 if bar.depth_px >= LEAST_BAR_PX else 0.45)


def bar_box(bar: Bar) -> Box:
    """Where a bar lies."""
    match bar.side:
        case Side.LEFT:
            return Box(0.0, 0.0, bar.depth, 1.0)
        case Side.RIGHT:
            return Box(1 - bar.depth, 0.0, bar.depth, 1.0)
        case Side.TOP:
            return Box(0.0, 0.0, 1.0, bar.depth)
        case Side.BOTTOM:
            return Box(0.0, 1 - bar.depth, 1.0, bar.depth)


def _patches(patches: tuple[Patch, ...], measure: str, tone: str) -> list[Reading]:
    readings = []
    for patch, fitted in zip(patches, probabilities(measure, [features.of_patch(p) for p in patches]), strict=True):
        large = measure == "clipped_highlights" and patch.percent >= LARGE_PERCENT
        score = max(fitted, LARGE_SCORE) if large else fitted
        text = f"pure {tone} over {number(patch.percent)} % of the picture; no detail is left there"
        evidence = {"percent": round(patch.percent, 2)}
        readings.append(Reading(measure, patch.percent, score, text, box=patch.box, evidence=evidence))
    return readings


def _soft(patches: tuple[Softness, ...], *, whole: Features, soft_px: float) -> list[Reading]:
    looks = look_at("soft_patch", [features.of_softness(p, whole=whole) for p in patches], whole=whole)
    scores = [look.score for look in looks]
    kept: list[tuple[Softness, float]] = []
    for soft, score in sorted(zip(patches, scores, strict=True), key=lambda pair: -pair[1]):
        own = soft.box
        if all(own.intersection_area(o.box) < SAME_MARK * min(own.area, o.box.area) for o, _ in kept):
            kept.append((soft, score))
    readings = []
    for soft, score in kept:
        # the ring's fine detail over the patch's own grows with the blur; 1 px keeps about a half of it
        blur = max(soft_px, 1.0 + 1.2 * max(0.0, soft.step))
        times = math.exp(min(soft.step, 4.0))
        if times < LEAST_TIMES:
            continue
        text = (
            f"this area is soft, with about {number(blur)} px of blur, while its surroundings are sharp; "
            f"they show {number(times)} times as much fine detail"
        )
        evidence = {"detail_ratio": round(times, 1), "percent": round(soft.percent, 1)}
        readings.append(Reading("defocus", blur, score, text, box=soft.box, evidence=evidence))
    return readings


def _lettering(found: tuple[Lettering, ...]) -> list[Reading]:
    scored = laid_over(found)
    total = 100 * sum(one.box.area for one, score in scored if score >= SURE)
    readings = []
    for one, score in scored:
        own = 100 * one.box.area
        kind = "one even tone" if one.solid else "a see-through veil"
        share = f"it covers {number(own)} % of the picture"
        if own < total:
            share += f", and all such lettering {number(total)} %"
        text = f"lettering or a sign in {kind} lies over the scene; {share}"
        evidence = {"percent": round(max(own, total), 2), "contrast_levels": round(one.ink.contrast)}
        readings.append(Reading("overlay", max(own, total), score, text, box=one.box, evidence=evidence))
    return readings


def _spots(spots: tuple[Spot, ...], *, whole: Features) -> list[Reading]:
    scores = [look.score for look in look_at("dust", [features.of_spot(spot) for spot in spots], whole=whole)]
    scored = list(zip(spots, scores, strict=True))
    shown = max(1, _shown(scores, "dust"))
    readings = []
    for spot, score in scored:
        tone = "dark" if spot.depth < 0 else "light"
        rest = f"; it is one of {shown} such marks" if shown > 1 else "; it is the only such mark"
        text = f"a round {tone} spot lies on a smooth area{rest}"
        evidence = {"depth_levels": round(spot.depth, 1), "marks": shown}
        readings.append(Reading("dust", shown, score, text, box=spot.box, evidence=evidence))
    return readings


def _reach(box: Box) -> str:
    """How far a line goes, along the side that it follows more."""
    side, share = ("height", box.height) if box.height >= box.width else ("width", box.width)
    return f"{number(100 * min(1.0, share))} % of the {side}"


def _shown(scores: Iterable[float], name: str) -> int:
    """How many marks are likely enough to be reported."""
    return len(reported(list(scores), name))


def _lines(lines: tuple[Line, ...], fibers: tuple[Fiber, ...], *, whole: Features) -> list[Reading]:
    straight = look_at("scratch", [features.of_line(line) for line in lines], whole=whole)
    bent = look_at("fiber", [features.of_fiber(fiber) for fiber in fibers], whole=whole)
    kept = lines_once(list(zip((*lines, *fibers), straight + bent, strict=True)))
    shown = max(1, _shown((score for _, score in kept), "scratch"))
    readings = []
    for mark, score in kept:
        tone = "light" if mark.contrast > 0 else "dark"
        way = f"a fine {tone} line crosses" if isinstance(mark, Line) else f"a thin {tone} hair or scratch spans"
        rest = f"; it is one of {shown} such marks" if shown > 1 else "; it is the only such mark"
        text = f"{way} {_reach(mark.box)} and follows nothing in the scene{rest}"
        evidence = {"contrast_levels": round(mark.contrast, 1), "marks": shown}
        readings.append(Reading("scratch", shown, score, text, box=mark.box, evidence=evidence))
    return readings
