"""Finish in the background what requests were not given in time. Knows when, not how."""

from __future__ import annotations

import logging
import threading

from review_copilot.bootstrap import Copilot
from review_copilot.errors import CopilotError
from review_copilot.flows.backlog import work_off

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
"""How often the backlog is looked at; one indexed read."""


class Finisher:
    """One thread that works the backlog off."""

    def __init__(self, copilot: Copilot) -> None:
        self._copilot = copilot
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="finisher", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """Ask the thread to end, and wait for it; what it holds is taken up by the next one."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            claimed = 0
            try:
                report = work_off(self._copilot.counter, opener=self._copilot.opener)
                claimed = report.claimed
                if report.sent or report.deleted:
                    log.info(
                        "backlog: %d drafted, %d delivered, %d doubles deleted, %d settled",
                        report.drafted, report.sent, report.deleted, report.settled,
                    )  # fmt: skip
            except CopilotError as error:
                log.warning("backlog put off: %s", error)
            except Exception:
                log.exception("backlog failed: unexpected error")
            if not claimed:
                self._stopping.wait(LOOK_EVERY_S)
