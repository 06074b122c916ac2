"""Count and time the work of the backend, in the Prometheus format. Knows no route's meaning.

Counters, and the gauge of webhooks, cover this process. Gauges that read the database (`backlog`, which is the number
of pending drafts, `inbox`, `log_lag_seconds`, `newest_review`) are the same in every process.
"""

from __future__ import annotations

import time
import uuid
from functools import partial

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from review_copilot.concurrency.priority_pool import PriorityPool
from review_copilot.domain.request_context import REQUEST_ID
from review_copilot.domain.review import Review
from review_copilot.ports import Clock, Inbox, Store
from review_copilot.web.token_watch import TokenState, TokenWatch
from review_copilot.web.webhook_counts import WebhookCounts, WebhookOutcome

REQUEST_ID_HEADER = "X-Request-Id"
SECONDS = (0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 85, 100)
"""Histogram buckets. They separate a Magic answer (1 s), the deadline (85 s), and Label Studio's timeout (100 s)."""


class Meter:
    """The metrics of one application."""

    def __init__(self, *, store: Store, pool: PriorityPool[Review], clock: Clock) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "review_copilot_requests", "Requests by route and status.", ["route", "status"], registry=self._registry
        )
        self._latency = Histogram(
            "review_copilot_request_seconds", "Response time in seconds.", ["route"],
            buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self._reviews = Counter(
            "review_copilot_reviews", "Reviews by what the reviewer saw.", ["exposure"], registry=self._registry
        )
        self._failures = Counter(
            "review_copilot_failures", "Tasks without a draft, by kind of error.", ["kind"], registry=self._registry
        )
        self._review_seconds = Histogram(
            "review_copilot_review_seconds", "Time to fetch and inspect an image, in seconds.", buckets=SECONDS,
            registry=self._registry,
        )  # fmt: skip
        self._tokens = Counter("review_copilot_tokens", "Tokens of model calls.", ["kind"], registry=self._registry)
        self._cost = Counter("review_copilot_cost_usd", "Cost of model calls in US dollars.", registry=self._registry)
        self._cache_hits = Counter("review_copilot_cache_hits", "Replies read from the cache.", registry=self._registry)
        self._gauge("queue", "Tasks waiting for a slot.", lambda: pool.waiting)
        self._gauge("running", "Tasks being inspected now.", lambda: pool.running)
        self._gauge(
            "backlog",
            "Pending drafts: requested, and not in Label Studio yet.",
            lambda: float(store.pending_count()),
        )
        self._gauge(
            "log_lag_seconds",
            "Age of the oldest webhook that is not processed yet, in seconds.",
            partial(log_lag_s, store, clock=clock),
        )
        self._gauge(
            "newest_review",
            "Number of the newest review in the database. Its rate is the rate of all drafts, including bulk runs.",
            store.newest_review,
        )
        self._gauge("inbox", "Webhooks that are not processed yet, up to 1000.", lambda: len(store.waiting()))

    def _gauge(self, name: str, about: str, read: object) -> None:
        Gauge(f"review_copilot_{name}", about, registry=self._registry).set_function(read)  # type: ignore[arg-type]  # float or int

    def reviewed(self, review: Review) -> None:
        """Count a finished review."""
        self._reviews.labels(review.exposure.value).inc()
        self._review_seconds.observe(review.elapsed_s)
        if review.error:
            self._failures.labels(review.error_kind or "unknown").inc()
        if (usage := review.usage) is not None:
            for kind in ("prompt", "cached", "completion"):
                self._tokens.labels(kind).inc(getattr(usage, f"{kind}_tokens"))
            self._cost.inc(usage.cost_usd)
            self._cache_hits.inc(usage.cache_hit)

    def show_webhooks(self, counts: WebhookCounts) -> None:
        """Show webhooks by outcome."""
        gauge = Gauge("review_copilot_webhooks", "Webhooks by outcome.", ["outcome"], registry=self._registry)
        for outcome in WebhookOutcome:
            gauge.labels(outcome.value).set_function(partial(_count, counts, outcome))

    def show_token(self, watch: TokenWatch) -> None:
        """Show whether Label Studio rejects the token."""
        self._gauge(
            "token_rejected",
            "1 if Label Studio rejects the token, so that the log is not updated; otherwise 0.",
            lambda: float(watch.state is TokenState.REJECTED),
        )

    def watch(self, app: Flask) -> None:
        """Count and time every request, and give each an id: the caller's, or a new one."""

        @app.before_request
        def begin() -> None:
            g.began = time.perf_counter()
            REQUEST_ID.set(request.headers.get(REQUEST_ID_HEADER, "")[:64] or uuid.uuid4().hex[:12])

        @app.after_request
        def end(response: Response) -> Response:
            route = request.url_rule.rule if request.url_rule else "unknown"
            self._requests.labels(route, str(response.status_code)).inc()
            self._latency.labels(route).observe(time.perf_counter() - g.began)
            response.headers[REQUEST_ID_HEADER] = REQUEST_ID.get()
            return response

    def page(self) -> Response:
        """All metrics in the Prometheus text format."""
        return Response(generate_latest(self._registry), content_type=CONTENT_TYPE_LATEST)


def log_lag_s(inbox: Inbox, *, clock: Clock) -> float:
    """Age of the oldest webhook that is not processed yet, in seconds; 0 if there is none."""
    since = inbox.waiting_since()
    return max(0.0, (clock.now() - since).total_seconds()) if since else 0.0


def _count(counts: WebhookCounts, outcome: WebhookOutcome) -> float:
    return counts.snapshot()[outcome]
