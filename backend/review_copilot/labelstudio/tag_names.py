"""Names of tags and choices in the generated label config. Knows no XML and no payload.

Choices use the field's own terms, so that exports are readable without this product.
"""

from __future__ import annotations

from collections.abc import Mapping

from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.override import Feedback, Reason

IMAGE = "image"
REFERENCE = "reference"
PROMPT = "prompt"
LABEL = "label"
SEVERITY = "severity"
RATIONALE = "rationale"
REASONS = "reasons"
NOTE = "note"
DRAFTED = "drafted"
VERDICT = "verdict"
SUMMARY = "summary"
FEEDBACK = "feedback"
FEEDBACK_NOTE = "feedback_note"

SEVERITY_CHOICES: Mapping[Severity, str] = {severity: severity.value for severity in Severity}
VERDICT_CHOICES: Mapping[Verdict, str] = {verdict: verdict.value for verdict in Verdict}
REASON_CHOICES: Mapping[Reason, str] = {reason: reason.value.replace("_", " ") for reason in Reason}
FEEDBACK_CHOICES: Mapping[Feedback, str] = {feedback: feedback.value.replace("_", " ") for feedback in Feedback}
