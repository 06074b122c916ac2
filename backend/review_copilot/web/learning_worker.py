"""Learn in the background what reviewed regions look like, for the next drafts. Knows when, not how."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime

from review_copilot.bootstrap import Copilot
from review_copilot.domain.review import ProjectKey
from review_copilot.flows.learn_from_reviews import LearnOutcome, learn
from review_copilot.web.background import Background


class LearningWorker(Background):
    """Keeps the features of reviewed crops up to date."""

    name = "learning"
    look_every_s = 60.0
    """How often it checks whether a log has grown; `learn_from_reviews.LEARN_AFTER` limits how often it learns."""

    def __init__(self, copilot: Copilot) -> None:
        super().__init__()
        self._copilot = copilot
        self._learnt: dict[ProjectKey, datetime | None] = {}

    def take_turn(self) -> bool:
        """Learn, unless another backend on the same database does."""
        named_locks = self._copilot.shared.named_locks
        with named_locks.turn("learn", wait_s=0.0) if named_locks else nullcontext(enter_result=True) as ours:
            if ours:
                self.learn_all()
        return False

    def learn_all(self) -> None:
        """Learn anew from all projects whose log has grown."""
        copilot = self._copilot
        for project in copilot.store.projects():
            swept_to = copilot.store.bookmark(project)
            if self.stopping or (swept_to is not None and self._learnt.get(project) == swept_to):
                continue
            if (
                learn(project, learning=copilot.learning, opener=copilot.opener_of(project))
                is not LearnOutcome.TOO_SOON
            ):
                self._learnt[project] = swept_to
