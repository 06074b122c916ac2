"""Sweep in the background: immediately after a webhook, and also at a fixed interval."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import AbstractContextManager, nullcontext

from review_copilot.errors import (
    CopilotError,
    LabelStudioAuthError,
    LabelStudioError,
    LabelStudioNotFound,
    LabelStudioUnreachable,
)
from review_copilot.flows.draft_new_tasks import add_announced_tasks, add_new_tasks
from review_copilot.flows.log_webhook_bodies import log_bodies
from review_copilot.flows.review_context import SetupOf
from review_copilot.flows.sweep import SweepReport, empty_inbox, sweep_project
from review_copilot.ports import BodyReader, NamedLocks, Store, WorkspaceOpener
from review_copilot.web.token_watch import TokenWatch

log = logging.getLogger(__name__)

POLL_S = 1.0
"""Seconds between two checks of the inbox without a webhook, because another process may have filled it."""

DELETED_TASKS_EVERY_S = 300.0
"""Seconds between two reads of all task ids to find deleted tasks. A read takes Label Studio 4.4 s for 10,000 tasks.
Webhooks report deleted tasks immediately; this finds those that the webhooks missed."""


LULL_S = 0.1
LULL_WITHIN_S = 10.0
"""Without a token, comparing competes with answering webhooks for the processor, and Label Studio waits one second at
most. So comparing waits until no webhook arrived for `LULL_S` seconds, but at most `LULL_WITHIN_S` seconds."""


class Sweeper:
    """One thread that keeps the log up to date."""

    def __init__(
        self,
        store: Store,
        *,
        instance: str,
        opener: WorkspaceOpener | None,
        bodies: BodyReader,
        every_s: float,
        locks: NamedLocks | None = None,
        token: TokenWatch | None = None,
        setup_of: SetupOf | None = None,
    ) -> None:
        """Store the parts; `start` begins the work.

        Args:
            store: The log.
            instance: Name of the Label Studio whose projects are swept.
            opener: Opens its projects; None without a token. Then the log is written from webhook bodies.
            bodies: Reads webhook bodies.
            every_s: Seconds between two sweeps of all projects.
            token: Records whether Label Studio accepts the token.
            setup_of: Gives the setup of a project, to draft new tasks; None to draft none.
            locks: Allow one backend at a time to sweep; None if this is the only backend.
        """
        self._store = store
        self._instance = instance
        self._opener = opener
        self._bodies = bodies
        self._every_s = every_s
        self._locks = locks
        self._token = token or TokenWatch(has_token=opener is not None)
        self._setup_of = setup_of
        self._stopping = threading.Event()
        self.woken = threading.Event()
        self._next_deleted = 0.0
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """Ask the thread to end, and wait until it does."""
        self._stopping.set()
        self.woken.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        next_full = time.monotonic()
        while not self._stopping.is_set():
            try:
                with self._turn() as ours:
                    if ours and self._opener is None:
                        go_on = self._no_webhook if self._lull() else lambda: True
                        self._report(log_bodies(self._store, reader=self._bodies, go_on=go_on))
                    elif ours and self._opener is not None:
                        if self._setup_of is not None:
                            add_announced_tasks(self._store, opener=self._opener, setup_of=self._setup_of)
                        self._report(empty_inbox(self._store, opener=self._opener))
                        if time.monotonic() >= next_full:
                            next_full = time.monotonic() + self._every_s
                            self._sweep_all(self._opener)
            except CopilotError as error:
                log.warning("the sweep is postponed: %s", error)
            except Exception:
                log.exception("the sweep failed: unexpected error")
            self.woken.wait(POLL_S)
            self.woken.clear()

    def _lull(self) -> bool:
        """Wait until webhooks pause; False if they do not."""
        until = time.monotonic() + LULL_WITHIN_S
        while self.woken.wait(LULL_S) and not self._stopping.is_set():
            self.woken.clear()
            if time.monotonic() > until:
                return False
        return True

    def _no_webhook(self) -> bool:
        return not self.woken.is_set()

    def _turn(self) -> AbstractContextManager[bool]:
        """Whether this process sweeps now. Of several backends on one PostgreSQL database, one sweeps at a time."""
        return self._locks.turn("sweep", wait_s=0.0) if self._locks else nullcontext(enter_result=True)

    def _sweep_all(self, opener: WorkspaceOpener) -> None:
        look_for_deleted = time.monotonic() >= self._next_deleted
        if look_for_deleted:
            self._next_deleted = time.monotonic() + DELETED_TASKS_EVERY_S
        for key in self._store.projects():
            if key.instance != self._instance or self._stopping.is_set():
                continue
            try:
                workspace = opener.open(key.project_id)
                if self._setup_of is not None and workspace.key == key:
                    add_new_tasks(workspace, store=self._store, setup_of=self._setup_of)
                self._report(sweep_project(workspace, store=self._store, deleted_tasks=look_for_deleted))
                self._token.note(accepted=True)
            except LabelStudioNotFound:
                log.info("project %d no longer exists in Label Studio; its log is kept", key.project_id)
            except LabelStudioUnreachable:
                raise
            except LabelStudioAuthError:
                self._token.note(accepted=False)
            except LabelStudioError as error:  # one project that cannot be read does not stop the others
                log.warning("project %d could not be swept: %s", key.project_id, error)

    @staticmethod
    def _report(report: SweepReport) -> None:
        if report.revisions or report.deleted:
            log.info(
                "swept %d tasks: %d new revisions with %d rows, %d deleted, %d missed by webhook",
                report.tasks, report.revisions, report.rows, report.deleted, report.missed,
            )  # fmt: skip
        for problem in report.problems:
            log.warning("sweep: %s", problem)
