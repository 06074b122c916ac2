"""Measurements and a model together: what is measured goes to the model as evidence, the model decides and words.

Criteria that no model can judge are not asked of it; they are measured. What the model does not confirm is dropped only
where it says that it looked, and never where it is critical or a difference from a reference image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from review_copilot.domain.guideline import Guideline, Severity
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Dropped, Finding, Inspection, Scope
from review_copilot.inspectors.blank_image import LOOK_PX, nothing_to_see
from review_copilot.inspectors.model_inspector import ModelInspector
from review_copilot.inspectors.scoring import unconfirmed, with_measurement
from review_copilot.ports import Inspector

_SAME_PLACE_IOU = 0.2
_MOSTLY = 0.5


class HybridInspector:
    """A measuring inspector whose findings a model confirms, words and adds to."""

    def __init__(self, *, measuring: Inspector, model: ModelInspector, evidence: bool = True) -> None:
        """Join two inspectors.

        Args:
            measuring: Gives the evidence, and measures what no model can judge.
            model: Decides and words.
            evidence: Whether measurements are shown to the model; without them it judges alone, the name is the model
                inspector's, and only criteria that no model can judge are measured.
        """
        self._measuring = measuring
        self._model = model
        self._evidence = evidence

    @property
    def name(self) -> str:
        """What the registry calls it."""
        return "hybrid" if self._evidence else self._model.name

    @property
    def model(self) -> ModelInspector:
        """The inspector that asks the model."""
        return self._model

    @property
    def version(self) -> str:
        """Hash of both versions, 12 hex digits."""
        decides = f"2 {self._evidence} {self._measuring.version} {self._model.version}"
        return hashlib.sha256(decides.encode()).hexdigest()[:12]

    def catalogue(self) -> Sequence[Measure]:
        """What the measuring inspector offers."""
        return self._measuring.catalogue()

    def inspect(self, brief: Brief) -> Inspection:
        """Measure, then ask the model, with the measurements beside the picture where it is shown them.

        Raises:
            InspectorError: No answer was received.
            ImageError: The image cannot be decoded.
        """
        measures = {measure.name: measure for measure in self._measuring.catalogue()}
        withheld = _beyond_a_model(brief.guideline, measures.values())
        measured = Inspection(())
        if self._evidence:
            measured = self._measuring.inspect(brief)
        elif withheld:
            measured = self._measuring.inspect(replace(brief, guideline=_only(brief.guideline, withheld)))
        if withheld == {criterion.id for criterion in brief.guideline.criteria}:
            return replace(measured, notes=(*measured.notes, "No model was asked: it can judge no criterion."))
        if self._evidence and nothing_to_see(brief.image.decode(LOOK_PX)) is not None:
            return replace(measured, notes=(*measured.notes, "No model was asked: the frame shows nothing."))
        said = self._model.inspect_with(
            brief,
            measured=measured.findings if self._evidence else None,
            image_wide=_image_wide(brief.guideline, measures.values()),
            withheld=withheld,
        )
        surely = frozenset(name for name, measure in measures.items() if not measure.model_can_judge)
        return _merged(measured, said, brief, measured_only=surely, withheld=withheld)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What becomes of the measured findings beside the model's."""

    findings: tuple[Finding, ...]
    kept: tuple[Finding, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    doubted: tuple[str, ...] = ()

    def with_fact(self, fact: Finding, *, stays: bool, may_drop: bool) -> _Weighed:
        """One more measured finding.

        Args:
            fact: The finding.
            stays: Whether no model can judge it.
            may_drop: Whether it is dropped when the model does not confirm it.
        """
        index = next((i for i, finding in enumerate(self.findings) if _same(finding, fact)), None)
        if index is not None:
            findings = list(self.findings)
            findings[index] = _confirmed(findings[index], fact)
            return replace(self, findings=tuple(findings))
        if stays:
            return replace(self, kept=(*self.kept, fact))
        if may_drop:
            gone = Dropped(f"A measured finding of {fact.criterion_id}", "the model did not confirm it")
            return replace(self, dropped=(*self.dropped, gone))
        lowered = replace(
            fact, score=unconfirmed(fact.score), evidence={**fact.evidence, "model": "did not confirm it"}
        )
        note = f"A measured finding of {fact.criterion_id} was not confirmed by the model; its score was lowered."
        return replace(self, kept=(*self.kept, lowered), doubted=(*self.doubted, note))


def _merged(
    measured: Inspection, said: Inspection, brief: Brief, *, measured_only: frozenset[str], withheld: frozenset[str]
) -> Inspection:
    weighed = _Weighed(said.findings)
    for fact in measured.findings:
        doubtful = brief.reference is not None or fact.severity is Severity.CRITICAL
        weighed = weighed.with_fact(
            fact,
            stays=fact.criterion_id in withheld
            or (brief.reference is None and _names_any(measured_only, fact, brief.guideline)),
            may_drop=fact.criterion_id in said.examined and not doubtful,
        )
    kept = weighed.kept
    return Inspection(
        findings=(*weighed.findings, *kept),
        verdict=None if kept else said.verdict,  # the model's verdict does not count what it did not report
        summary=said.summary if said.incomplete or not kept else "",
        notes=(*measured.notes, *said.notes, *weighed.doubted),
        dropped=(*measured.dropped, *said.dropped, *weighed.dropped),
        usage=said.usage,
        prompt_hash=said.prompt_hash,
        examined=measured.examined | said.examined,
        incomplete=said.incomplete or measured.incomplete,
    )


def _beyond_a_model(guideline: Guideline, measures: Iterable[Measure]) -> frozenset[str]:
    """Ids of the criteria of which every measure is beyond what a model sees."""
    beyond = {measure.name for measure in measures if not measure.model_can_judge}
    return frozenset(c.id for c in guideline.criteria if c.measures and set(c.measures) <= beyond)


def _image_wide(guideline: Guideline, measures: Iterable[Measure]) -> frozenset[str]:
    """Ids of the criteria of which every measure speaks of the whole image."""
    wide = {measure.name for measure in measures if measure.scope is Scope.IMAGE}
    return frozenset(c.id for c in guideline.criteria if c.measures and set(c.measures) <= wide)


def _only(guideline: Guideline, ids: frozenset[str]) -> Guideline:
    return replace(guideline, criteria=tuple(c for c in guideline.criteria if c.id in ids))


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
