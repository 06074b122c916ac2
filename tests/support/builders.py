"""Make domain values for tests; every field has a plausible default. Nothing here is tested for itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import (
    Criterion,
    Guideline,
    NovelPattern,
    RationaleStyle,
    Severity,
    SeverityAnchor,
    Verdict,
    VerdictRule,
)
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.override import (
    Comparison,
    Override,
    OverrideKind,
    Subject,
    SubmittedAnnotation,
    SubmittedRegion,
)
from review_copilot.domain.review import Exposure, ProjectKey, Provenance, Review, ReviewTask, TaskKey
from review_copilot.domain.suggestion import Scope, Suggestion

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PROJECT = ProjectKey(instance="http://label-studio.test", project_id=7, created="1760000000")
OTHER = ProjectKey(instance="http://elsewhere.test", project_id=7, created="1760000000")
"""A project of the same number in another Label Studio."""


def at(seconds: float) -> datetime:
    """A time that many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


SUBMITTED = at(120)


def task_key(task_id: int = 1, *, project: ProjectKey = PROJECT) -> TaskKey:
    return TaskKey(project, task_id)


def a_task(task_id: int = 1, *, image: str = "", project: ProjectKey = PROJECT) -> ReviewTask:
    return ReviewTask(
        task_key(task_id, project=project), image or f"http://images.test/{task_id}.jpg", data={"shift": "night"}
    )


def a_provenance(*, rollout: str = "photo-quality r1 0a1b2c", model_version: str = "0a1b2c3d4e5f") -> Provenance:
    return Provenance(
        inspector="builtin",
        model_version=model_version,
        rollout=rollout,
        guideline_id="photo-quality",
        guideline_revision="9f2c1a77aa01",
        prompt_hash="",
    )


def a_suggestion(
    suggestion_id: str = "s1",
    *,
    box: Box = Box(0.1, 0.1, 0.2, 0.2),  # noqa: B008  # frozen
    criterion_id: str = "PQ-01",
    label: str = "Out of focus",
    severity: Severity = Severity.MAJOR,
    rationale: str = "The left third is soft; edges are 4 px wide.",
    score: float = 0.8,
) -> Suggestion:
    whole = box == Box.whole()
    return Suggestion(
        id=suggestion_id,
        criterion_id=criterion_id,
        label=label,
        severity=severity,
        score=score,
        scope=Scope.IMAGE if whole else Scope.REGION,
        box=box,
        rationale=rationale,
        evidence={"edge_width_px": 4.0},
        source="measured",
    )


def a_review(
    review_id: str = "r1",
    *suggestions: Suggestion,
    key: TaskKey | None = None,
    exposure: Exposure = Exposure.SHOWN,
    created_at: datetime = NOON,
    provenance: Provenance | None = None,
    box: Box | None = None,
    verdict: Verdict = Verdict.FAIL,
    summary: str = "One flaw: out of focus.",
) -> Review:
    return Review(
        id=review_id,
        key=key or task_key(),
        suggestions=suggestions,
        verdict=verdict,
        summary=summary,
        provenance=provenance or a_provenance(),
        exposure=exposure,
        created_at=created_at,
        image_width_px=1200,
        image_height_px=800,
        image_sha256="ab" * 32,
        box=box,
        error="The image could not be fetched." if exposure is Exposure.FAILED else "",
    )


def as_submitted(suggestion: Suggestion) -> SubmittedRegion:
    """The region that a reviewer submits who leaves a suggestion as it is."""
    return SubmittedRegion(
        id=suggestion.id,
        box=suggestion.box,
        labels=(suggestion.label,),
        criterion_id=suggestion.criterion_id,
        severity=suggestion.severity,
        rationale=suggestion.rationale,
    )


def an_annotation(
    *regions: SubmittedRegion,
    annotation_id: int = 11,
    key: TaskKey | None = None,
    verdict: Verdict | None = Verdict.FAIL,
    summary: str = "One flaw: out of focus.",
    updated_at: datetime | None = SUBMITTED,
    content_hash: str = "c1",
    author: str = "3",
    editor: str = "",
) -> SubmittedAnnotation:
    return SubmittedAnnotation(
        key=key or task_key(),
        annotation_id=annotation_id,
        regions=regions,
        verdict=verdict,
        summary=summary,
        author=author,
        editor=editor or author,
        created_at=SUBMITTED,
        updated_at=updated_at,
        lead_time_s=60.0,
        content_hash=content_hash,
    )


def untouched(review: Review, **changes: object) -> SubmittedAnnotation:
    """The annotation that a reviewer submits who leaves the whole review as it is."""
    annotation = an_annotation(*map(as_submitted, review.suggestions), verdict=review.verdict, summary=review.summary)
    return replace(annotation, **changes)  # type: ignore[arg-type]  # a test's own names


def a_comparison(
    annotation: SubmittedAnnotation, rows: Sequence[Override] = (), *, confirmed: bool = True
) -> Comparison:
    return Comparison(
        annotation=annotation,
        overrides=tuple(rows),
        provenance=a_provenance(),
        review_ids=("r1",),
        exposure=Exposure.SHOWN.value,
        confirmed=confirmed,
    )


def an_image(pixels: Pixels) -> ReviewImage:
    """A review image, as PNG, of the given upright RGB pixels."""
    ok, data = cv2.imencode(".png", pixels[:, :, ::-1])
    assert ok

    def decode(longest_px: int | None) -> Pixels:
        if longest_px is None or max(pixels.shape[:2]) <= longest_px:
            return pixels.copy()
        factor = longest_px / max(pixels.shape[:2])
        return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)

    return ReviewImage(
        source="drawn.png",
        data=data.tobytes(),
        sha256=hashlib.sha256(data.tobytes()).hexdigest(),
        format="PNG",
        width_px=pixels.shape[1],
        height_px=pixels.shape[0],
        decode=decode,
    )


def a_criterion(
    criterion_id: str = "C-01",
    *,
    label: str = "Flaw",
    measures: tuple[str, ...] = (),
    unit: str = "",
    at_least: tuple[float, float, float] | None = None,
) -> Criterion:
    """A criterion with anchors in words, and in numbers where `at_least` gives them for minor, major, critical."""
    numbers = at_least or (None, None, None)
    anchors = {s: SeverityAnchor(f"{s} {label}", n) for s, n in zip(Severity, numbers, strict=True)}
    return Criterion(
        id=criterion_id,
        label=label,
        definition=f"{label} can be seen.",
        flag_when=("it disturbs",),
        do_not_flag_when=("it is intended",),
        severity=anchors,
        unit=unit,
        rationale="Name the place and the number.",
        measures=measures,
    )


def a_guideline(*criteria: Criterion, max_words: int = 40) -> Guideline:
    """A guideline of the given criteria; one critical finding fails the image."""
    return Guideline(
        id="drawn",
        title="Drawn guideline",
        version="1.0",
        purpose="For tests.",
        criteria=criteria,
        novel=NovelPattern("Novel pattern", "Nothing above fits."),
        verdict=VerdictRule("One critical fails.", fail={"critical": 1}, discuss={"major": 1}),
        rationale=RationaleStyle(max_words, "Place, evidence, criterion."),
        revision="000000000000",
    )


def a_row(kind: OverrideKind = OverrideKind.UNTOUCHED, **values: object) -> Override:
    return replace(Override(subject=Subject.REGION, kind=kind), **values)  # type: ignore[arg-type]  # a test's own names
