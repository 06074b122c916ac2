"""Write reviewed drafts as training examples in chat format. Knows no model and no prompt template.

One JSON object per line, as fine-tuning services and trainers expect it: `messages` with the prompt and the image's
reference from the user, and the corrected reply from the assistant. The reply has the keys that the copilot requests
from a model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Protocol, TextIO

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Verdict
from review_copilot.domain.override import Aspect, Override, OverrideKind, Subject, SubmittedRegion
from review_copilot.domain.review import Review
from review_copilot.domain.suggestion import Scope, Suggestion
from review_copilot.flows.submissions import Submission
from review_copilot.reports.skipped_counts import Written
from review_copilot.suggest.verdict import summarise

CERTAIN = 100
"""The confidence of a finding that a person confirmed, in percent."""

_SAID_IN_SUMMARY = frozenset({Aspect.CRITERION, Aspect.SEVERITY})

_WHOLE = 0.98
"""Minimum share of the image for a whole-image box, because no one draws to the last pixel."""


class Words(Protocol):
    """How the trained model will be prompted, and its box format."""

    @property
    def box_key(self) -> str:
        """The key of a box in the reply."""
        ...

    def system(self) -> str:
        """The system message; empty for none."""
        ...

    def user(self, *, width_px: int, height_px: int) -> str:
        """The prompt for an image of the given size; ValueError if the model does not accept that shape."""
        ...

    def write_box(self, box: Box, *, width_px: int, height_px: int) -> Sequence[float]:
        """The numbers of a box in an image of the given size; ValueError as for `user`."""
        ...


def write_finetune(
    submissions: Iterable[Submission],
    out: TextIO,
    *,
    words: Words,
    guideline: Guideline,
    untouched: bool = False,
) -> Written:
    """Write one training example per annotation that a person confirmed or corrected.

    Skipped and counted: skipped tasks, unverified annotations, unreviewed drafts,
    images without a reference or a size, annotations without a verdict or severity, which would teach a model
    to omit them, annotations without findings that do not pass the image, and findings that the guideline has
    no criterion for, or that are outside the image.

    Args:
        submissions: Annotations as they stand now.
        out: A text stream.
        words: The prompts for that guideline.
        guideline: The guideline of the examples.
        untouched: Also include unreviewed drafts.
    """
    report = Written()
    system = words.system()
    for submission in submissions:
        review = submission.review
        reason = _unfit(submission, guideline=guideline, untouched=untouched)
        if reason or review is None:
            report.leave_out(reason)
            continue
        try:
            prompt = words.user(width_px=review.image_width_px, height_px=review.image_height_px)
            reply = _corrected_reply(submission, review, words=words, guideline=guideline)
        except ValueError:
            report.leave_out("the model does not accept an image of this shape")
            continue
        content = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": review.image}}]
        messages = [
            *([{"role": "system", "content": system}] if system else []),
            {"role": "user", "content": content},
            {"role": "assistant", "content": json.dumps(reply, ensure_ascii=False)},
        ]
        example = {"messages": messages, "metadata": _metadata(submission, review)}
        out.write(json.dumps(example, ensure_ascii=False) + "\n")
        report.written += 1
    return report


def _corrected_reply(
    submission: Submission, review: Review, *, words: Words, guideline: Guideline
) -> dict[str, object]:
    """The correct reply: findings, verdict, and summary as the reviewer submitted them."""
    annotation = submission.comparison.annotation
    return {
        "findings": [_finding(region, review, words) for region in submission.regions],
        "verdict": annotation.verdict.value if annotation.verdict else None,
        "summary": _summary(submission, guideline),
    }


def _summary(submission: Submission, guideline: Guideline) -> str:
    """The submitted summary; generated from the findings if it is a draft that no longer matches them."""
    annotation = submission.comparison.annotation
    rows = submission.comparison.overrides
    drafted = any(row.subject is Subject.SUMMARY and row.kind is OverrideKind.UNTOUCHED for row in rows)
    if annotation.verdict is None or not drafted or not any(map(_turns_the_summary, rows)):
        return annotation.summary
    findings = [
        Suggestion(
            id=region.id,
            criterion_id=region.criterion_id,
            label=guideline.label_of(region.criterion_id),
            severity=region.severity,
            score=1.0,
            scope=Scope.REGION,
            box=region.box,
            rationale=region.rationale,
            evidence={},
            source="reviewer",
        )
        for region in submission.regions
        if region.criterion_id is not None and region.severity is not None
    ]
    return summarise(findings, annotation.verdict)


def _turns_the_summary(row: Override) -> bool:
    """Whether a drafted summary mentions removed findings, or omits new ones."""
    if row.subject is Subject.VERDICT:
        return row.kind is OverrideKind.EDITED
    changed = row.kind in {OverrideKind.REJECTED, OverrideKind.ADDED} or not _SAID_IN_SUMMARY.isdisjoint(row.edits)
    return row.subject is Subject.REGION and changed


def _unfit(submission: Submission, *, guideline: Guideline, untouched: bool) -> str:
    """Why an annotation is not an example; empty if it is one."""
    comparison, review, regions = submission.comparison, submission.review, submission.regions
    known = {UNCOVERED, *(criterion.id for criterion in guideline.criteria)}
    checks = {
        "the task was skipped": comparison.annotation.skipped,
        "not checked against Label Studio": not comparison.confirmed,
        "the draft was not reviewed": not (untouched or submission.judged),
        "the image's location is unknown": not (review and review.image),
        "the image's size is unknown": not (review and review.image_width_px),
        "the verdict is missing": comparison.annotation.verdict is None,
        "no finding remains, but the drafted verdict was kept": _contradicts_itself(submission),
        "a region is on a later page": any(region.page for region in regions),
        "a region has no criterion": any(region.criterion_id is None for region in regions),
        "the guideline has no such criterion": any(region.criterion_id not in known for region in regions),
        "a severity is missing": any(region.severity is None for region in regions),
        "a box is outside the image": any(region.box.clipped() is None for region in regions),
    }
    return next((reason for reason, holds in checks.items() if holds), "")


def _contradicts_itself(submission: Submission) -> bool:
    """Whether a reviewer removed all findings and kept a verdict that no longer has a reason."""
    passed = submission.comparison.annotation.verdict is Verdict.PASS
    return not passed and not submission.regions


def _finding(region: SubmittedRegion, review: Review, words: Words) -> dict[str, object]:
    box = region.box.clipped()
    size = {"width_px": review.image_width_px, "height_px": review.image_height_px}
    return {
        "criterion": region.criterion_id,
        "description": region.rationale if region.criterion_id == UNCOVERED else None,
        "rationale": region.rationale,
        words.box_key: None if box is None or box.area >= _WHOLE else list(words.write_box(box, **size)),
        "severity": region.severity.value if region.severity else None,
        "confidence": CERTAIN,
    }


def _metadata(submission: Submission, review: Review) -> dict[str, object]:
    annotation, provenance = submission.comparison.annotation, submission.comparison.provenance
    return {
        "instance": annotation.key.project.instance,
        "project_id": annotation.key.project.project_id,
        "task_id": annotation.key.task_id,
        "annotation_id": annotation.annotation_id,
        "image_sha256": review.image_sha256,
        "guideline_revision": provenance.guideline_revision if provenance else "",
        "exposure": submission.comparison.exposure,
    }
