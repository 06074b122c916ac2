"""Compare one annotation with what its reviewer saw. Combines the other modules; contains no formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from review_copilot.compare.choose_review import choose_review, foreign_parent
from review_copilot.compare.magic import offer_rows, offers, take
from review_copilot.compare.matching import MIN_IOU, SAME_CRITERION, assign
from review_copilot.compare.override_rows import (
    field_kind,
    lost_row,
    own_row,
    pair_row,
    same_criterion,
    showable,
    text_change,
    visible,
)
from review_copilot.domain.box_overlap import corners, pairwise_iou
from review_copilot.domain.override import (
    Asked,
    Comparison,
    Override,
    OverrideKind,
    Subject,
    SubmittedAnnotation,
    SubmittedRegion,
)
from review_copilot.domain.review import Exposure, Review
from review_copilot.domain.suggestion import Scope, Suggestion
from review_copilot.ports import StoredPrediction

_NOTHING_DRAFTED = frozenset({Exposure.FAILED, Exposure.NOT_READY})


def compare(
    annotation: SubmittedAnnotation,
    reviews: Sequence[Review],
    *,
    predictions: Sequence[StoredPrediction] = (),
    confirmed: bool = True,
) -> Comparison:
    """Find the outcome of every suggestion, and the origin of every submitted region.

    The order of regions, reviews, and predictions does not matter. A skipped task has only the row "skipped" and
    feedback rows, because no one judged its suggestions. For a withheld review, the kinds describe an unaided reviewer:
    "rejected" is a suggestion that the reviewer did not find, "added" a defect that the copilot did not find.

    Args:
        annotation: What was submitted.
        reviews: All reviews of its task, including Magic ones.
        predictions: Label Studio's predictions for the task, to distinguish several versions.
        confirmed: Whether the annotation was read from Label Studio itself.

    Returns:
        Region rows in the order of the suggestions, then added regions in reading order, Magic rows, verdict, summary,
        feedback.
    """
    foreign = foreign_parent(annotation, reviews, predictions)
    chosen = choose_review(annotation, reviews, predictions)
    asked = _comparable(annotation.asked, chosen)
    offered = offers(annotation, reviews)
    if annotation.skipped:
        rows: tuple[Override, ...] = (
            Override(subject=Subject.TASK, kind=OverrideKind.SKIPPED, review_id=chosen.id if chosen else ""),
        )
    else:
        chosen = _without(chosen, annotation.unplaced)
        magic, regions = offer_rows(
            offered, _in_reading_order(_own(annotation.regions, foreign)), asked=annotation.asked
        )
        rows = (*_region_rows(chosen, regions, asked), *magic, *_image_rows(annotation, chosen, asked))
    compared = (*((chosen,) if chosen else ()), *offered)
    return Comparison(
        annotation=annotation,
        overrides=(*rows, *_feedback_rows(annotation)),
        provenance=compared[0].provenance if compared else None,
        review_ids=tuple(review.id for review in compared),
        exposure=compared[0].exposure.value if compared else "",
        confirmed=confirmed,
        unexamined=chosen.unexamined if chosen else (),
        left_out=chosen.left_out if chosen else "",
    )


def _own(regions: Sequence[SubmittedRegion], foreign: StoredPrediction | None) -> Sequence[SubmittedRegion]:
    """The regions that do not stem from another model's prediction: those are nobody's unaided find."""
    return [region for region in regions if region.id not in foreign.region_ids] if foreign else regions


def _without(review: Review | None, unplaced: Sequence[str]) -> Review | None:
    """The review without suggestions whose regions cannot be read: their outcome is unknown."""
    if review is None or not unplaced:
        return review
    return replace(review, suggestions=tuple(s for s in review.suggestions if s.id not in unplaced))


def _comparable(asked: Asked, review: Review | None) -> Asked:
    """The offered fields, without those that the review did not draft."""
    if review is None:
        return asked
    return replace(
        asked,
        severity=asked.severity if review.names_severity else frozenset(),
        verdict=asked.verdict if review.names_verdict else frozenset(),
        criteria=None if review.read_back else asked.criteria,
    )


def _in_reading_order(regions: Sequence[SubmittedRegion]) -> list[SubmittedRegion]:
    return sorted(regions, key=lambda r: (r.box.y, r.box.x, r.box.height, r.box.width, r.criterion_id or "", r.id))


def _region_rows(review: Review | None, regions: Sequence[SubmittedRegion], asked: Asked) -> tuple[Override, ...]:
    """Rows of the suggestions, paired by id or else by place and criterion; then rows of the remaining regions."""
    suggestions = showable(review, asked) if review and review.exposure not in _NOTHING_DRAFTED else ()
    review_id = review.id if review else ""
    free = list(regions)
    partner = {s.id: found for s in suggestions if (found := take(free, s.id))}
    by_place = _by_place([s for s in suggestions if s.id not in partner], free)
    added = [region for number, region in enumerate(free) if number not in by_place.values()]
    partner |= {suggestion_id: free[number] for suggestion_id, number in by_place.items()}
    return (
        *(
            pair_row(s, partner[s.id], review_id=review_id, asked=asked)
            if s.id in partner
            else lost_row(s, OverrideKind.REJECTED, review_id=review_id)
            for s in suggestions
        ),
        *(own_row(region, OverrideKind.ADDED) for region in added),
    )


def _by_place(suggestions: Sequence[Suggestion], regions: Sequence[SubmittedRegion]) -> dict[str, int]:
    """Suggestion id to index of its region in the list, by the best assignment.

    A whole-image defect has no place to distinguish it from others: it is paired only with the same
    criterion.
    """
    if not suggestions or not regions:
        return {}
    # This order alone decides between equal candidates, so that the order of the review does not matter.
    ours = sorted(suggestions, key=lambda s: s.id)
    iou = pairwise_iou(corners([visible(s.box) for s in ours]), corners([visible(r.box) for r in regions]))
    same = np.array([[same_criterion(s, r) for r in regions] for s in ours])
    same_page = np.array([[s.page == r.page for r in regions] for s in ours])
    everywhere = np.array([s.scope is Scope.IMAGE for s in ours])
    allowed = (iou >= MIN_IOU) & same_page & (same | ~everywhere[:, None])
    worth = np.where(allowed, iou + SAME_CRITERION * same, 0.0)
    found = assign(worth[None])[0]
    return {s.id: int(index) for s, index in zip(ours, found, strict=True) if index >= 0}


def _image_rows(annotation: SubmittedAnnotation, review: Review | None, asked: Asked) -> tuple[Override, ...]:
    drafted = review if review and review.exposure not in _NOTHING_DRAFTED else None
    review_id = review.id if review else ""
    rows = []
    verdict_from = drafted.verdict.value if drafted and drafted.verdict in asked.verdict else ""
    verdict_to = annotation.verdict.value if annotation.verdict else ""
    cleared = bool(verdict_from) and not verdict_to and not annotation.feedback
    if not cleared and (kind := field_kind(verdict_from, verdict_to)):
        rows.append(
            Override(
                subject=Subject.VERDICT,
                kind=kind,
                severity_from=verdict_from,
                severity_to=verdict_to,
                review_id=review_id,
            )
        )
    text_from, text_to = drafted.summary if drafted else "", annotation.summary
    if asked.summary and (kind := field_kind(" ".join(text_from.split()), " ".join(text_to.split()))):
        change = text_change(text_from, text_to)
        rows.append(
            Override(
                subject=Subject.SUMMARY,
                kind=kind,
                text_from=text_from,
                text_to=text_to,
                text_similarity=change.kept if change else None,
                text_distance=change.distance if change else None,
                review_id=review_id,
            )
        )
    return tuple(rows)


def _feedback_rows(annotation: SubmittedAnnotation) -> tuple[Override, ...]:
    if not annotation.feedback and not annotation.feedback_note:
        return ()
    return (
        Override(
            subject=Subject.FEEDBACK,
            kind=OverrideKind.ADDED,
            reasons=tuple(feedback.value for feedback in annotation.feedback),
            note=annotation.feedback_note,
        ),
    )
