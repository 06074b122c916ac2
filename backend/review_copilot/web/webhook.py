"""Receive Label Studio's webhooks: store each one and answer. The sweep compares annotations later."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, Response, current_app, jsonify, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import BadRequest as HalfBody
from werkzeug.exceptions import RequestEntityTooLarge, Unauthorized

from review_copilot.errors import BadRequest, StoreError
from review_copilot.flows.sweep import TASKS_CREATED
from review_copilot.labelstudio.payloads import read_webhook
from review_copilot.ports import Inbox, WebhookNotice
from review_copilot.web.auth import Authenticator
from review_copilot.web.request_guard import decoded
from review_copilot.web.webhook_counts import WebhookCounts, WebhookOutcome

COUNTS = "review_copilot.webhook_counts"
"""Key of the application's `WebhookCounts` in `app.extensions`."""

WAKING = frozenset(
    {"ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "TASKS_DELETED"}
)
"""Actions that can change the log. New tasks are stored too, if there is a token to draft them. Others are ignored."""


MAX_BODY_BYTES = 64 * 1024 * 1024
"""Maximum body. Bulk actions send up to 5,000 objects in one body: about 20 MB for annotations with ten regions."""

_NOT_QUEUED: Mapping[type[Exception], WebhookOutcome] = {
    Unauthorized: WebhookOutcome.REFUSED,
    RequestEntityTooLarge: WebhookOutcome.TOO_LARGE,
    StoreError: WebhookOutcome.NOT_STORED,
    BadRequest: WebhookOutcome.UNREADABLE,
    HalfBody: WebhookOutcome.UNREADABLE,
}


def webhook_routes(inbox: Inbox, authenticator: Authenticator, *, instance: str, keep_bodies: bool) -> Blueprint:
    """Create the route `/webhook`. It counts in `app.extensions[COUNTS]`, a `WebhookCounts`.

    Args:
        inbox: Stores events.
        authenticator: Checks requests.
        instance: Name of the Label Studio in the log.
        keep_bodies: Whether bodies are stored, because there is no token to read Label Studio.
    """
    routes = Blueprint("webhook", __name__)
    counts = WebhookCounts()

    @routes.record_once
    def share_counts(state: BlueprintSetupState) -> None:
        state.app.extensions[COUNTS] = counts

    @routes.post("/webhook")
    def webhook() -> tuple[Response, int]:
        """Store which tasks changed, and answer. Label Studio waits one second and never sends a webhook again."""
        request.max_content_length = MAX_BODY_BYTES
        try:
            return take()
        except tuple(_NOT_QUEUED) as error:
            counts.count(next(outcome for kind, outcome in _NOT_QUEUED.items() if isinstance(error, kind)))
            raise

    def take() -> tuple[Response, int]:
        sender = authenticator.check_webhook()
        body = request.get_data()
        event = read_webhook(decoded(body))
        if event.action not in WAKING and (keep_bodies or event.action != TASKS_CREATED):
            counts.count(WebhookOutcome.IGNORED)
            return jsonify(status="ignored", action=event.action), HTTPStatus.OK
        project_id = authenticator.checked_project(sender, event.project_id)
        notice_id = inbox.put(
            WebhookNotice(
                id=0,
                instance=instance,
                project_id=project_id,
                task_ids=event.task_ids,
                action=event.action,
                body=body.decode() if keep_bodies else "",
            )
        )
        outcome = counts.record(event, body)
        if woken := current_app.extensions.get("review_copilot.woken"):
            woken.set()
        return jsonify(status="queued", id=notice_id, outcome=outcome.value), HTTPStatus.OK

    return routes
