"""Build the parts of the ML backend that `serve` adds to a process, such as the pool and the draft service."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.bootstrap.parts import images_at_once
from review_copilot.bootstrap.process import Process
from review_copilot.bootstrap.setups import SetupResolver
from review_copilot.concurrency.priority_pool import PriorityPool
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey, Review
from review_copilot.flows.learn_from_reviews import Learning, SimilarReviewNotes
from review_copilot.flows.predict import DraftService, Watchers
from review_copilot.labelstudio.webhook_bodies import WebhookBodies
from review_copilot.ports import BodyReader


@dataclass(frozen=True)
class BackendParts:
    """The parts from which `web.create_app` and `web.server` build the HTTP server and its threads.

    Attributes:
        process: The parts that all commands share.
        pool: Runs the work of all requests of this process.
        service: Drafts on request.
        watchers: Called with each review that a request produces.
        learning: The parts that update the reviewed crops.
        bodies: Reads webhook bodies if there is no token.
    """

    process: Process
    pool: PriorityPool[Review]
    service: DraftService
    watchers: Watchers
    learning: Learning
    bodies: BodyReader


def build_backend(process: Process) -> BackendParts:
    """Build the backend. Starts no thread and makes no request."""
    settings = process.settings
    pool: PriorityPool[Review] = PriorityPool(concurrency=images_at_once(settings))
    watchers: Watchers = []

    def guideline_of(project: ProjectKey) -> Guideline:
        return process.setup_of(project).guideline

    service = DraftService(
        setup_of=process.setup_of,
        store=process.store,
        pool=pool,
        deadline_s=settings.predict_deadline_s,
        delivers=process.label_studio is not None,
        lease_s=settings.lease_s,
        watchers=watchers,
        remind=SimilarReviewNotes(process.store),
        context_of=process.setup_of.of_rollout if isinstance(process.setup_of, SetupResolver) else None,
    )
    learning = Learning(store=process.store, guideline_of=guideline_of, images=process.images, clock=process.clock)
    bodies = WebhookBodies(guideline_of=guideline_of)
    return BackendParts(process, pool, service, watchers, learning, bodies)
