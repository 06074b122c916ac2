"""The built-in inspector: measures, asks the guideline, words. Knows no Label Studio and no model."""

from __future__ import annotations

import hashlib
from importlib import resources

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.suggestion import Brief, Dropped, Finding, Inspection
from review_copilot.inspectors.classical.catalogue import criterion_for, severity_for
from review_copilot.inspectors.classical.frame import Frame, build_frame, crop_frame
from review_copilot.inspectors.classical.judge import JUDGES
from review_copilot.inspectors.classical.reading import Reading
from review_copilot.inspectors.classical.wording import rationale

LEAST_SCORE = 0.5
"""A flaw is reported when it is more likely than not."""


class ClassicalInspector:
    """Measures an image; needs no model and no network. Safe to call from several threads."""

    name = "builtin"

    def __init__(self) -> None:
        self.version = code_version()

    def inspect(self, brief: Brief) -> Inspection:
        """Measure the image, or just the brief's box.

        Raises:
            ImageError: The image could not be decoded.
        """
        pixels = brief.image.pixels
        frame = build_frame(pixels) if brief.box is None else crop_frame(pixels, brief.box)
        if frame is None:
            return Inspection((), dropped=(Dropped("box", "it lies outside the image"),))
        readings = measure_all(frame, wanted=_wanted(brief.guideline))
        if brief.box is not None:
            readings = sorted(readings, key=lambda r: -r.score)[:1]
        findings = tuple(finding for r in readings if (finding := _finding(r, brief)) is not None)
        return Inspection(findings)


def measure_all(frame: Frame, *, wanted: frozenset[str]) -> list[Reading]:
    """Readings of all measurements by the wanted names that are more likely a flaw than not."""
    readings = [
        reading
        for names, judge in JUDGES.values()
        if wanted.intersection(names)
        for reading in judge(frame)
        if reading.measure in wanted
    ]
    return [r for r in readings if r.score >= LEAST_SCORE]


def code_version() -> str:
    """Hash of this package's sources and data, 12 hex digits."""
    digest = hashlib.sha256()
    room = resources.files("review_copilot.inspectors.classical")
    for entry in sorted(room.iterdir(), key=lambda e: e.name):
        if entry.name.endswith((".py", ".json")):
            digest.update(entry.name.encode() + b"\0" + entry.read_bytes())
    return digest.hexdigest()[:12]


def _wanted(guideline: Guideline) -> frozenset[str]:
    return frozenset(name for criterion in guideline.criteria for name in criterion.measures)


def _finding(reading: Reading, brief: Brief) -> Finding | None:
    criterion = criterion_for(brief.guideline, reading.measure)
    if criterion is None:
        return None
    box = brief.box if brief.box is not None else reading.box
    return Finding(
        criterion_id=criterion.id,
        severity=severity_for(criterion, reading.measure, reading.strength),
        score=round(reading.score, 3),
        box=box,
        rationale=rationale(criterion, box=box, evidence=reading.text, max_words=brief.guideline.rationale.max_words),
        evidence={"measure": reading.measure, **reading.evidence},
    )
