"""Create single parts from the settings. Each function opens nothing else."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

from review_copilot.bootstrap.reviewing import most_at_once, reserved_slots
from review_copilot.domain.instance import Instance
from review_copilot.flows.webhook_secrets import ProjectWebhookSecrets, derived_secret
from review_copilot.labelstudio.connection import Backend
from review_copilot.labelstudio.transport import normalise_url
from review_copilot.ports import Clock, Shared
from review_copilot.settings import Settings
from review_copilot.store import SqlStore, SqlWebhookSecrets, shared_on


def instance_of(settings: Settings) -> Instance:
    """The configured Label Studio. Its name in the log is the setting, or its URL without credentials."""
    url = normalise_url(settings.label_studio_url)
    return Instance(settings.instance or url, browser_url=normalise_url(settings.label_studio_link or url))


def has_token(settings: Settings) -> bool:
    """Whether a Label Studio token is set."""
    return bool(settings.label_studio_token.get_secret_value())


def shared_limits(settings: Settings, *, store: SqlStore, clock: Clock, given: Shared) -> Shared:
    """The limits, budget, and locks that model calls share with other processes.

    Args:
        settings: The endpoint, its limits, and the budget.
        store: The database. On PostgreSQL, all backends share the parts that are not given.
        clock: Gives the day of a daily budget.
        given: Parts of the command: a worker's limits, or a run's own budget.
    """
    if not settings.database_is_shared:
        return given
    common = shared_on(
        store,
        endpoint=f"{settings.model_base_url}\0{settings.model}",
        account=hashlib.sha256(settings.model_api_key.get_secret_value().encode()).hexdigest()[:16],
        most=most_at_once(settings),
        reserved=reserved_slots(settings),
        budget_usd=settings.model_budget_usd,
        clock=clock,
    )
    # The database's circuit breaker is shared by more processes than that of a run, so it takes precedence.
    return replace(common, concurrency=given.concurrency or common.concurrency, budget=given.budget or common.budget)


def images_at_once(settings: Settings) -> int:
    """Maximum number of images in progress at the same time.

    While a remote model answers, the cores of this machine would be idle. So additional images, at most one per core,
    are fetched and prepared ahead.
    """
    elsewhere = settings.inspector == "openai" or (settings.inspector, settings.model_runs) == ("hybrid", "openai")
    return settings.concurrency + (min(os.cpu_count() or 1, settings.concurrency) if elsewhere else 0)


def webhook_secrets_of(settings: Settings, *, store: SqlStore, clock: Clock) -> ProjectWebhookSecrets:
    """The random webhook secrets of the configured Label Studio's projects."""
    return ProjectWebhookSecrets(
        SqlWebhookSecrets(store.database, clock=clock),
        instance_of(settings).name,
        derived_secret(settings.password.get_secret_value()),
    )


def backend_of(settings: Settings) -> Backend:
    """The backend as Label Studio reaches it."""
    url = settings.public_url or f"http://{settings.host}:{settings.port}"
    return Backend(
        url=url.rstrip("/"),
        username=settings.username,
        password=settings.password.get_secret_value(),
        webhook_secret=settings.webhook_secret.get_secret_value(),
    )
