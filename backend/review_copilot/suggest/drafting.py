"""Turn an inspection into a review. Knows no Label Studio and no model."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Verdict
from review_copilot.domain.image import ReviewImage
from review_copilot.domain.review import Exposure, Provenance, Review, TaskKey
from review_copilot.domain.suggestion import Dropped, Evidence, Finding, Inspection, Scope, Suggestion, Usage
from review_copilot.suggest.crop_features import crop_features_of
from review_copilot.suggest.fingerprints import fingerprint
from review_copilot.suggest.verdict import decide, unexamined_criteria, with_coverage

NAMESPACE = uuid.UUID("0c4b6a52-6f0e-5d0b-9d3a-5a0c7f1f9b11")
"""Namespace of our uuid5 region and review ids; drawn once, never to change."""

MERGE_IOU = 0.6
"""Two findings of one criterion that overlap more than this are merged. Above COCO's matching threshold of 0.5,
so that adjacent findings stay separate, and low enough that a loose and a tight box of one defect become one."""

MAX_SUGGESTIONS = 30
"""Maximum number of drafted regions that reviewers can check one by one; the weakest are dropped and counted."""


@dataclass(frozen=True, slots=True)
class ReviewHeader:
    """Everything about a review except the findings.

    Attributes:
        key: Which task.
        provenance: Origin of the review.
        now: UTC.
        elapsed_s: Seconds for loading and inspecting.
        exposure: What the reviewer sees.
        box: The requested box (Magic); None for the whole image.
    """

    key: TaskKey
    provenance: Provenance
    now: datetime
    elapsed_s: float = 0.0
    exposure: Exposure = Exposure.SHOWN
    box: Box | None = None


def suggest(
    inspection: Inspection,
    *,
    image: ReviewImage,
    guideline: Guideline,
    header: ReviewHeader,
    min_score: float,
    pages: Mapping[int, ReviewImage] = MappingProxyType({}),
) -> Review:
    """Create the review of an inspection.

    Args:
        inspection: The inspector's report.
        image: The inspected image.
        guideline: The guideline that was used.
        header: Task, time, and provenance.
        min_score: Findings with a lower score are dropped, 0..1.
        pages: Further pages by number, starting at 1, without those that were not inspected.

    Returns:
        Suggestions with stable ids, whole-image ones first, then by descending score. `dropped` lists what was dropped.
    """
    kept, dropped = _worth_showing(inspection.findings, guideline=guideline, min_score=min_score)
    suggestions = _with_ids(kept, guideline=guideline, header=header, pages={0: image, **pages})
    unexamined = () if header.box else unexamined_criteria(guideline, inspection.examined)
    complete = not unexamined and not inspection.incomplete  # a missing part may contain a defect
    verdict = decide(suggestions, guideline, sure_from=inspection.sure_from, complete=complete)
    summary = with_coverage(
        inspection.summary if inspection.verdict in {None, verdict} else "",
        guideline=guideline,
        unexamined=unexamined,
        suggestions=suggestions,
        verdict=verdict,
    )
    return Review(
        id=_stable_id(header, "review", [s.id for s in suggestions], verdict.value, summary, header.exposure.value),
        key=header.key,
        suggestions=suggestions,
        verdict=verdict,
        summary=summary,
        provenance=header.provenance,
        exposure=header.exposure,
        created_at=header.now,
        image_width_px=image.width_px,
        image_height_px=image.height_px,
        image_sha256=image.sha256,
        notes=(*inspection.notes, *_own_verdict(inspection, verdict)),
        dropped=(*inspection.dropped, *dropped),
        elapsed_s=header.elapsed_s,
        usage=inspection.usage,
        box=header.box,
        image=image.source,
        image_fingerprint="" if header.box else fingerprint(image.thumbnail),
        unexamined=unexamined,
    )


def _own_verdict(inspection: Inspection, verdict: Verdict) -> tuple[str, ...]:
    """A note if the inspector's own verdict differs from the guideline's rule."""
    own = inspection.verdict
    return (
        ()
        if own in {None, verdict}
        else (f"The inspector's own verdict was {own}; the guideline's rule gives {verdict}.",)
    )


def remarked(review: Review, *, remark: str, evidence: Evidence, now: datetime) -> Review:
    """The review with a remark at the end of its summary, and facts in the evidence of each suggestion.

    The suggestions keep their ids, because their content is the same.

    Args:
        review: The draft.
        remark: Whole sentences; they replace an earlier remark.
        evidence: The facts by name; they replace earlier ones with that name.
        now: Time of the remark, UTC.
    """
    plain = review.summary.removesuffix(review.remark).rstrip()
    return replace(
        review,
        id=str(uuid.uuid5(NAMESPACE, json.dumps([review.id, remark]))),
        summary=f"{plain} {remark}".strip(),
        remark=remark,
        suggestions=tuple(replace(s, evidence={**s.evidence, **evidence}) for s in review.suggestions),
        created_at=now,
    )


def carried(review: Review, *, rollout: str, now: datetime) -> Review:
    """The review under another roll-out's label, without a new inspection.

    It keeps its suggestion ids, and its provenance names what made it. It costs nothing a second time.
    """
    return replace(
        review,
        id=str(uuid.uuid5(NAMESPACE, json.dumps([review.id, rollout]))),
        provenance=replace(review.provenance, rollout=rollout),
        created_at=now,
        elapsed_s=0.0,
        usage=None,
    )


def rejected(review: Review, *, error: str, now: datetime) -> Review:
    """The record that a draft reached no reviewer, because Label Studio did not store it."""
    return replace(
        review,
        id=str(uuid.uuid5(NAMESPACE, json.dumps([review.id, error, now.isoformat()]))),
        suggestions=(),
        exposure=Exposure.FAILED,
        error=error,
        error_kind="rejected",
        created_at=now,
        usage=None,
    )


def failed(header: ReviewHeader, *, error: str, kind: str = "", usage: Usage | None = None) -> Review:
    """The review of a task that could not be inspected: no suggestions, the reason, and the cost of the attempt."""
    review = _without_suggestions(
        replace(header, exposure=Exposure.FAILED), ("failed", error), error=error, error_kind=kind
    )
    return replace(review, usage=usage)


def nothing_said(header: ReviewHeader) -> Review:
    """The review of a box that was not inspected, because the task's suggestions are withheld."""
    return _without_suggestions(header, ("nothing said",))


