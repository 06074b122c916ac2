"""Store drafts and the predictions that show them. Knows no submission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from review_copilot.domain.review import Exposure, ProjectKey, Provenance, Review, TaskKey
from review_copilot.domain.task_image import Picture
from review_copilot.ports import StoredPrediction
from review_copilot.store import codec, draft_facts, schema
from review_copilot.store.row_keys import ensure_project, find_project, insert_new, project_from_row

_REVIEW = schema.reviews.c
_PREDICTION = schema.predictions.c
_NO_DRAFT = (Exposure.FAILED.value, Exposure.NOT_READY.value)

MOST_PARAMETERS = 10_000
"""Ids per statement; both databases allow at least 32 000."""


def remember(connection: sa.Connection, reviews: Sequence[Review]) -> None:
    """See `ports.ReviewStore.remember`."""
    refs = {project: ensure_project(connection, project) for project in {r.key.project for r in reviews}}
    rows = [
        {
            "project_ref": refs[review.key.project],
            "task_id": review.key.task_id,
            "review_id": review.id,
            "rollout": review.provenance.rollout,
            "exposure": review.exposure.value,
            "for_box": review.box is not None,
            "created_at": review.created_at,
            "payload": codec.review_to_json(review),
        }
        for review in reviews
    ]
    insert_new(connection, schema.reviews, rows)
    draft_facts.note(connection, reviews)
    looked_at = [
        {
            "project_ref": refs[review.key.project],
            "task_id": review.key.task_id,
            "sha256": review.image_sha256,
            "fingerprint": review.image_fingerprint,
        }
        for review in reviews
        if review.image_sha256 and review.box is None
    ]
    insert_new(connection, schema.pictures, looked_at)


def pictures(connection: sa.Connection, project: ProjectKey) -> Sequence[Picture]:
    """See `ports.ReviewStore.pictures`."""
    table = schema.pictures.c
    query = (
        sa.select(table.task_id, table.sha256, table.fingerprint)
        .where(table.project_ref == find_project(connection, project))
        .order_by(table.id)
    )
    return tuple(Picture(*row) for row in connection.execute(query))


def recall(connection: sa.Connection, key: TaskKey) -> Sequence[Review]:
    """See `ports.ReviewStore.recall`."""
    query = (
        sa.select(_REVIEW.payload)
        .where(_REVIEW.project_ref == find_project(connection, key.project), _REVIEW.task_id == key.task_id)
        .order_by(_REVIEW.created_at, _REVIEW.id)
    )
    return tuple(codec.review_from_json(payload) for payload in connection.scalars(query))


def newest(connection: sa.Connection) -> int:
    """See `ports.ReviewStore.newest_review`; one index lookup, regardless of the number of reviews."""
    return connection.scalar(sa.select(sa.func.max(schema.reviews.c.id))) or 0


def projects(connection: sa.Connection) -> Sequence[ProjectKey]:
    """See `ports.ReviewStore.projects`."""
    return tuple(
        project_from_row(dict(row))
        for row in connection.execute(sa.select(schema.projects).order_by(schema.projects.c.id)).mappings()
    )


def drafted(
    connection: sa.Connection, project: ProjectKey, *, rollout: str, task_ids: Sequence[int] | None
) -> Mapping[int, Review]:
    """See `ports.ReviewStore.drafted`."""
    if task_ids is not None and len(task_ids) > MOST_PARAMETERS:
        halves = task_ids[:MOST_PARAMETERS], task_ids[MOST_PARAMETERS:]
        return {
            task_id: review
            for half in halves
            for task_id, review in drafted(connection, project, rollout=rollout, task_ids=half).items()
        }
    query = (
        sa.select(_REVIEW.payload)
        .where(
            _REVIEW.project_ref == find_project(connection, project),
            _REVIEW.rollout == rollout,
            _REVIEW.exposure.not_in(_NO_DRAFT),
            sa.not_(_REVIEW.for_box),
            *([] if task_ids is None else [_REVIEW.task_id.in_(task_ids)]),
        )
        .order_by(_REVIEW.created_at, _REVIEW.id)
    )
    reviews = (codec.review_from_json(payload) for payload in connection.scalars(query))
    return {review.key.task_id: review for review in reviews}


def failed(connection: sa.Connection, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]) -> frozenset[int]:
    """See `ports.ReviewStore.failed`."""
    query = sa.select(_REVIEW.task_id, _REVIEW.exposure).where(
        _REVIEW.project_ref == find_project(connection, project),
        _REVIEW.rollout == rollout,
        sa.not_(_REVIEW.for_box),
        _REVIEW.task_id.in_(task_ids),
    )
    rows = connection.execute(query.distinct()).all()
    made = {task_id for task_id, exposure in rows if exposure not in _NO_DRAFT}
    return frozenset(task_id for task_id, exposure in rows if exposure == Exposure.FAILED.value) - made


def remember_predictions(
    connection: sa.Connection, project: ProjectKey, predictions: Iterable[StoredPrediction]
) -> None:
    """See `ports.ReviewStore.remember_predictions`."""
    ref = ensure_project(connection, project)
    rows = [
        {
            "project_ref": ref,
            "prediction_id": prediction.id,
            "task_id": prediction.task_id,
            "model_version": prediction.model_version,
            "region_ids": list(prediction.region_ids),
        }
        for prediction in predictions
    ]
    insert_new(connection, schema.predictions, rows)


def predictions_of(connection: sa.Connection, key: TaskKey) -> Sequence[StoredPrediction]:
    """See `ports.ReviewStore.predictions_of`."""
    query = (
        sa.select(schema.predictions)
        .where(_PREDICTION.project_ref == find_project(connection, key.project), _PREDICTION.task_id == key.task_id)
        .order_by(_PREDICTION.prediction_id)
    )
    return tuple(
        StoredPrediction(
            id=row["prediction_id"],
            task_id=row["task_id"],
            model_version=row["model_version"],
            region_ids=tuple(row["region_ids"]),
        )
        for row in connection.execute(query).mappings()
    )


def provenance_of(connection: sa.Connection, review_ids: Sequence[str]) -> dict[str, Provenance]:
    """Review id to provenance, for known reviews."""
    if not review_ids:
        return {}
    found = connection.execute(sa.select(_REVIEW.review_id, _REVIEW.payload).where(_REVIEW.review_id.in_(review_ids)))
    return {review_id: codec.review_from_json(payload).provenance for review_id, payload in found}
