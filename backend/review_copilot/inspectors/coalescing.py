"""Look at the same image only once at a time, however many tasks and requests name it. Knows no inspector."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.errors import RequestAbandoned
from review_copilot.ports import Inspector


@dataclass(frozen=True)
class CoalescingInspector:
    """An inspector that shares an answer among all who ask the same while it is being found.

    Nothing is kept afterwards: drafts are in the store, and replies of models in their own cache.

    Attributes:
        inspector: Who really looks.
    """

    inspector: Inspector
    _running: dict[Hashable, Future[Inspection]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def name(self) -> str:
        """The name of who really looks."""
        return self.inspector.name

    @property
    def version(self) -> str:
        """The version of who really looks."""
        return self.inspector.version

    def catalogue(self) -> Sequence[Measure]:
        """The measures of who really looks."""
        return self.inspector.catalogue()

    def inspect(self, brief: Brief) -> Inspection:
        """See `ports.Inspector`; waits for the answer where the same is being asked."""
        key = _same_question(brief)
        while True:
            with self._lock:
                running = self._running.get(key)
                if running is None:
                    ours = self._running[key] = Future[Inspection]()
                    break
            try:
                return running.result()
            except RequestAbandoned:  # who asked first has gone; we have not
                continue
        try:
            inspection = self.inspector.inspect(brief)
        except BaseException as error:
            self._forget(key)
            ours.set_exception(error)
            raise
        self._forget(key)
        ours.set_result(inspection)
        return inspection

    def _forget(self, key: Hashable) -> None:
        with self._lock:
            del self._running[key]


def _same_question(brief: Brief) -> Hashable:
    """Everything in a brief that may change the answer, but the time allowed."""
    return (
        brief.image.sha256,
        brief.reference and brief.reference.sha256,
        brief.guideline.revision,
        brief.prompt,
        brief.box,
        tuple(sorted(brief.task_data.items())),
    )
