"""`/metrics` for machines and `/status` for people: what the backend is and how much waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, current_app, jsonify

from review_copilot import __version__
from review_copilot.concurrency.priority_pool import PriorityPool
from review_copilot.domain.review import Review
from review_copilot.flows.review_context import SetupOf
from review_copilot.ports import Clock, Store
from review_copilot.web.auth import Authenticator
from review_copilot.web.metrics import Meter, log_lag_s
from review_copilot.web.token_watch import TOKEN_WATCH
from review_copilot.web.webhook import COUNTS
from review_copilot.web.webhook_counts import WebhookCounts, WebhookOutcome


@dataclass(frozen=True)
class StatusSource:
    """What `/status` reads.

    Attributes:
        instance: Name of the Label Studio in the log.
        token: Whether there is a token to read it with.
        setup_of: Gives the setup of the settings.
        store: The database.
        pool: Does the work of requests.
        clock: Tells the time.
    """

    instance: str
    token: bool
    setup_of: SetupOf
    store: Store
    pool: PriorityPool[Review]
    clock: Clock


def status_routes(source: StatusSource, authenticator: Authenticator, meter: Meter) -> Blueprint:
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
        setup, store = source.setup_of(), source.store
        return jsonify(
            version=__version__,
            label_studio=source.instance,
            token=source.token,
            token_state=current_app.extensions[TOKEN_WATCH].state.value,
            guideline=setup.guideline.id,
            inspector=setup.inspector.name,
            model_version=setup.model_version,
            projects=len(store.projects()),
            running=source.pool.running,
            queue=source.pool.waiting,
            backlog=store.pending_count(),
            inbox=len(store.waiting()),
            log_lag_s=round(log_lag_s(store, clock=source.clock), 1),
            webhooks={outcome.value: number for outcome, number in counts().items() if number},
        )

    def counts() -> Mapping[WebhookOutcome, int]:
        heard: WebhookCounts = current_app.extensions[COUNTS]
        return heard.snapshot()

    return routes
