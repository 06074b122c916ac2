"""The parts of the ML backend that `serve` adds to a process: one pool, and the service that drafts on request."""

from __future__ import annotations

from dataclasses import dataclass, field

from review_copilot.bootstrap.parts import images_at_once, webhook_secret_of
from review_copilot.bootstrap.process import Process
from review_copilot.concurrency.priority_pool import PriorityPool
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey, Review
from review_copilot.flows.learn_from_reviews import Learning, SimilarReviewNotes
from review_copilot.flows.predict import DraftService, Watchers
from review_copilot.labelstudio.webhook_bodies import WebhookBodies
from review_copilot.ports import BodyReader


@dataclass(frozen=True)
class BackendParts:
    """Everything that the HTTP side and its threads are put together from, by `web.create_app` and `web.server`.

    Attributes:
        process: What commands share.
        pool: Does what Label Studio's requests ask for, all requests of this process together.
        service: Drafts on request.
        watchers: Called with each review that a request produces.
        learning: Learns what reviewed regions look like.
        bodies: Reads webhook bodies where there is no token.
        webhook_secret: What the header of a webhook must say.
    """

    process: Process
    pool: PriorityPool[Review]
    service: DraftService
    watchers: Watchers
    learning: Learning
    bodies: BodyReader
    webhook_secret: str = field(repr=False)


def build_backend(process: Process) -> BackendParts:
    """Put the backend together; starts no thread and makes no request."""
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
    )
    learning = Learning(store=process.store, guideline_of=guideline_of, images=process.images, clock=process.clock)
    bodies = WebhookBodies(guideline_of=guideline_of)
    return BackendParts(process, pool, service, watchers, learning, bodies, webhook_secret_of(settings))
