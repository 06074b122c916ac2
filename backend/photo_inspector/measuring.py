"""The built-in inspector: measures, asks the guideline, words. Knows no Label Studio and no model."""

from __future__ import annotations

from dataclasses import replace

from photo_inspector.catalogue import MEASURES, anchor_for, criteria_of, criterion_for, measure, severity_for, with_unit
from photo_inspector.pixels.frame import Frame, build_frame, crop_frame
from photo_inspector.scoring.features import of_whole
from photo_inspector.scoring.judge_places import read_places, reported
from photo_inspector.scoring.judge_whole import read_whole
from photo_inspector.scoring.measured import Places, Whole, measure_places, measure_whole
from photo_inspector.scoring.operating_points import least_score
from photo_inspector.scoring.reading import Reading
from photo_inspector.whole_image.jpeg_quality import saved_quality
from photo_inspector.wording import number, rationale
from review_copilot.plugin import Box, Brief, Criterion, Dropped, Evidence, Finding, Guideline, Inspection

MOST_BOXES = 15
"""Boxes of one measurement that are shown; the rest is counted under `dropped`."""
BOX_MEASURES = frozenset({
    "defocus", "motion_blur", "noise", "compression", "over_exposure", "under_exposure", "clipped_highlights",
    "crushed_shadows", "overlay", "dust", "scratch",
})  # fmt: skip
"""What a drawn box can be asked for. Tint, contrast, tilt, size and bands belong to the whole picture: a box full of
sky has one tint and little contrast, rightly."""
LEAST_BOX_PX = 24
"""A smaller box tells nothing."""


def inspect_by_measuring(brief: Brief) -> Inspection:
    """Measure the image, or just the brief's box. Safe to call from several threads.

    Raises:
        ImageError: The image could not be decoded.
    """
    wanted = frozenset(name for criterion in brief.guideline.criteria for name in criterion.measures)
    if brief.box is not None:
        return _inspect_box(brief, brief.box, wanted=wanted & BOX_MEASURES)
    frame = build_frame(brief.image.pixels)
    told = brief.image.format == "JPEG" and "compression" in wanted
    quality = saved_quality(brief.image.data) if told else None
    readings, places = measure_all(frame, wanted=wanted, saved=quality)
    kept, dropped = _most_telling(_counted_once(readings), brief.guideline)
    notes = _notes(places, kept)
    examined = criteria_of(brief.guideline, [m.name for m in MEASURES])
    return Inspection(tuple(_finding(r, brief) for r in kept), notes=notes, dropped=dropped, examined=examined)


def measure_all(frame: Frame, *, wanted: frozenset[str], saved: int | None = None) -> tuple[list[Reading], Places]:
    """Readings by the wanted names that are likely enough to be reported, and the local measurements."""
    whole, places = measure_whole(frame), measure_places(frame, wanted=wanted)
    readings = read_whole(whole, saved_quality=saved, wanted=wanted)
    soft = next((r.strength for r in readings if r.measure == "defocus"), 1.0)
    readings += read_places(places, whole=of_whole(whole), soft_px=min(soft, 1.5))
    asked = [r for r in readings if r.measure in wanted]  # what nobody asked for explains nothing away
    return _consistent(_likely(asked), whole), places


def _likely(readings: list[Reading]) -> list[Reading]:
    """Those that are likely enough to be reported."""
    kept = [r for r in readings if r.box is None and r.score >= least_score(r.measure)]
    for name in dict.fromkeys(r.measure for r in readings if r.box is not None):
        places = [r for r in readings if r.measure == name and r.box is not None]
        kept += [places[index] for index in reported([r.score for r in places], name)]
    return kept


def _consistent(readings: list[Reading], whole: Whole) -> list[Reading]:
    """Leave out likely places that the picture as a whole explains, or another reading of the same place."""
    sure = {r.measure for r in readings if r.box is None}
    covered = set()
    if sure & {"defocus", "motion_blur", "upscaling", "empty_frame", "low_resolution"}:
        covered |= {"defocus"}
    if sure & {"under_exposure", "empty_frame"}:
        covered |= {"crushed_shadows"}
    if sure & {"empty_frame"}:
        covered |= {"clipped_highlights", "dust", "scratch", "overlay", "border"}
    if sure & {"noise"} and whole.noise.sigma > 8:
        covered |= {"dust"}
    bars = _places(readings, "border")
    # pure white and pure black have no detail to be soft
    empty = [*_places(readings, "clipped_highlights"), *_places(readings, "crushed_shadows")]

    def explained(reading: Reading) -> bool:
        if reading.box is None or reading.measure == "border":
            return reading.measure == "border" and "border" in covered
        if reading.measure == "defocus" and _lies_on(reading.box, empty):
            return True
        return _lies_on(reading.box, bars) or reading.measure in covered

    return [r for r in readings if not explained(r)]


