"""Finish in the background what requests were not given in time. Knows when, not how."""

from __future__ import annotations

import logging

from review_copilot.flows.finish_pending import work_off
from review_copilot.flows.predict import DraftService
from review_copilot.ports import WorkspaceOpener
from review_copilot.web.background import Background

log = logging.getLogger(__name__)


class PendingDraftWorker(Background):
    """Works the backlog off; when it stops, the next one takes over."""

    name = "backlog"
    look_every_s = 2.0
    """One indexed read each time."""

    def __init__(self, service: DraftService, opener: WorkspaceOpener) -> None:
        super().__init__()
        self._service = service
        self._opener = opener

    def take_turn(self) -> bool:
        """Draft and deliver what is due."""
        report = work_off(self._service, opener=self._opener)
        if report.sent or report.deleted:
            log.info(
                "backlog: %d drafted, %d delivered, %d doubles deleted, %d settled",
                report.drafted, report.sent, report.deleted, report.settled,
            )  # fmt: skip
        return report.claimed > 0
