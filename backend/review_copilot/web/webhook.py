"""Label Studio's webhooks: a wake-up call that is stored and answered. Comparing is the sweep's job."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Blueprint, Response, current_app, jsonify, request

from review_copilot.bootstrap import Copilot
from review_copilot.errors import BadRequest
from review_copilot.labelstudio.payloads import read_webhook
from review_copilot.ports import Wake
from review_copilot.web.auth import Doorkeeper

log = logging.getLogger(__name__)

WAKING = frozenset(
    {"ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "TASKS_DELETED"}
)
"""Actions after which the log may have to change; all others are answered and let go of."""


def webhook_routes(copilot: Copilot, doorkeeper: Doorkeeper) -> Blueprint:
    """The one route."""
    routes = Blueprint("webhook", __name__)

    @routes.post("/webhook")
    def webhook() -> tuple[Response, int]:
        """Store which tasks something happened to, and answer. Label Studio waits one second and never asks again."""
        doorkeeper.check_webhook()
        body = request.get_json(silent=True)
        if body is None:
            raise BadRequest("The body is no JSON.", hint="Only Label Studio's webhooks belong here.")
        event = read_webhook(body)
        if event.action not in WAKING:
            return jsonify(status="ignored", action=event.action), HTTPStatus.OK
        wake_id = copilot.store.put(
            Wake(
                id=0,
                instance=copilot.instance,
                project_id=event.project_id,
                task_ids=event.task_ids,
                action=event.action,
                body="" if copilot.has_token else request.get_data(as_text=True),
            )
        )
        if woken := current_app.extensions.get("review_copilot.woken"):
            woken.set()
        return jsonify(status="queued", id=wake_id), HTTPStatus.OK

    return routes
