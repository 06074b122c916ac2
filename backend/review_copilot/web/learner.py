"""Learn in the background what reviewed regions look like, for the next drafts. Knows when, not how."""

from __future__ import annotations

import logging
import threading
from contextlib import nullcontext
from datetime import datetime

from review_copilot.bootstrap import Copilot
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import CopilotError
from review_copilot.flows.lookbook import Learnt, learn

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
"""How often it asks whether a log has grown; `flows.lookbook.LEARN_AFTER` says how often it then learns at most."""


class Learner:
    """One thread that keeps lookbooks up to date."""

    def __init__(self, copilot: Copilot) -> None:
        self._copilot = copilot
        self._stopping = threading.Event()
        self._learnt: dict[ProjectKey, datetime | None] = {}
        self._thread = threading.Thread(target=self._run, name="learner", daemon=True)

    def start(self) -> None:
        """Begin to learn."""
        self._thread.start()

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """Ask the thread to end, and wait for it."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                turns = self._copilot.shared.turns
                with turns.turn("learn", wait_s=0.0) if turns else nullcontext(enter_result=True) as ours:
                    if ours:
                        self.learn_all()
            except CopilotError as error:
                log.warning("learning put off: %s", error)
            except Exception:
                log.exception("learning failed: unexpected error")
            self._stopping.wait(LOOK_EVERY_S)

    def learn_all(self) -> None:
        """Make the lookbooks anew of all projects whose log has grown."""
        copilot = self._copilot
        for project in copilot.store.projects():
            swept_to = copilot.store.bookmark(project)
            if self._stopping.is_set() or (swept_to is not None and self._learnt.get(project) == swept_to):
                continue
            if learn(project, learning=copilot.learning, opener=copilot.opener_of(project)) is not Learnt.TOO_SOON:
                self._learnt[project] = swept_to
