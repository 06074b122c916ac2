"""Write judged reviews as chat-format training examples. Knows no model and no prompt template.

One JSON object a line, as fine-tuning services and trainers read it: `messages` with the prompt and the image's
reference from the user, and the corrected reply from the assistant. The reply has the keys that the copilot asks of a
model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED
from review_copilot.domain.override import SubmittedRegion
from review_copilot.flows.submissions import Submission
from review_copilot.reports.left_out import Written

CERTAIN = 100
"""The confidence of a finding that a person stands behind, in per cent."""

_WHOLE = 0.98
"""Share of the image from which a box means the whole of it: nobody draws to the last pixel."""

BoxWriter = Callable[[Box], Sequence[float]]


def thousandths(box: Box) -> Sequence[float]:
    """(left, top, right, bottom) in whole thousandths of the upright image."""
    return [round(1000 * edge) for edge in (box.x, box.y, box.right, box.bottom)]


def write_finetune(
    submissions: Iterable[Submission],
    out: TextIO,
    *,
    prompt: str,
    system: str = "",
    write_box: BoxWriter = thousandths,
    untouched: bool = False,
) -> Written:
    """Write one training example for each annotation that a person confirmed or corrected.

    Left out, and counted: skipped tasks, annotations that nobody could check, drafts that nobody said a word about,
    images without a reference, and annotations with a verdict or a severity left open, which would teach a model to
    leave them open.

    Args:
        submissions: Annotations as they stand now.
        out: A text stream.
        prompt: The text that a model is asked with.
        system: System message; empty for none.
        write_box: How the model family writes boxes.
        untouched: Take drafts that nobody said a word about as well.
    """
    report = Written()
    for submission in submissions:
        reason = _unfit(submission, untouched=untouched)
        if reason:
            report.leave_out(reason)
            continue
        image = submission.review.image if submission.review else ""
        content = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": image}}]
        reply = corrected_reply(submission, write_box=write_box)
        messages = [
            *([{"role": "system", "content": system}] if system else []),
            {"role": "user", "content": content},
            {"role": "assistant", "content": json.dumps(reply, ensure_ascii=False)},
        ]
        out.write(json.dumps({"messages": messages, "metadata": _metadata(submission)}, ensure_ascii=False) + "\n")
        report.written += 1
    return report


def corrected_reply(submission: Submission, *, write_box: BoxWriter = thousandths) -> dict[str, object]:
    """What a model should have replied: findings, verdict and summary as the reviewer left them."""
    annotation = submission.comparison.annotation
    return {
        "findings": [_finding(region, write_box) for region in submission.regions],
        "verdict": annotation.verdict.value if annotation.verdict else None,
        "summary": annotation.summary,
    }


def _unfit(submission: Submission, *, untouched: bool) -> str:
    """Why an annotation teaches nothing; empty when it does."""
    comparison = submission.comparison
    checks = {
        "the task was skipped": comparison.annotation.skipped,
        "not checked against Label Studio": not comparison.confirmed,
        "nobody said a word about the draft": not (untouched or submission.judged),
        "the image's place is unknown": not (submission.review and submission.review.image),
        "the verdict was left open": comparison.annotation.verdict is None,
        "a region has no criterion": any(region.criterion_id is None for region in submission.regions),
        "a severity was left open": any(region.severity is None for region in submission.regions),
    }
    return next((reason for reason, holds in checks.items() if holds), "")


def _finding(region: SubmittedRegion, write_box: BoxWriter) -> dict[str, object]:
    box = region.box.clipped()
    return {
        "criterion": region.criterion_id,
        "description": region.rationale if region.criterion_id == UNCOVERED else None,
        "rationale": region.rationale,
        "box": None if box is None or box.area >= _WHOLE else list(write_box(box)),
        "severity": region.severity.value if region.severity else None,
        "confidence": CERTAIN,
    }


def _metadata(submission: Submission) -> dict[str, object]:
    annotation, provenance = submission.comparison.annotation, submission.comparison.provenance
    return {
        "instance": annotation.key.project.instance,
        "project_id": annotation.key.project.project_id,
        "task_id": annotation.key.task_id,
        "annotation_id": annotation.annotation_id,
        "image_sha256": submission.review.image_sha256 if submission.review else "",
        "guideline_revision": provenance.guideline_revision if provenance else "",
        "exposure": submission.comparison.exposure,
    }
