"""From local numbers to readings with boxes. Knows no guideline."""

from __future__ import annotations

from review_copilot.domain.geometry import Box
from review_copilot.inspectors.classical import features
from review_copilot.inspectors.classical.border import Bar, Side
from review_copilot.inspectors.classical.calibration import probability
from review_copilot.inspectors.classical.exposure import Patch
from review_copilot.inspectors.classical.features import Features
from review_copilot.inspectors.classical.lines import Line
from review_copilot.inspectors.classical.measured import Places
from review_copilot.inspectors.classical.overlay import Lettering
from review_copilot.inspectors.classical.patches import Softness
from review_copilot.inspectors.classical.reading import Reading, logistic
from review_copilot.inspectors.classical.spots import Spot
from review_copilot.inspectors.classical.wording import level_name, number

SURE = 0.35
"""Marks below this do not count towards the number of marks."""


LEAST_BAR_PX = 3
"""Thinner bars are remains of scanning or resizing that nobody crops for."""


def read_places(places: Places, *, whole: Features, soft_px: float) -> list[Reading]:
    """One reading for every candidate, likely or not.

    Args:
        places: The local measurements.
        whole: The image-wide numbers.
        soft_px: Blur of the whole picture, for the strength of soft patches.
    """
    return [
        *_bars(places.bars),
        *(_patch(p, "clipped_highlights", "white") for p in places.clipped),
        *(_patch(p, "crushed_shadows", "black") for p in places.crushed),
        *(_soft(p, whole=whole, soft_px=soft_px) for p in places.softness.patches),
        *_lettering(places.lettering),
        *_spots(places.spots),
        *_lines(places.lines),
    ]


def _bars(bars: tuple[Bar, ...]) -> list[Reading]:
    total = 100 * sum(bar_box(bar).area for bar in bars)
    readings = []
    for bar in bars:
        text = (
            f"a {level_name(bar.level)} bar, {bar.depth_px} px deep, runs along the {bar.side} edge; "
            f"bars take {number(total)} % of the picture"
        )
        score = logistic(bar.step, middle=0.35, slope=8) * (0.98 if bar.depth_px >= LEAST_BAR_PX else 0.45)
        evidence = {"depth_px": bar.depth_px, "bars_percent": round(total, 2)}
        readings.append(Reading("border", total, score, text, box=bar_box(bar), evidence=evidence))
    return readings


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


def _patch(patch: Patch, measure: str, tone: str) -> Reading:
    text = f"pure {tone} over {number(patch.percent)} % of the picture; no detail is left there"
    score = probability(measure, features.of_patch(patch))
    return Reading(measure, patch.percent, score, text, box=patch.box, evidence={"percent": round(patch.percent, 2)})


def _soft(soft: Softness, *, whole: Features, soft_px: float) -> Reading:
    # the ring's fine detail over the patch's own grows with the blur; 1 px keeps about a half of it
    blur = max(soft_px, 1.0 + 1.2 * max(0.0, soft.step))
    text = (
        f"this area lost its fine detail while its surroundings are crisp; "
        f"they hold {number(2.718 ** min(soft.step, 4.0))} times as much of it"
    )
    score = probability("soft_patch", features.of_softness(soft, whole=whole))
    evidence = {"detail_ratio": round(2.718 ** min(soft.step, 4.0), 1), "percent": round(soft.percent, 1)}
    return Reading("defocus", blur, score, text, box=soft.box, evidence=evidence)


def _lettering(lines: tuple[Lettering, ...]) -> list[Reading]:
    scored = _apart([(line, probability("overlay", features.of_lettering(line))) for line in lines])
    total = 100 * sum(line.box.area for line, score in scored if score >= SURE)
    readings = []
    for line, score in scored:
        own = 100 * line.box.area
        kind = "one pure colour" if line.solid else "one even tone"
        text = f"a line of about {line.letters} letters in {kind} lies over the scene; it takes {number(own)} % of it"
        evidence = {"letters": line.letters, "percent": round(own, 2)}
        readings.append(Reading("overlay", max(own, total), score, text, box=line.box, evidence=evidence))
    return readings


def _apart(scored: list[tuple[Lettering, float]]) -> list[tuple[Lettering, float]]:
    """Each line of letters once, as it was likeliest."""
    kept: list[tuple[Lettering, float]] = []
    for line, score in sorted(scored, key=lambda pair: -pair[1]):
        own = line.box
        if all(own.intersection_area(other.box) < 0.3 * min(own.area, other.box.area) for other, _ in kept):
            kept.append((line, score))
    return kept


def _spots(spots: tuple[Spot, ...]) -> list[Reading]:
    scored = [(spot, probability("dust", features.of_spot(spot))) for spot in spots]
    count = max(1, sum(score >= SURE for _, score in scored))
    readings = []
    for spot, score in scored:
        tone = "dark" if spot.depth < 0 else "light"
        much = (
            f"{number(abs(spot.depth))} grey levels {'darker' if spot.depth < 0 else 'lighter'} than its smooth ground"
        )
        rest = f"; one of {count} such spots" if count > 1 else ""
        text = f"a round {tone} spot lies on the picture, {much}{rest}"
        evidence = {"depth_levels": round(spot.depth, 1), "spots": count}
        readings.append(Reading("dust", count, score, text, box=spot.box, evidence=evidence))
    return readings


def _lines(lines: tuple[Line, ...]) -> list[Reading]:
    scored = [(line, probability("scratch", features.of_line(line))) for line in lines]
    count = max(1, sum(score >= SURE for _, score in scored))
    readings = []
    for line, score in scored:
        tone = "light" if line.contrast > 0 else "dark"
        rest = f"; one of {count} such lines" if count > 1 else ""
        text = (
            f"a fine {tone} line crosses {number(100 * line.length)} % of the height without regard to the scene, "
            f"{number(abs(line.contrast))} grey levels off its surroundings{rest}"
        )
        evidence = {"contrast_levels": round(line.contrast, 1), "lines": count}
        readings.append(Reading("scratch", count, score, text, box=line.box, evidence=evidence))
    return readings
