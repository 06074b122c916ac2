"""Compare an image with its reference and report every difference. Knows no file and no wire."""

from __future__ import annotations

from collections.abc import Sequence

from photo_inspector.catalogue import criteria_of
from photo_inspector.reference.align import Overlay, overlay
from photo_inspector.reference.copper import changes, copper_of
from photo_inspector.reference.differences import differences, differing_share
from photo_inspector.reference.findings import DIFFERENCE, defect_finding, difference_finding, speaks_of_boards
from photo_inspector.reference.local_fit import stays
from photo_inspector.reference.planes import gray_of
from photo_inspector.reference.topology import Defect, diagnose
from review_copilot.plugin import Brief, Dropped, Finding, Guideline, Inspection, Pixels

WORK_SIDE_PX = 1600
"""Longer side to which both pictures are decoded: bounds time and memory, and keeps a flaw of 1/500 of the picture."""

_LEAST_SIDE_PX = 32
_SAME_SCENE = 0.35
_MOST_DIFFERENT = 0.5
_MOST_FINDINGS = 60


def compare_with_reference(brief: Brief) -> Inspection:
    """Report every place where the image differs from its reference.

    Under a guideline with criteria for bare boards (measures "pcb_open" and so on) differences of copper are named by
    what they touch; under any other guideline each difference is a finding of the criterion with the measure
    "difference", or uncovered. A reference that shows another scene gives a note and no finding. With `brief.box`
    only what reaches into that box is reported.

    Args:
        brief: With a reference; without one the inspection is empty.

    Raises:
        ImageError: Either picture could not be decoded.
    """
    if brief.reference is None:
        return Inspection(findings=())
    image, reference = brief.image.decode(WORK_SIDE_PX), brief.reference.decode(WORK_SIDE_PX)
    if min(*image.shape[:2], *reference.shape[:2]) < _LEAST_SIDE_PX:
        return _only_a_note(f"Not compared with the reference: one of the two is under {_LEAST_SIDE_PX} px.")
    laid = overlay(image, reference)
    if laid.agreement < _SAME_SCENE:
        share = round(100 * laid.agreement)
        return _only_a_note(
            f"The reference shows another scene: {share} % of the detailed places agree. Nothing was compared with it."
        )
    shape = (image.shape[0], image.shape[1])
    scale = max(1.0, brief.image.width_px / shape[1])
    notes: list[str] = []
    if (covered := float(laid.valid.mean())) < 0.9:
        notes.append(f"The reference covers {round(100 * covered)} % of the picture; the rest was not compared.")
    copper = (
        copper_of(gray_of(image), gray_of(laid.reference), laid.valid) if speaks_of_boards(brief.guideline) else None
    )
    compared = True
    if copper is not None:
        notes.append(f"Copper was taken to be the {'darker' if copper.dark else 'brighter'} part of the picture.")
        found = [
            defect_finding(change, diagnose(change, copper), guideline=brief.guideline, shape=shape, scale=scale)
            for change in changes(copper)
            if stays(change, copper)
        ]
    else:
        if speaks_of_boards(brief.guideline):
            notes.append("Copper and board do not part by brightness; differences are given without a kind.")
        found, flooded = _generic(image, laid, guideline=brief.guideline, shape=shape, scale=scale)
        notes += flooded
        compared = not flooded
    return _reported(found, notes, brief, compared=compared)


def _generic(
    image: Pixels, laid: Overlay, *, guideline: Guideline, shape: tuple[int, int], scale: float
) -> tuple[list[Finding], list[str]]:
    """Findings for all differences; none but a note when more than half of the picture differs."""
    found = differences(image, laid.reference, laid.valid)
    share = differing_share(found, laid.valid)
    if share > _MOST_DIFFERENT:
        return [], [f"{round(100 * share)} % of the picture differs from the reference, too much to point at places."]
    return [difference_finding(one, guideline=guideline, shape=shape, scale=scale) for one in found], []


def _reported(found: Sequence[Finding], notes: Sequence[str], brief: Brief, *, compared: bool) -> Inspection:
    """The findings in the asked place, surest first, at most 60; the rest is counted as dropped."""
    asked = brief.box
    inside = [one for one in found if asked is None or (one.box is not None and asked.intersection_area(one.box) > 0)]
    inside.sort(key=lambda one: one.score, reverse=True)
    dropped = [
        Dropped(what=one.rationale, reason=f"more than {_MOST_FINDINGS} differences from the reference")
        for one in inside[_MOST_FINDINGS:]
    ]
    return Inspection(
        findings=tuple(inside[:_MOST_FINDINGS]),
        notes=tuple(notes),
        dropped=tuple(dropped),
        examined=criteria_of(brief.guideline, (DIFFERENCE, *Defect)) if compared else frozenset(),
    )


def _only_a_note(note: str) -> Inspection:
    return Inspection(findings=(), notes=(note,))
