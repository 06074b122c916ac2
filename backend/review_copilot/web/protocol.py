"""The ML-backend protocol as Label Studio 1.23.2 speaks it: `/health`, `/setup`, `/predict`, `/versions`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, jsonify, request

from review_copilot.bootstrap import Copilot
from review_copilot.domain.review import Exposure, Review, ReviewTask
from review_copilot.errors import BadRequest, CopilotError
from review_copilot.flows.predict import answer_in_time, review_box
from review_copilot.labelstudio.mapping import LabelMap, read_label_config
from review_copilot.labelstudio.payloads import PredictRequest, read_predict, read_setup
from review_copilot.labelstudio.regions import to_interactive, to_prediction
from review_copilot.labelstudio.tasks import read_task
from review_copilot.web.auth import Doorkeeper
from review_copilot.web.caller import hung_up

log = logging.getLogger(__name__)


def protocol_routes(copilot: Copilot, doorkeeper: Doorkeeper) -> Blueprint:
    """The four routes."""
    routes = Blueprint("protocol", __name__)

    @lru_cache(maxsize=64)
    def labels_of(label_config: str) -> LabelMap:
        return read_label_config(label_config, copilot.guideline)

    @routes.get("/")
    @routes.get("/health")
    def health() -> Response:
        """Alive. Open to everybody, so it says nothing else; touches no model and no database."""
        return jsonify(status="UP")

    @routes.post("/setup")
    def setup() -> Response:
        """Which version would be drafted for this project. Label Studio waits 3 s; no model is touched."""
        doorkeeper.check_basic()
        asked = read_setup(_body(), instance=copilot.instance)
        return jsonify(model_version=copilot.rollout(asked.project))

    @routes.get("/versions")
    def versions() -> Response:
        """Versions that Label Studio's settings page may offer."""
        doorkeeper.check_basic()
        return jsonify(versions=[copilot.desk.model_version])

    @routes.post("/predict")
    def predict() -> Response:
        """N tasks in, N results out, in order; a task that fails gives an empty list and costs the others nothing."""
        doorkeeper.check_basic()
        asked = read_predict(_body(), instance=copilot.instance)
        labels = labels_of(asked.label_config)
        if asked.interactive:
            return jsonify(results=[_interactive(asked, labels=labels)])
        rollout = copilot.rollout(asked.project)
        tasks = [_readable(raw, asked=asked, labels=labels) for raw in asked.tasks]
        found = [task for task in tasks if task is not None]
        reviews = answer_in_time(found, counter=copilot.counter, rollout=rollout)
        return jsonify(results=[_result(reviews.get(task.key.task_id) if task else None, labels) for task in tasks])

    def _interactive(asked: PredictRequest, *, labels: LabelMap) -> Mapping[str, Any]:
        """The answer to a box drawn with the Magic tool: regions only, and a dict even for "nothing"."""
        task = _readable(asked.tasks[0], asked=asked, labels=labels) if asked.tasks else None
        if task is None or asked.drawn is None:
            return {"result": []}
        review = review_box(
            task,
            counter=copilot.counter,
            rollout=copilot.rollout(asked.project),
            box=asked.drawn,
            gone=hung_up(request),
        )
        if review is None:
            return {"result": []}
        return to_interactive(review, labels).payload

    return routes


def _body() -> object:
    body: object = request.get_json(silent=True)
    if body is None:
        raise BadRequest("The body is no JSON.", hint="Only Label Studio's own requests belong here.")
    return body


def _readable(raw: Mapping[str, Any], *, asked: PredictRequest, labels: LabelMap) -> ReviewTask | None:
    try:
        return read_task(raw, project=asked.project, labels=labels)
    except CopilotError as error:
        log.warning("task %s has no draft: %s", raw.get("id"), error)
        return None


def _result(review: Review | None, labels: LabelMap) -> object:
    """A prediction; the empty list, which stores nothing and keeps the count right, where there is none."""
    if review is None or review.exposure is not Exposure.SHOWN:
        return []
    drafted = to_prediction(review, labels)
    for dropped in drafted.dropped:
        log.warning("task %d: %s left out: %s", review.key.task_id, dropped.what, dropped.reason)
    return drafted.payload