def _without_suggestions(
    header: ReviewHeader, content: tuple[str, ...], *, error: str = "", error_kind: str = ""
) -> Review:
    return Review(
        id=_stable_id(header, *content, header.now.isoformat()),
        key=header.key,
        suggestions=(),
        verdict=Verdict.DISCUSS,
        summary="",
        provenance=header.provenance,
        exposure=header.exposure,
        created_at=header.now,
        image_width_px=0,
        image_height_px=0,
        elapsed_s=header.elapsed_s,
        box=header.box,
        error=error,
        error_kind=error_kind,
    )


def _worth_showing(
    findings: Sequence[Finding], *, guideline: Guideline, min_score: float
) -> tuple[list[Finding], list[Dropped]]:
    """Findings to show to reviewers, and dropped ones with the reason."""
    kept: list[Finding] = []
    dropped: list[Dropped] = []
    for finding in sorted(findings, key=lambda f: -f.score):
        what = f"{finding.criterion_id} at score {finding.score:.2f}"
        box = finding.box.clipped() if finding.box is not None else None
        if finding.criterion_id != UNCOVERED and guideline.criterion(finding.criterion_id) is None:
            dropped.append(Dropped(what, f"the guideline {guideline.id} has no such criterion"))
        elif finding.score < min_score:
            dropped.append(Dropped(what, f"below the least score of {min_score:g}"))
        elif finding.box is not None and box is None:
            dropped.append(Dropped(what, "its box lies outside the image"))
        elif any(_same_flaw(finding, other) for other in kept):
            dropped.append(Dropped(what, "the same flaw as a stronger finding"))
        elif len(kept) >= MAX_SUGGESTIONS:
            dropped.append(Dropped(what, f"more than {MAX_SUGGESTIONS} suggestions on one image"))
        else:
            kept.append(finding)
    kept.sort(key=lambda f: (f.box is not None, -f.score))
    return kept, dropped


def _same_flaw(one: Finding, other: Finding) -> bool:
    same = (one.criterion_id, one.page) == (other.criterion_id, other.page)
    return same and _place(one).iou(_place(other)) > MERGE_IOU


def _place(finding: Finding) -> Box:
    """The box of the finding, inside the image; the whole image if the finding is everywhere."""
    return (finding.box and finding.box.clipped()) or Box.whole()


def _with_ids(
    findings: Sequence[Finding], *, guideline: Guideline, header: ReviewHeader, pages: Mapping[int, ReviewImage]
) -> tuple[Suggestion, ...]:
    pixels = {page: pages[page].feature_pixels for page in sorted({finding.page for finding in findings})}
    suggestions = []
    for finding in findings:
        box = _place(finding)
        suggestions.append(
            Suggestion(
                id=_stable_id(
                    header,
                    finding.criterion_id,
                    finding.severity.value,
                    [round(v, 5) for v in (box.x, box.y, box.width, box.height)],
                    finding.rationale,
                    *([finding.page] if finding.page else []),
                ),
                criterion_id=finding.criterion_id,
                label=guideline.label_of(finding.criterion_id),
                severity=finding.severity,
                score=round(min(1.0, max(0.0, finding.score)), 4),
                scope=Scope.IMAGE if finding.box is None else Scope.REGION,
                box=box,
                rationale=finding.rationale,
                evidence=finding.evidence,
                source=finding.source,
                crop_features=crop_features_of(pixels[finding.page], box),
                page=finding.page,
            )
        )
    return tuple(suggestions)


def _stable_id(header: ReviewHeader, *content: object) -> str:
    """uuid5 of task, roll-out, and content: the same draft always has the same id, and different drafts never do."""
    project = header.key.project
    asked = header.box and [header.box.x, header.box.y, header.box.width, header.box.height]
    where = [project.instance, project.project_id, project.created, header.key.task_id, header.provenance.rollout]
    return str(uuid.uuid5(NAMESPACE, json.dumps([*where, asked, *content])))
