"""Finish and deliver pending drafts in the background. Knows when, not how."""

from __future__ import annotations

import logging

from review_copilot.flows.finish_pending import work_off
from review_copilot.flows.predict import DraftService
from review_copilot.ports import WorkspaceOpener
from review_copilot.web.background import Background

log = logging.getLogger(__name__)


class PendingDraftWorker(Background):
    """Drafts and delivers pending drafts. If this process stops, another one takes them over when the lease ends."""

    name = "pending drafts"
    look_every_s = 2.0
    """Each check is one indexed read."""

    def __init__(self, service: DraftService, opener: WorkspaceOpener) -> None:
        super().__init__()
        self._service = service
        self._opener = opener

    def take_turn(self) -> bool:
        """Draft and deliver the pending drafts that are due."""
        report = work_off(self._service, opener=self._opener)
        if report.sent or report.deleted:
            log.info(
                "pending drafts: %d drafted, %d delivered, %d duplicates deleted, %d completed",
                report.drafted, report.sent, report.deleted, report.settled,
            )  # fmt: skip
        return report.claimed > 0
