"""From local numbers to readings with boxes. Knows no guideline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from photo_inspector.catalogue import measure
from photo_inspector.lettering.letter_lines import LEAST_LETTERS
from photo_inspector.lettering.overlay import Lettering
from photo_inspector.marks.border import Bar, Side
from photo_inspector.marks.fibers import Fibre
from photo_inspector.marks.lines import Line
from photo_inspector.marks.soft_patches import Softness
from photo_inspector.marks.spots import Spot
from photo_inspector.scoring import features
from photo_inspector.scoring.calibration import probabilities
from photo_inspector.scoring.features import Features
from photo_inspector.scoring.measured import Places
from photo_inspector.scoring.merge_marks import SAME_MARK, SURE, lettering_once, lines_once
from photo_inspector.scoring.reading import Reading, logistic
from photo_inspector.scoring.second_look import BESIDE, least_mark_score, look_at
from photo_inspector.whole_image.exposure import Patch
from photo_inspector.wording import level_name, number
from review_copilot.plugin import Box

LEAST_BAR_PX = 3
"""Thinner bars are remains of scanning or resizing that nobody crops for."""


def reported(scores: Sequence[float], name: str) -> list[int]:
    """Which places of one measurement are likely enough to be reported: one that is lets others be less so."""
    least = least_mark_score({"defocus": "soft_patch"}.get(name, name))
    if least is None:
        return [place for place, score in enumerate(scores) if score >= measure(name).least_score]
    bar = min(least, BESIDE) if max(scores, default=0.0) >= least else least
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
        *_lettering(places.lettering, whole=whole),
        *_spots(places.spots, whole=whole),
        *_lines(places.lines, places.fibres, whole=whole),
    ]


def _bars(bars: tuple[Bar, ...]) -> list[Reading]:
    total = 100 * sum(bar_box(bar).area for bar in bars)
    readings = []
    for bar in bars:
        text = (
            f"a {level_name(bar.level)} bar {bar.depth_px} px deep holds nothing of the scene; "
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


def _patches(patches: tuple[Patch, ...], measure: str, tone: str) -> list[Reading]:
    readings = []
    for patch, score in zip(patches, probabilities(measure, [features.of_patch(p) for p in patches]), strict=True):
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
        times = 2.718 ** min(soft.step, 4.0)
        text = (
            f"this area lost its fine detail while its surroundings are crisp; "
            f"they hold {number(times)} times as much of it"
        )
        evidence = {"detail_ratio": round(times, 1), "percent": round(soft.percent, 1)}
        readings.append(Reading("defocus", blur, score, text, box=soft.box, evidence=evidence))
    return readings


def _lettering(lines: tuple[Lettering, ...], *, whole: Features) -> list[Reading]:
    looks = look_at("overlay", [features.of_lettering(line) for line in lines], whole=whole)
    scored = lettering_once(list(zip(lines, looks, strict=True)))
    total = 100 * sum(line.box.area for line, score in scored if score >= SURE)
    readings = []
    for line, score in scored:
        own = 100 * line.box.area
        kind = "one pure colour" if line.solid else "one even tone"
        what = f"a line of about {line.letters} letters" if line.letters >= LEAST_LETTERS else "lettering or a sign"
        share = f"it takes {number(own)} % of it" if own >= total else f"all lettering takes {number(total)} % of it"
        text = f"{what} in {kind} lies over the scene; {share}"
        evidence = {"letters": line.letters, "percent": round(own, 2)}
        readings.append(Reading("overlay", max(own, total), score, text, box=line.box, evidence=evidence))
    return readings


def _spots(spots: tuple[Spot, ...], *, whole: Features) -> list[Reading]:
    scores = [look.score for look in look_at("dust", [features.of_spot(spot) for spot in spots], whole=whole)]
    scored = list(zip(spots, scores, strict=True))
    count = max(1, sum(score >= SURE for _, score in scored))
    shown = _shown(scores, "dust")
    readings = []
    for spot, score in scored:
        tone = "dark" if spot.depth < 0 else "light"
        much = (
            f"{number(abs(spot.depth))} grey levels {'darker' if spot.depth < 0 else 'lighter'} than its smooth ground"
        )
        rest = f"; one of {shown} such spots" if shown > 1 else ""
        text = f"a round {tone} spot lies on the picture, {much}{rest}"
        evidence = {"depth_levels": round(spot.depth, 1), "spots": count}
        readings.append(Reading("dust", count, score, text, box=spot.box, evidence=evidence))
    return readings


def _reach(box: Box) -> str:
    """How far a line goes, along the side that it follows more."""
    side, share = ("height", box.height) if box.height >= box.width else ("width", box.width)
    return f"{number(100 * min(1.0, share))} % of the {side}"


def _shown(scores: Iterable[float], name: str) -> int:
    """How many marks are likely enough to be reported."""
    return len(reported(list(scores), name))


def _lines(lines: tuple[Line, ...], fibres: tuple[Fibre, ...], *, whole: Features) -> list[Reading]:
    straight = look_at("scratch", [features.of_line(line) for line in lines], whole=whole)
    bent = look_at("fibre", [features.of_fibre(fibre) for fibre in fibres], whole=whole)
    kept = lines_once(list(zip((*lines, *fibres), straight + bent, strict=True)))
    count = max(1, sum(score >= SURE for _, score in kept))
    shown = _shown((score for _, score in kept), "scratch")
    readings = []
    for mark, score in kept:
        tone = "light" if mark.contrast > 0 else "dark"
        way = f"a fine {tone} line crosses" if isinstance(mark, Line) else f"a thin {tone} hair or scratch spans"
        rest = f"; one of {shown} such lines" if shown > 1 else ""
        text = (
            f"{way} {_reach(mark.box)} without regard to the scene, "
            f"{number(abs(mark.contrast))} grey levels off its surroundings{rest}"
        )
        evidence = {"contrast_levels": round(mark.contrast, 1), "lines": count}
        readings.append(Reading("scratch", count, score, text, box=mark.box, evidence=evidence))
    return readings
