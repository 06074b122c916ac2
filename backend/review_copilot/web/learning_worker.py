"""Learn in the background what reviewed regions look like, for the next drafts. Knows when, not how."""

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
        """Learn nothing yet.

        Args:
            learning: What learning needs.
            opener_of: Opens a project, for crops; None where its Label Studio cannot be asked.
            locks: Let one backend learn at a time; None where this is the only one.
        """
        super().__init__()
        self._learning = learning
        self._opener_of = opener_of
        self._locks = locks
        self._learnt: dict[ProjectKey, datetime | None] = {}

    def take_turn(self) -> bool:
        """Learn, unless another backend on the same database does."""
        with self._locks.turn("learn", wait_s=0.0) if self._locks else nullcontext(enter_result=True) as ours:
            if ours:
                self.learn_all()
        return False

    def learn_all(self) -> None:
        """Learn again from all projects whose log has grown."""
        store = self._learning.store
        for project in store.projects():
            swept_to = store.bookmark(project)
            if self.stopping or (swept_to is not None and self._learnt.get(project) == swept_to):
                continue
            outcome = learn(project, learning=self._learning, opener=self._opener_of(project))
            if outcome is not LearnOutcome.TOO_SOON:
                self._learnt[project] = swept_to
