"""Finish pending drafts, and make sure that Label Studio has each draft once. Knows ports only.

Label Studio does not remove duplicates, and stores a response only after receiving it. So: draft, import, read back,
delete extras, and remove a pending draft only when a read-back has found exactly one prediction. Each step can be
interrupted and continued by another process: claims expire, and drafts are in the store before they are sent.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass

from review_copilot.concurrency.priority_pool import Ticket, Urgency
from review_copilot.domain.pending_draft import PendingDraft
from review_copilot.domain.review import Exposure, ProjectKey, Review, ReviewTask
from review_copilot.errors import CopilotError, LabelStudioNotFound, NoFurtherCalls, RequestAbandoned
from review_copilot.flows.predict import DraftService, ask_for
from review_copilot.flows.reconcile import extras, held
from review_copilot.flows.review_context import rollout_of
from review_copilot.ports import StoredPrediction, Workspace, WorkspaceOpener

log = logging.getLogger(__name__)

BLOCK = 500
"""Pending drafts per claim. Each block ends with one import call, for which Label Studio recounts the project."""

NO_CALLS_RETRY_S = 600.0
"""Pause after the budget was used up or the endpoint kept failing. It counts as no attempt: nothing is given up."""

RETRY_S = 30.0
"""Pause before another attempt for a failed draft, or for a project that cannot be read."""

MOST_ATTEMPTS = 3
"""After this many failures, a task is given up: it has no draft, and its review says why."""


@dataclass
class WorkReport:
    """Result of one round.

    Attributes:
        claimed: Pending drafts that were claimed.
        drafted: New drafts.
        sent: Predictions imported.
        deleted: Extra predictions deleted.
        settled: Pending drafts that were removed.
    """

    claimed: int = 0
    drafted: int = 0
    sent: int = 0
    deleted: int = 0
    settled: int = 0


def work_off(service: DraftService, *, opener: WorkspaceOpener, limit: int = BLOCK) -> WorkReport:
    """Finish pending drafts that are due, project by project. A project that cannot be read is postponed.

    Args:
        service: Makes drafts on request.
        opener: Opens projects.
        limit: Maximum number of pending drafts in this round.
    """
    report = WorkReport()
    groups: defaultdict[tuple[ProjectKey, str], list[PendingDraft]] = defaultdict(list)
    for pending_draft in service.store.claim(limit=limit, lease_s=service.lease_s):
        groups[pending_draft.key.project, pending_draft.rollout].append(pending_draft)
        report.claimed += 1
    for (project, rollout), pending_drafts in groups.items():
        try:
            workspace = _opened(project, opener=opener)
            _work_off(pending_drafts, workspace=workspace, service=service, rollout=rollout, report=report)
        except LabelStudioNotFound as error:
            log.info("Removed %d pending drafts: %s", len(pending_drafts), error)
            _settle(pending_drafts, service=service, report=report)
        except CopilotError as error:
            log.warning("Postponed %d pending drafts of project %d: %s", len(pending_drafts), project.project_id, error)
            service.store.release([pending_draft.id for pending_draft in pending_drafts], due_in_s=RETRY_S)
    return report


def _opened(project: ProjectKey, *, opener: WorkspaceOpener) -> Workspace:
    """The project, if it is still the same one.

    Raises:
        LabelStudioNotFound: It was deleted, or its id belongs to a newer project.
        LabelStudioError: It cannot be read.
    """
    workspace = opener.open(project.project_id)
    if workspace.key != project:
        raise LabelStudioNotFound(f"Project {project.project_id} was deleted and created again.")
    return workspace


def _work_off(
    pending_drafts: Sequence[PendingDraft],
    *,
    workspace: Workspace,
    service: DraftService,
    rollout: str,
    report: WorkReport,
) -> None:
    """Finish one project's pending drafts of one roll-out: draft, deliver, and remove those that Label Studio has.

    Raises:
        LabelStudioError: The project cannot be read or written; drafts made before remain stored.
    """
    by_task = {pending_draft.key.task_id: pending_draft for pending_draft in pending_drafts}
    there = {task.key.task_id: task for task in workspace.tasks(only=list(by_task))}
    current = rollout == workspace.pinned() or rollout == rollout_of(
        workspace.key, store=service.store, setup_of=service.setup_of
    )
    state = held(workspace, rollout=rollout, task_ids=sorted(there))
    service.store.remember_predictions(workspace.key, [p for found in state.values() for p in found])
    wanted = {task_id for task_id in there if current or task_id in state}
    _settle([draft for task_id, draft in by_task.items() if task_id not in wanted], service=service, report=report)
    missing = {task_id: (by_task[task_id], there[task_id]) for task_id in sorted(wanted - state.keys())}
    _deliver(missing, workspace=workspace, service=service, rollout=rollout, report=report)
    _keep_one_of_each(state, by_task, workspace=workspace, service=service, rollout=rollout, report=report)


def _deliver(
    missing: Mapping[int, tuple[PendingDraft, ReviewTask]],
    *,
    workspace: Workspace,
    service: DraftService,
    rollout: str,
    report: WorkReport,
) -> None:
    """Draft and import what Label Studio does not have. Drafts that reviewers must not see are no longer pending."""
    drafts = _drafts(list(missing.values()), service=service, rollout=rollout, report=report)
    shown = {task_id: review for task_id, review in drafts.items() if review.exposure is Exposure.SHOWN}
    if shown:
        report.sent += workspace.push(list(shown.values()))
        if not workspace.pinned():  # the project's first drafts: without a pinned version, nobody sees them
            workspace.pin(rollout)
        service.store.release([missing[task_id][0].id for task_id in shown], due_in_s=service.settle_s)
    _settle([missing[task_id][0] for task_id in drafts if task_id not in shown], service=service, report=report)


def _keep_one_of_each(
    state: Mapping[int, Sequence[StoredPrediction]],
    by_task: Mapping[int, PendingDraft],
    *,
    workspace: Workspace,
    service: DraftService,
    rollout: str,
    report: WorkReport,
) -> None:
    """Delete extra predictions, and remove the pending drafts of which Label Studio has exactly one prediction."""
    wanted = service.store.drafted(workspace.key, rollout=rollout, task_ids=list(state))
    report.deleted += workspace.delete_predictions(extras(state, wanted))
    doubled = [by_task[task_id].id for task_id, found in state.items() if len(found) > 1]
    service.store.release(doubled, due_in_s=service.settle_s)
    _settle([by_task[t] for t, found in state.items() if len(found) == 1], service=service, report=report)


def _drafts(
    owed: Sequence[tuple[PendingDraft, ReviewTask]], *, service: DraftService, rollout: str, report: WorkReport
) -> Mapping[int, Review]:
    """Drafts by task id: stored ones and new ones. Failed drafts are postponed, or given up after several attempts."""
    if not owed:
        return {}
    store, project = service.store, owed[0][0].key.project
    drafts = dict(store.drafted(project, rollout=rollout, task_ids=[task.key.task_id for _, task in owed]))
    missing = [(pending_draft, task) for pending_draft, task in owed if task.key.task_id not in drafts]
    tickets = [ask_for(task, service=service, rollout=rollout, urgency=Urgency.OWED) for _, task in missing]
    wait([ticket.future for ticket in tickets], timeout=service.lease_s / 2)
    for (pending_draft, _), ticket in zip(missing, tickets, strict=True):
        try:
            review = _finished(ticket)
        except NoFurtherCalls as error:
            log.warning("Postponed the draft of task %d: %s", pending_draft.key.task_id, error)
            store.release([pending_draft.id], due_in_s=NO_CALLS_RETRY_S)
            continue
        if review is None:
            store.release([pending_draft.id], due_in_s=0.0)
        elif review.exposure is not Exposure.FAILED:
            drafts[pending_draft.key.task_id] = review
            report.drafted += 1
        elif pending_draft.attempts + 1 < MOST_ATTEMPTS:
            store.release([pending_draft.id], due_in_s=RETRY_S, failed=True)
        else:
            _settle([pending_draft], service=service, report=report)
    return drafts


def _finished(ticket: Ticket[Review]) -> Review | None:
    """The review; None if it was not ready in time.

    Raises:
        NoFurtherCalls: The budget is used up, or the endpoint keeps failing.
    """
    ticket.withdraw()
    if not ticket.future.done() or isinstance(ticket.future.exception(), RequestAbandoned):
        return None
    return ticket.future.result()


def _settle(pending_drafts: Sequence[PendingDraft], *, service: DraftService, report: WorkReport) -> None:
    for pending_draft in pending_drafts:
        project = pending_draft.key.project
        service.store.clear_pending(project, rollout=pending_draft.rollout, task_ids=[pending_draft.key.task_id])
    report.settled += len(pending_drafts)
