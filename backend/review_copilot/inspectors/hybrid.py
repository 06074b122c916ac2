"""Measurements and a model together: what is measured goes to the model as evidence, the model decides and words.

What only measurement can see stays in whatever the model says, with its source named. Knows two inspectors and nothing
else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Dropped, Finding, Inspection
from review_copilot.inspectors.blank_image import LOOK_PX, nothing_to_see
from review_copilot.inspectors.model_inspector import ModelInspector
from review_copilot.inspectors.scoring import with_measurement
from review_copilot.ports import Inspector

_SAME_PLACE_IOU = 0.2
_MOSTLY = 0.5


class HybridInspector:
    """A measuring inspector whose findings a model confirms, words and adds to."""

    def __init__(self, *, measuring: Inspector, model: ModelInspector) -> None:
        """Join two inspectors.

        Args:
            measuring: Gives the evidence.
            model: Decides and words.
        """
        self._measuring = measuring
        self._model = model

    @property
    def name(self) -> str:
        """What the registry calls it."""
        return "hybrid"

    @property
    def model(self) -> ModelInspector:
        """The inspector that asks the model."""
        return self._model

    @property
    def version(self) -> str:
        """Hash of both versions, 12 hex digits."""
        return hashlib.sha256(f"1 {self._measuring.version} {self._model.version}".encode()).hexdigest()[:12]

    def catalogue(self) -> Sequence[Measure]:
        """What the measuring inspector offers."""
        return self._measuring.catalogue()

    def inspect(self, brief: Brief) -> Inspection:
        """Measure, then ask the model with the measurements beside the picture.

        Raises:
            InspectorError: No answer could be had.
            ImageError: The image cannot be decoded.
        """
        measured = self._measuring.inspect(brief)
        if nothing_to_see(brief.image.decode(LOOK_PX)) is not None:
            return replace(measured, notes=(*measured.notes, "No model was asked: the frame shows nothing."))
        said = self._model.inspect_with(brief, measured=measured.findings)
        measured_only = frozenset(m.name for m in self._measuring.catalogue() if not m.model_can_judge)
        return _merged(measured, said, brief.guideline, measured_only=measured_only)


def _merged(
    measured: Inspection, said: Inspection, guideline: Guideline, *, measured_only: frozenset[str]
) -> Inspection:
    findings = list(said.findings)
    kept: list[Finding] = []
    dropped: list[Dropped] = []
    for fact in measured.findings:
        index = next((i for i, finding in enumerate(findings) if _same(finding, fact)), None)
        if index is not None:
            findings[index] = _confirmed(findings[index], fact)
        elif _names_any(measured_only, fact, guideline):
            kept.append(fact)
        else:
            dropped.append(Dropped(f"A measured finding of {fact.criterion_id}", "the model did not confirm it"))
    return Inspection(
        findings=(*findings, *kept),
        verdict=None if kept else said.verdict,  # the model's verdict does not count what it did not report
        summary="" if kept else said.summary,
        notes=(*measured.notes, *said.notes),
        dropped=(*measured.dropped, *said.dropped, *dropped),
        usage=said.usage,
        prompt_hash=said.prompt_hash,
        examined=measured.examined | said.examined,
    )


def _confirmed(finding: Finding, fact: Finding) -> Finding:
    """The model's words with the measurement's facts."""
    return replace(
        finding,
        score=with_measurement(finding.score, measured=fact.score),
        evidence={**fact.evidence, **finding.evidence},
        source=f"{finding.source} + {fact.source}",
    )


def _same(finding: Finding, fact: Finding) -> bool:
    """Whether both speak of one flaw: the same criterion, and overlapping places or one of the whole image."""
    if finding.criterion_id != fact.criterion_id:
        return False
    if finding.box is None or fact.box is None:
        return True
    smaller = min(finding.box.area, fact.box.area)
    holds = smaller > 0 and finding.box.intersection_area(fact.box) > _MOSTLY * smaller
    return holds or finding.box.iou(fact.box) >= _SAME_PLACE_IOU


def _names_any(measures: frozenset[str], fact: Finding, guideline: Guideline) -> bool:
    criterion = guideline.criterion(fact.criterion_id)
    return criterion is not None and bool(measures & set(criterion.measures))
