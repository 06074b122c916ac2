"""Create the engine of a bulk run: the threads of this process, or the workers of a Ray cluster."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from review_copilot.bootstrap.parts import images_at_once
from review_copilot.bootstrap.workers import worker_context
from review_copilot.engines.ray_cluster import Cluster, RayEngine
from review_copilot.engines.thread_engine import ThreadEngine
from review_copilot.flows.review_context import ReviewContext
from review_copilot.ports import Engine
from review_copilot.settings import Settings


def thread_engine(settings: Settings, context: ReviewContext) -> Engine:
    """An engine that distributes a bulk run over the threads of this process."""
    return ThreadEngine(context, concurrency=images_at_once(settings))


def ray_engine(settings: Settings, context: ReviewContext, *, cluster: Cluster) -> Engine:
    """An engine that distributes a bulk run over a Ray cluster.

    Args:
        settings: Concurrency, limit, and budget, also for the workers.
        context: The project's review context. The workers' must have the same draft version.
        cluster: The cluster's address and the number of workers.
    """
    most = settings.model_concurrency or cluster.workers * settings.concurrency
    sized = replace(
        cluster, concurrency=images_at_once(settings), most_at_once=most, budget_usd=settings.model_budget_usd
    )
    theirs = settings
    if settings.model_cache is not None:  # a worker has its own working directory
        theirs = settings.model_copy(update={"model_cache": settings.model_cache.absolute()})
    return RayEngine(context, make_context=partial(worker_context, theirs), cluster=sized)
