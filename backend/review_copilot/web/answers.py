"""Answer a `/predict` request with its results. Knows no Flask."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from review_copilot.domain.review import Exposure, Review, ReviewTask
from review_copilot.errors import CopilotError
from review_copilot.flows.predict import DraftService, answer_in_time, review_box
from review_copilot.flows.review_context import rollout_of
from review_copilot.labelstudio.label_maps import LabelMaps
from review_copilot.labelstudio.mapping import LabelMap
from review_copilot.labelstudio.payloads import PredictRequest
from review_copilot.labelstudio.regions import to_interactive, to_prediction
from review_copilot.labelstudio.tasks import read_task

log = logging.getLogger(__name__)

Answerer: TypeAlias = Callable[[PredictRequest, Callable[[], bool]], list[object]]
"""Takes a request and a function that tells whether its caller disconnected; returns one result per task, in order."""


def answerer(service: DraftService) -> Answerer:
    """The function that answers requests with a draft service. It maps each label config once."""
    labels_of = LabelMaps(lambda project: service.setup_of(project).guideline)

    def answer(asked: PredictRequest, has_disconnected: Callable[[], bool]) -> list[object]:
        labels = labels_of(asked.project, asked.label_config)
        rollout = rollout_of(asked.project, store=service.store, setup_of=service.setup_of)
        if asked.interactive:
            return [
                _interactive(asked, service=service, rollout=rollout, labels=labels, has_disconnected=has_disconnected)
            ]
        tasks = [_readable(raw, asked=asked, labels=labels) for raw in asked.tasks]
        found = [task for task in tasks if task is not None]
        reviews = answer_in_time(found, service=service, rollout=rollout, gone=has_disconnected)
        return [_result(reviews.get(task.key.task_id) if task else None, labels) for task in tasks]

    return answer


def _interactive(
    asked: PredictRequest,
    *,
    service: DraftService,
    rollout: str,
    labels: LabelMap,
    has_disconnected: Callable[[], bool],
) -> Mapping[str, Any]:
    """The answer to a box drawn with the Magic tool: only regions, and a dict even if there are none."""
    task = _readable(asked.tasks[0], asked=asked, labels=labels) if asked.tasks else None
    if task is None or asked.drawn is None:
        return {"result": []}
    review = review_box(
        task.at_page(asked.page), service=service, rollout=rollout, box=asked.drawn, gone=has_disconnected
    )
    return {"result": []} if review is None else to_interactive(review, labels).payload


def _readable(raw: Mapping[str, Any], *, asked: PredictRequest, labels: LabelMap) -> ReviewTask | None:
    try:
        return read_task(raw, project=asked.project, labels=labels)
    except CopilotError as error:
        log.warning("task %s has no draft: %s", raw.get("id"), error)
        return None


def _result(review: Review | None, labels: LabelMap) -> object:
    """A prediction. Without one, the empty list: Label Studio stores nothing, and the number of results stays right."""
    if review is None or review.exposure is not Exposure.SHOWN:
        return []
    if not labels.holds_suggestions:
        log.warning("task %d has no draft: the label config has no label for any criterion", review.key.task_id)
        return []
    drafted = to_prediction(review, labels)
    for dropped in drafted.dropped:
        log.warning("task %d: %s is not in the draft: %s", review.key.task_id, dropped.what, dropped.reason)
    return drafted.payload
