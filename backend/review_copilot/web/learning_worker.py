"""Update the features of reviewed crops in the background, for the next drafts. Knows when, not how."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime

from review_copilot.domain.review import ProjectKey
from review_copilot.flows.learn_from_reviews import Learning, LearnOutcome, learn
from review_copilot.ports import NamedLocks, WorkspaceOpener
from review_copilot.web.background import Background


class LearningWorker(Background):
    """Keeps the features of reviewed crops up to date."""

    name = "learning"
    look_every_s = 60.0
    """How often it checks whether a log has grown; `learn_from_reviews.LEARN_AFTER` limits how often it learns."""

    def __init__(
        self,
        learning: Learning,
        *,
        opener_of: Callable[[ProjectKey], WorkspaceOpener | None],
        locks: NamedLocks | None = None,
    ) -> None:
        """Store the parts; `start` begins the work.

        Args:
            learning: The parts that learning needs.
            opener_of: Opens a project to read crops; None if its Label Studio is not available.
            locks: Allow one backend at a time to learn; None if this is the only backend.
        """
        super().__init__()
        self._learning = learning
        self._opener_of = opener_of
        self._locks = locks
        self._learned: dict[ProjectKey, datetime | None] = {}

    def take_turn(self) -> bool:
        """Learn, unless another backend with the same database is learning."""
        with self._locks.turn("learn", wait_s=0.0) if self._locks else nullcontext(enter_result=True) as ours:
            if ours:
                self.learn_all()
        return False

    def learn_all(self) -> None:
        """Learn again from each project whose log has grown."""
        store = self._learning.store
        for project in store.projects():
            swept_to = store.bookmark(project)
            if self.stopping or (swept_to is not None and self._learned.get(project) == swept_to):
                continue
            outcome = learn(project, learning=self._learning, opener=self._opener_of(project))
            if outcome is not LearnOutcome.TOO_SOON:
                self._learned[project] = swept_to
