"""Keep what was suggested, and where Label Studio shows it. Knows no submission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from review_copilot.domain.review import Exposure, ProjectKey, Review, TaskKey
from review_copilot.ports import StoredPrediction
from review_copilot.store import codec, schema
from review_copilot.store.keys import ensure_project, find_project, insert_new

_REVIEW = schema.reviews.c
_PREDICTION = schema.predictions.c


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


def recall(connection: sa.Connection, key: TaskKey) -> Sequence[Review]:
    """See `ports.ReviewStore.recall`."""
    query = (
        sa.select(_REVIEW.payload)
        .where(_REVIEW.project_ref == find_project(connection, key.project), _REVIEW.task_id == key.task_id)
        .order_by(_REVIEW.created_at, _REVIEW.id)
    )
    return tuple(codec.review_from_json(payload) for payload in connection.scalars(query))


def drafted(connection: sa.Connection, project: ProjectKey, *, rollout: str) -> Mapping[int, Review]:
    """See `ports.ReviewStore.drafted`."""
    query = (
        sa.select(_REVIEW.payload)
        .where(
            _REVIEW.project_ref == find_project(connection, project),
            _REVIEW.rollout == rollout,
            _REVIEW.exposure != Exposure.FAILED.value,
            sa.not_(_REVIEW.for_box),
        )
        .order_by(_REVIEW.created_at, _REVIEW.id)
    )
    reviews = (codec.review_from_json(payload) for payload in connection.scalars(query))
    return {review.key.task_id: review for review in reviews}


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
