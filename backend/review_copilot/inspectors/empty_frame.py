"""The draft of an empty frame. Calls no model."""

from __future__ import annotations

from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.suggestion import Evidence, Finding, Inspection


def empty_frame(guideline: Guideline, facts: Evidence) -> Inspection:
    """The draft of an empty frame: no model call is paid for it."""
    speaks_for = (c.id for c in guideline.criteria if "empty_frame" in c.measures)
    finding = Finding(
        criterion_id=next(speaks_for, UNCOVERED),
        severity=Severity.CRITICAL,
        score=0.99,
        box=None,
        rationale=(
            f"The whole frame is one flat tone (mean level {facts['mean_level_percent']} %, spread "
            f"{facts['spread_levels']} of 255 levels): nothing can be seen."
        ),
        evidence=facts,
        source="measured",
    )
    return Inspection(
        findings=(finding,),
        verdict=Verdict.FAIL,
        summary="The frame shows nothing.",
        notes=("No model was asked: the frame shows nothing.",),
        examined=frozenset(criterion.id for criterion in guideline.criteria),
    )
