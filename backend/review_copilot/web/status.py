"""`/metrics` for monitoring and `/status` for people: the state of the backend and its waiting work."""

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
    """The parts that `/status` reads.

    Attributes:
        instance: Name of the Label Studio in the log.
        token: Whether a Label Studio token is set.
        setup_of: Gives the setup of the settings.
        store: The database.
        pool: Runs the work of requests.
        clock: Gives the current time.
    """

    instance: str
    token: bool
    setup_of: SetupOf
    store: Store
    pool: PriorityPool[Review]
    clock: Clock


def status_routes(source: StatusSource, authenticator: Authenticator, meter: Meter) -> Blueprint:
    """Create the two routes; both require username and password."""
    routes = Blueprint("status", __name__)

    @routes.get("/metrics")
    def metrics() -> Response:
        """Return the metrics in the Prometheus text format."""
        authenticator.check_basic()
        return meter.page()

    @routes.get("/status")
    def status() -> Response:
        """Return the state of the backend and its waiting work. `backlog` is the number of pending drafts."""
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
        received: WebhookCounts = current_app.extensions[COUNTS]
        return received.snapshot()

    return routes
