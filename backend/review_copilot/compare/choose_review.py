"""Find the review to compare an annotation with. Of a region, it knows only the id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from review_copilot.domain.override import SubmittedAnnotation
from review_copilot.domain.review import Review
from review_copilot.ports import StoredPrediction


def choose_review(
    annotation: SubmittedAnnotation, reviews: Sequence[Review], predictions: Sequence[StoredPrediction]
) -> Review | None:
    """The whole-image review that the reviewer worked from; None if there was none.

    Checked in this order, to distinguish several versions on one task:

    1. The prediction that the annotation started from (`parent_prediction`), by the region ids that Label Studio
       has for it, or else by its roll-out.
    2. The review that shares the most region ids with the annotation; the newest if several share as many.
    3. The newest review made before the annotation started. If all were made later, the oldest that existed when the
       annotation was first submitted. An annotation older than all reviews was made without one.

    Args:
        annotation: What was submitted.
        reviews: All reviews of the task, in any order. Those for a Magic box are ignored.
        predictions: Label Studio's predictions for the task, as far as they were read back.
    """
    whole = sorted((r for r in reviews if r.box is None), key=lambda r: (r.created_at, r.id))
    if foreign_parent(annotation, reviews, predictions) is not None:
        return None
    return (
        _by_parent(annotation, whole, predictions)
        or _sharing_most(whole, {*(region.id for region in annotation.regions), *annotation.unplaced})
        or _by_time(annotation, whole)
    )


def foreign_parent(
    annotation: SubmittedAnnotation, reviews: Sequence[Review], predictions: Sequence[StoredPrediction]
) -> StoredPrediction | None:
    """The prediction that the annotation began from, if another model made it; else None.

    Such an annotation says nothing about our drafts: its reviewer saw other suggestions.
    """
    parent = next((p for p in predictions if p.id == annotation.parent_prediction), None)
    if parent is None or any(r.provenance.rollout == parent.model_version for r in reviews):
        return None
    return parent


def began_at(annotation: SubmittedAnnotation) -> datetime | None:
    """When work on the annotation started: first submission minus lead time; None if unknown or unreadable.

    Label Studio adds the time of later edits to the lead time, so that the result can be too early for an edited
    annotation, but never too late.
    """
    if annotation.created_at is None:
        return None
    try:
        return annotation.created_at - timedelta(seconds=annotation.lead_time_s or 0.0)
    except OverflowError:
        return None


def _by_parent(
    annotation: SubmittedAnnotation, whole: Sequence[Review], predictions: Sequence[StoredPrediction]
) -> Review | None:
    parent = next((p for p in predictions if p.id == annotation.parent_prediction), None)
    if parent is None:
        return None
    same_rollout = [r for r in whole if r.provenance.rollout == parent.model_version]
    return _sharing_most(whole, parent.region_ids) or _by_time(annotation, same_rollout)


def _sharing_most(whole: Sequence[Review], region_ids: Collection[str]) -> Review | None:
    ids = frozenset(region_ids)
    shared = [sum(s.id in ids for s in review.suggestions) for review in whole]
    most = max(shared, default=0)
    return None if most == 0 else next(r for r, n in zip(reversed(whole), reversed(shared), strict=True) if n == most)


def _by_time(annotation: SubmittedAnnotation, whole: Sequence[Review]) -> Review | None:
    began = began_at(annotation)
    if began is None or annotation.created_at is None:
        return whole[-1] if whole else None
    before = [r for r in whole if r.created_at <= began]
    meanwhile = [r for r in whole if began < r.created_at <= annotation.created_at]
    return before[-1] if before else meanwhile[0] if meanwhile else None
