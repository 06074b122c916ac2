"""Look for traces of editing within a time budget, and word them. Knows no file and no wire."""

from __future__ import annotations

import time

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.editing import copies, seams
from photo_inspector.editing.copies import Copy, copied_patches
from photo_inspector.editing.seams import Seam, SeamKind
from photo_inspector.wording import counted, number, place_of, rationale
from review_copilot.plugin import Box, Brief, Criterion, Evidence, Finding, Inspection, Pixels, Severity

SEAM, COPIED_PATCH = "seam", "copied_patch"
MEASURES = (SEAM, COPIED_PATCH)
"""Measurements that a guideline asks for by naming them; none of the core set's."""
BUDGET_S = 3.0
"""Seconds of processor time for one image, counted for the thread that searches, so that other work on the machine or
in the process costs none. What was found by then is reported, and the criterion is not among the examined ones."""
_STEPS = {SEAM: (0.0, 60.0, 90.0), COPIED_PATCH: (0.0, 2.0, 8.0)}
"""From which strength a trace is minor, major and critical where the criterion has no numbers: per cent of the side for
a seam, per cent of the picture for a copied patch."""


def find_edits(brief: Brief, *, budget_s: float = BUDGET_S) -> Inspection:
    """Seams and copied patches, as far as the guideline asks for them.

    Args:
        brief: A box limits the report to what reaches into it.
        budget_s: Seconds of processor time; at least the seams of one picture are always looked for.

    Raises:
        ImageError: The image could not be decoded.
    """
    wanted = {name: criterion for name in MEASURES if (criterion := _criterion(brief, name))}
    if not wanted:
        return Inspection(())
    until = time.thread_time() + budget_s
    findings: list[Finding] = []
    notes: tuple[str, ...] = ()
    examined: set[str] = set()
    if SEAM in wanted:
        examined.add(wanted[SEAM].id)
        gray = _gray(brief.image.pixels, seams.SIDE_PX)
        shrink = max(brief.image.pixels.shape[:2]) / max(gray.shape)
        findings += [_seam(s, wanted[SEAM], brief) for s in seams.seams(gray, shrink=shrink)]
    if COPIED_PATCH in wanted:
        found, finished = (
            copied_patches(_gray(brief.image.pixels, copies.SIDE_PX), in_time=lambda: time.thread_time() < until)
            if time.thread_time() < until
            else ((), False)
        )
        findings += [finding for copy in found for finding in _copy(copy, wanted[COPIED_PATCH], brief)]
        if finished:
            examined.add(wanted[COPIED_PATCH].id)
        else:
            notes = (f"The search for copied patches stopped unfinished after {budget_s:g} s of processor time.",)
    asked = brief.box
    inside = [f for f in findings if asked is None or (f.box is not None and asked.intersection_area(f.box) > 0)]
    return Inspection(tuple(inside), notes=notes, examined=frozenset(examined))


def _criterion(brief: Brief, name: str) -> Criterion | None:
    return next((c for c in brief.guideline.criteria if name in c.measures), None)


def _gray(pixels: Pixels, side_px: int) -> npt.NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    factor = min(1.0, side_px / max(height, width))
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA) if factor < 1 else gray, np.uint8)


def _seam(seam: Seam, criterion: Criterion, brief: Brief) -> Finding:
    runs = "top to bottom" if seam.upright else "left to right"
    told = (
        f"the tone jumps by about {counted(seam.step, 'gray level')} within one pixel"
        if seam.kind is SeamKind.TONE
        else f"the scene goes on about {number(seam.step)} px beside itself"
    )
    text = f"along a straight line {runs}, {told}; the line covers {number(100 * seam.length)} % of the side"
    score = min(0.95, 0.35 + 0.3 * seam.length + 0.3 * seam.likeness)
    evidence = {"kind": seam.kind.value, "step": round(seam.step, 1), "length_percent": round(100 * seam.length)}
    return _finding(SEAM, criterion, brief, box=seam.box, strength=100 * seam.length, score=score, text=text,
                    evidence=evidence)  # fmt: skip


def _copy(copy: Copy, criterion: Criterion, brief: Brief) -> tuple[Finding, Finding]:
    score = min(0.97, 0.5 + 0.03 * copy.pairs + 2 * (copy.likeness - copies.LEAST_LIKENESS))
    evidence = {"likeness": round(copy.likeness, 3), "percent": round(copy.percent, 2), "pairs": copy.pairs}

    def end(box: Box, other: Box) -> Finding:
        text = (
            f"this patch shows the same pixels as the one at the {place_of(other)}; "
            f"the two agree over {number(copy.percent)} % of the picture"
        )
        return _finding(COPIED_PATCH, criterion, brief, box=box, strength=copy.percent, score=score, text=text,
                        evidence=evidence)  # fmt: skip

    return end(copy.first, copy.second), end(copy.second, copy.first)


def _finding(
    measure: str,
    criterion: Criterion,
    brief: Brief,
    *,
    box: Box,
    strength: float,
    score: float,
    text: str,
    evidence: Evidence,
) -> Finding:
    numbered = any(anchor.at_least is not None for anchor in criterion.severity.values())
    usual = [s for s, least in zip(Severity, _STEPS[measure], strict=True) if strength >= least][-1]
    words = brief.guideline.rationale.max_words
    return Finding(
        criterion_id=criterion.id,
        severity=(criterion.severity_of(strength) or Severity.MINOR) if numbered else usual,
        score=round(score, 3),
        box=box,
        rationale=rationale(box=box, evidence=text, max_words=words),
        evidence={"measure": measure, **evidence},
    )
