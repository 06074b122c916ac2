"""A background thread that runs a job repeatedly. Knows no job."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

from review_copilot.errors import CopilotError

log = logging.getLogger(__name__)


class Background(ABC):
    """One thread that works until it is stopped. A turn that fails is logged, and the next turn follows later."""

    name: str
    """Name of the job in log messages."""
    look_every_s: float
    """Seconds to wait after a turn that found nothing more to do."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    @abstractmethod
    def take_turn(self) -> bool:
        """Work for a while, and return whether there is more to do now."""

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """Ask the thread to end, and wait until it does."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self.stopping:
            more = False
            try:
                more = self.take_turn()
            except CopilotError as error:
                log.warning("background job %r is postponed: %s", self.name, error)
            except Exception:
                log.exception("background job %r failed: unexpected error", self.name)
            if not more:
                self._stopping.wait(self.look_every_s)
