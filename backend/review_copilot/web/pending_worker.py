"""Finish in the background what requests were not given in time. Knows when, not how."""

from __future__ import annotations

import logging

from review_copilot.bootstrap import Copilot
from review_copilot.flows.finish_pending import work_off
from review_copilot.web.background import Background

log = logging.getLogger(__name__)


class PendingDraftWorker(Background):
    """Works the backlog off; what it holds when it is stopped is taken up by the next one."""

    name = "backlog"
    look_every_s = 2.0
    """One indexed read each time."""

    def __init__(self, copilot: Copilot) -> None:
        super().__init__()
        self._copilot = copilot

    def take_turn(self) -> bool:
        """Draft and deliver what is due."""
        report = work_off(self._copilot.draft_service, opener=self._copilot.opener)
        if report.sent or report.deleted:
            log.info(
                "backlog: %d drafted, %d delivered, %d doubles deleted, %d settled",
                report.drafted, report.sent, report.deleted, report.settled,
            )  # fmt: skip
        return report.claimed > 0
