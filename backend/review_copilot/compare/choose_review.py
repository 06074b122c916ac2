"""Find the review that an annotation has to be compared with. Knows no region but its id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from review_copilot.domain.override import SubmittedAnnotation
from review_copilot.domain.review import Review
from review_copilot.ports import StoredPrediction


def choose_review(
    annotation: SubmittedAnnotation, reviews: Sequence[Review], predictions: Sequence[StoredPrediction]
) -> Review | None:
    """The whole-image review that the reviewer worked from; None when there was none.

    Asked in this order, so that several versions on one task stay apart:

    1. The prediction that the annotation says it began from (`parent_prediction`), by the region ids that Label Studio
       holds under it, else by its roll-out.
    2. The review that shares most region ids with the annotation; the newest where several share as many.
    3. The newest review made before the annotation began. Where all were made later, the oldest that was there when the
       annotation was first submitted. An annotation older than every review was made without any.

    Args:
        annotation: What was submitted.
        reviews: All reviews of the task, in any order. Those for a Magic box are left aside.
        predictions: What Label Studio holds for the task, as far as it was read back.
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
    """When work on the annotation began: first submission less lead time; None when the file says neither.

    Label Studio adds the time of later edits to the lead time, so that the answer may lie too early for an edited
    annotation, never too late.
    """
    if annotation.created_at is None:
        return None
    return annotation.created_at - timedelta(seconds=annotation.lead_time_s or 0.0)


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