def _counted_once(readings: list[Reading]) -> list[Reading]:
    """Of marks whose strength is that of all together, the likeliest carries it; the others count for themselves.

    So a repeated watermark or four scratches are one major flaw with several places, not several major flaws.
    """
    first: set[str] = set()
    out = []
    for reading in sorted(readings, key=lambda r: -r.score):
        if reading.measure in first:
            alone = 100 * reading.box.area if reading.measure == "overlay" and reading.box is not None else 1.0
            out.append(replace(reading, strength=min(alone, reading.strength)))
            continue
        if reading.measure in {"overlay", "dust", "scratch"}:
            first.add(reading.measure)
        out.append(reading)
    return out


def _places(readings: list[Reading], name: str) -> list[Box]:
    """Where a measurement is reported."""
    return [r.box for r in readings if r.measure == name and r.box is not None]


def _lies_on(box: Box, others: list[Box]) -> bool:
    """Whether more than half of a box lies on one of the others."""
    return any(box.intersection_area(other) > 0.5 * box.area for other in others)


def _most_telling(readings: list[Reading], guideline: Guideline) -> tuple[list[Reading], tuple[Dropped, ...]]:
    """One image-wide reading per criterion, and the likeliest boxes of each measurement."""
    whole: dict[str, Reading] = {}
    boxes: dict[str, list[Reading]] = {}
    for reading in sorted(readings, key=lambda r: -r.score):
        criterion = criterion_for(guideline, reading.measure)
        if criterion is None:
            continue
        if reading.box is None:
            whole.setdefault(criterion.id, reading)
        else:
            boxes.setdefault(reading.measure, []).append(reading)
    dropped = tuple(
        Dropped(f"{len(found) - MOST_BOXES} more places of {name.replace('_', ' ')}", f"at most {MOST_BOXES} are shown")
        for name, found in boxes.items()
        if len(found) > MOST_BOXES
    )
    return [*whole.values(), *(r for found in boxes.values() for r in found[:MOST_BOXES])], dropped


def _inspect_box(brief: Brief, box: Box, *, wanted: frozenset[str]) -> Inspection:
    """The likeliest criterion that the box breaks by itself, or none."""
    frame = crop_frame(brief.image.pixels, box)
    if frame is None:
        return Inspection((), dropped=(Dropped("box", "it lies outside the image"),))
    if min(frame.height_px, frame.width_px) < LEAST_BOX_PX:
        return Inspection((), notes=(f"A box under {LEAST_BOX_PX} px a side is too small to measure.",))
    readings, _ = measure_all(frame, wanted=wanted)
    examined = criteria_of(brief.guideline, wanted)
    if not readings:
        return Inspection((), notes=("Nothing measurable is wrong inside the box.",), examined=examined)
    best = max(readings, key=lambda r: r.score)
    text = best.text.replace("of the picture", "of the box")
    return Inspection((_finding(replace(best, box=box, text=text), brief),), examined=examined)


def _finding(reading: Reading, brief: Brief) -> Finding:
    criterion = criterion_for(brief.guideline, reading.measure)
    if criterion is None:  # readings are filtered by what the guideline wants
        raise KeyError(reading.measure)
    words = brief.guideline.rationale.max_words
    return Finding(
        criterion_id=criterion.id,
        severity=severity_for(criterion, reading.measure, float(number(reading.strength))),
        score=round(reading.score, 3),
        box=reading.box,
        rationale=rationale(box=reading.box, evidence=reading.text, max_words=words),
        evidence={**_opening(criterion, reading), **reading.evidence},
    )


def _opening(criterion: Criterion, reading: Reading) -> Evidence:
    """What was measured, in the unit of the anchors, and the anchor that it passed."""
    measured = with_unit(number(reading.strength), measure(reading.measure).unit)
    passed = anchor_for(criterion, reading.measure, float(number(reading.strength)))
    return {"measured": measured, **({"anchor": passed} if passed else {}), "measure": reading.measure}


def _notes(places: Places, kept: list[Reading]) -> tuple[str, ...]:
    """Softness that looks intended: part of the picture is crisp and a large part is soft."""
    softness = places.softness
    flagged = any(r.measure in {"defocus", "motion_blur", "upscaling"} for r in kept)
    if not flagged and softness.soft_percent >= 25 and softness.sharp_percent >= 8:
        soft, sharp = number(softness.soft_percent), number(softness.sharp_percent)
        return (f"Shallow depth of field looks intended: {sharp} % of the detail is crisp, {soft} % is soft.",)
    return ()
