"""Turn defects and differences into findings: criterion, severity, score, box, words. Knows no pixels."""

from __future__ import annotations

import numpy as np

from photo_inspector.reference.copper import Change
from photo_inspector.reference.difference_wording import defect_sentence, difference_sentence
from photo_inspector.reference.differences import Difference
from photo_inspector.reference.topology import Defect, Diagnosis
from review_copilot.plugin import UNCOVERED, Box, Criterion, Finding, Guideline, Severity

DIFFERENCE = "difference"
"""The measure's name in guidelines that have a criterion for any difference from the reference."""

BOARD_MARGIN = 1 / 64
"""Margin of a board's box beside the changed copper, as a share of the picture's shorter side.

A bare spot of 3 by 3 px says nothing without the trace that it lies in. Reviewers of DeepPCB (Tang et al., 2019) leave
10 px of 640 on every side, whatever the defect's size: median of the four margins 10, 10, 9 and 9 px, tenth percentile
9 to 10, on the boards of one half of the development pairs.
"""

_AREA_KNOTS, _AREA_SCORES = (6.0, 12.0, 24.0, 60.0), (0.6, 0.85, 0.95, 0.98)
_CERTAINTY_KNOTS, _CERTAINTY_SCORES = (1.0, 1.8, 3.0, 5.0), (0.3, 0.65, 0.92, 0.98)
_DOUBT_WEIGHT = 0.35
_MAJOR_PERCENT, _CRITICAL_PERCENT = 25.0, 50.0
_MAJOR_FRAME_PERCENT, _CRITICAL_FRAME_PERCENT = 0.5, 5.0


def criterion_for(guideline: Guideline, measure: str) -> Criterion | None:
    """The first criterion that a measure speaks for; None when there is none."""
    return next((criterion for criterion in guideline.criteria if measure in criterion.measures), None)


def speaks_of_boards(guideline: Guideline) -> bool:
    """Whether any criterion is about a defect of bare boards."""
    return any(criterion_for(guideline, defect) for defect in Defect)


def defect_finding(
    change: Change, found: Diagnosis, *, guideline: Guideline, shape: tuple[int, int], scale: float
) -> Finding:
    """One defect of a board as a finding.

    The score rises with the area that no tolerance of edges explains and falls when a contact is about as short as the
    shortest that counts; its knots follow the share of right findings in `benchmarks/pcb.py`.

    Args:
        change: Where copper was added or is missing.
        found: What that is.
        guideline: Gives criterion, severity anchors and words.
        shape: (height_px, width_px) of the compared size.
        scale: Pixels of the reviewed image for one px of the compared size.
    """
    criterion = criterion_for(guideline, found.defect)
    strength = _strength(found)
    box = _padded(change.columns, change.rows, shape=shape, margin_px=BOARD_MARGIN * min(shape))
    sure = change.certain_px / change.grain**2
    score = float(np.interp(sure, _AREA_KNOTS, _AREA_SCORES)) * (1 - _DOUBT_WEIGHT * found.doubt)
    return Finding(
        criterion_id=criterion.id if criterion else UNCOVERED,
        severity=_severity(criterion, strength, otherwise=_usual_severity(found)),
        score=round(score, 3),
        box=box,
        rationale=defect_sentence(found, box=box, scale=scale, max_words=guideline.rationale.max_words),
        evidence={
            "defect": str(found.defect),
            "along_px": round(found.along_px * scale, 1),
            "across_px": round(found.across_px * scale, 1),
            "width_taken_percent": round(found.taken_percent, 1),
            "contacts": len(found.counted),
            "changed_px": round(change.certain_px * scale * scale),
        },
    )


def difference_finding(found: Difference, *, guideline: Guideline, shape: tuple[int, int], scale: float) -> Finding:
    """One difference from the reference as a finding; arguments as for `defect_finding`.

    A criterion with the measure "difference" claims it, and its anchors are read as per cent of the picture's area;
    without one it is uncovered, major from 0.5 % and critical from 5 % of the area.
    """
    criterion = criterion_for(guideline, DIFFERENCE)
    columns = slice(found.x_px, found.x_px + found.width_px)
    box = _padded(columns, slice(found.y_px, found.y_px + found.height_px), shape=shape, margin_px=1.0)
    percent = 100 * found.area_px / (shape[0] * shape[1])
    usual = _stepped(percent, major=_MAJOR_FRAME_PERCENT, critical=_CRITICAL_FRAME_PERCENT)
    return Finding(
        criterion_id=criterion.id if criterion else UNCOVERED,
        severity=_severity(criterion, percent, otherwise=usual),
        score=round(float(np.interp(found.certainty, _CERTAINTY_KNOTS, _CERTAINTY_SCORES)), 3),
        box=box,
        rationale=difference_sentence(found, box=box, scale=scale, max_words=guideline.rationale.max_words),
        evidence={
            "area_percent": round(percent, 3),
            "brightness_levels": round(found.brightness, 1),
            "contrast_levels": round(found.contrast, 1),
        },
    )


def _strength(found: Diagnosis) -> float:
    """Bridges for a short, per cent of the trace's or gap's width for all others."""
    return float(len(found.counted) - 1) if found.defect is Defect.SHORT else found.taken_percent


def _usual_severity(found: Diagnosis) -> Severity:
    """Severity if a guideline gives no numbers: critical if the circuit changes; otherwise the width decides."""
    if found.defect in {Defect.OPEN, Defect.SHORT}:
        return Severity.CRITICAL
    return _stepped(found.taken_percent, major=_MAJOR_PERCENT, critical=_CRITICAL_PERCENT)


def _severity(criterion: Criterion | None, strength: float, *, otherwise: Severity) -> Severity:
    """The severity by the criterion's anchors, minor below the lowest; `otherwise` where they hold no numbers."""
    if criterion is None or all(anchor.at_least is None for anchor in criterion.severity.values()):
        return otherwise
    return criterion.severity_of(strength) or Severity.MINOR


def _stepped(value: float, *, major: float, critical: float) -> Severity:
    if value >= critical:
        return Severity.CRITICAL
    return Severity.MAJOR if value >= major else Severity.MINOR


def _padded(columns: slice, rows: slice, *, shape: tuple[int, int], margin_px: float) -> Box:
    """The box with a margin on each side, within the picture."""
    height, width = shape
    return Box.from_corners(
        max(0.0, columns.start - margin_px) / width,
        max(0.0, rows.start - margin_px) / height,
        min(width, columns.stop + margin_px) / width,
        min(height, rows.stop + margin_px) / height,
    )
