"""`/metrics` for machines and `/status` for people: what the backend is and how much waits."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, current_app, jsonify

from review_copilot import __version__
from review_copilot.bootstrap import Copilot
from review_copilot.web.auth import Authenticator
from review_copilot.web.metrics import Meter, log_lag_s
from review_copilot.web.webhook import COUNTS
from review_copilot.web.webhook_counts import WebhookCounts, WebhookOutcome


def status_routes(copilot: Copilot, authenticator: Authenticator, meter: Meter) -> Blueprint:
    """The two routes; both ask for name and password."""
    routes = Blueprint("status", __name__)

    @routes.get("/metrics")
    def metrics() -> Response:
        """Numbers in Prometheus' form."""
        authenticator.check_basic()
        return meter.page()

    @routes.get("/status")
    def status() -> Response:
        """What the backend is and how much waits."""
        authenticator.check_basic()
        return jsonify(
            version=__version__,
            label_studio=copilot.instance,
            token=copilot.has_token,
            guideline=copilot.guideline.id,
            inspector=copilot.inspector.name,
            model_version=copilot.context.model_version,
            projects=len(copilot.store.projects()),
            running=copilot.pool.running,
            queue=copilot.pool.waiting,
            backlog=copilot.store.pending_count(),
            inbox=len(copilot.store.waiting()),
            log_lag_s=round(log_lag_s(copilot), 1),
            webhooks={outcome.value: number for outcome, number in counts().items() if number},
        )

    def counts() -> Mapping[WebhookOutcome, int]:
        heard: WebhookCounts = current_app.extensions[COUNTS]
        return heard.snapshot()

    return routes
