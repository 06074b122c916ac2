"""A thread beside the server that takes one turn at a job after another. Knows no job."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

from review_copilot.errors import CopilotError

log = logging.getLogger(__name__)


class Background(ABC):
    """One thread that works until it is asked to stop; a turn that fails is logged, and the next one taken later."""

    name: str
    """What it is called in the log."""
    look_every_s: float
    """Seconds between two turns that found nothing to do."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    @abstractmethod
    def take_turn(self) -> bool:
        """Work for a while; says whether there is more to do at once."""

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """Ask the thread to end, and wait for it."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self.stopping:
            more = False
            try:
                more = self.take_turn()
            except CopilotError as error:
                log.warning("%s put off: %s", self.name, error)
            except Exception:
                log.exception("%s failed: unexpected error", self.name)
            if not more:
                self._stopping.wait(self.look_every_s)
