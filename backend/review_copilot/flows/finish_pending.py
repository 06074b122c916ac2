"""Finish what a request was not given in time, and see that Label Studio holds each draft once. Knows ports only.

Label Studio removes no duplicates and stores an answer only after it was given. So: draft, import, read back, delete
extras, and strike an errand out only when a read-back has found exactly one prediction. Each step may be cut off and
taken up by another process: claims end by themselves, drafts are in the store before they are sent.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass

from review_copilot.concurrency.priority_pool import Ticket, Urgency
from review_copilot.domain.pending_draft import Errand
from review_copilot.domain.review import Exposure, ProjectKey, Review
from review_copilot.errors import CopilotError, LabelStudioNotFound, NobodyWants
from review_copilot.flows.predict import Counter, ask_for
from review_copilot.flows.reconcile import extras, held
from review_copilot.ports import Workspace, WorkspaceOpener

log = logging.getLogger(__name__)

BLOCK = 500
"""Errands in one claim. Each block ends in one import call, which makes Label Studio re-count the project."""

RETRY_S = 30.0
"""Pause before a draft that failed, or a project that cannot be read, is tried again."""

MOST_ATTEMPTS = 3
"""A task that failed so often is let go of: it has no draft, and the log says why."""


@dataclass
class WorkReport:
    """What one round did.

    Attributes:
        claimed: Errands that were taken up.
        drafted: Drafts made now.
        sent: Predictions imported.
        deleted: Extra predictions deleted.
        settled: Errands struck out.
    """

    claimed: int = 0
    drafted: int = 0
    sent: int = 0
    deleted: int = 0
    settled: int = 0


def work_off(counter: Counter, *, opener: WorkspaceOpener, limit: int = BLOCK) -> WorkReport:
    """See to errands that are due, project by project. A project that cannot be read is put off and costs no other.

    Args:
        counter: Where drafts are asked for.
        opener: Opens projects.
        limit: Most errands in this round.
    """
    report = WorkReport()
    groups: defaultdict[tuple[ProjectKey, str], list[Errand]] = defaultdict(list)
    for errand in counter.store.claim(limit=limit, lease_s=counter.lease_s):
        groups[errand.task.key.project, errand.rollout].append(errand)
        report.claimed += 1
    for (project, rollout), errands in groups.items():
        try:
            workspace = _opened(project, opener=opener)
            _work_off(errands, workspace=workspace, counter=counter, rollout=rollout, report=report)
        except LabelStudioNotFound as error:
            log.info("%d drafts are not owed any more: %s", len(errands), error)
            _settle(errands, counter=counter, report=report)
        except CopilotError as error:
            log.warning("%d drafts of project %d are put off: %s", len(errands), project.project_id, error)
            counter.store.put_back([errand.id for errand in errands], due_in_s=RETRY_S)
    return report


def _opened(project: ProjectKey, *, opener: WorkspaceOpener) -> Workspace:
    """The project, when it is still the same one.

    Raises:
        LabelStudioNotFound: It is gone, or its id belongs to a newer project.
        LabelStudioError: It cannot be read.
    """
    workspace = opener.open(project.project_id)
    if workspace.key != project:
        raise LabelStudioNotFound(f"Project {project.project_id} was made anew.")
    return workspace


def _work_off(
    errands: Sequence[Errand], *, workspace: Workspace, counter: Counter, rollout: str, report: WorkReport
) -> None:
    """One project's errands of one roll-out: draft what is missing, deliver, and strike out what was found in place.

    Raises:
        LabelStudioError: The project cannot be read or written; drafts made until then are kept.
    """
    store, project = counter.store, workspace.key
    by_task = {errand.task.key.task_id: errand for errand in errands}
    there = {task.key.task_id for task in workspace.tasks(only=list(by_task))}
    desk = counter.desk
    newest = store.rollout(project, guideline_id=desk.guideline.id, model_version=desk.model_version)
    current = newest == rollout
    state = held(workspace, rollout=rollout, task_ids=sorted(there))
    store.remember_predictions(project, [p for found in state.values() for p in found])
    unwanted = [e for task_id, e in by_task.items() if task_id not in there or (not current and task_id not in state)]
    _settle(unwanted, counter=counter, report=report)
    owed = [by_task[task_id] for task_id in sorted(there) if current and task_id not in state]
    drafts = _drafts(owed, counter=counter, rollout=rollout, report=report)
    shown = {task_id: review for task_id, review in drafts.items() if review.exposure is Exposure.SHOWN}
    if shown:
        report.sent += workspace.push(list(shown.values()))
        store.put_back([by_task[task_id].id for task_id in shown], due_in_s=counter.settle_s)
    _settle([by_task[task_id] for task_id in drafts if task_id not in shown], counter=counter, report=report)
    wanted = store.drafted(project, rollout=rollout, task_ids=list(state))
    surplus = extras(state, wanted)
    report.deleted += workspace.delete_predictions(surplus)
    doubled = [by_task[task_id] for task_id, found in state.items() if len(found) > 1]
    store.put_back([errand.id for errand in doubled], due_in_s=counter.settle_s)
    _settle([by_task[t] for t, found in state.items() if len(found) == 1], counter=counter, report=report)


def _drafts(errands: Sequence[Errand], *, counter: Counter, rollout: str, report: WorkReport) -> Mapping[int, Review]:
    """Drafts by task id: the store's, and those made now. What fails is put back, or let go of after some attempts."""
    if not errands:
        return {}
    store, project = counter.store, errands[0].task.key.project
    drafts = dict(store.drafted(project, rollout=rollout, task_ids=[e.task.key.task_id for e in errands]))
    missing = [errand for errand in errands if errand.task.key.task_id not in drafts]
    tickets = [ask_for(errand.task, counter=counter, rollout=rollout, urgency=Urgency.OWED) for errand in missing]
    wait([ticket.future for ticket in tickets], timeout=counter.lease_s / 2)
    for errand, ticket in zip(missing, tickets, strict=True):
        if (review := _finished(ticket)) is None:
            store.put_back([errand.id], due_in_s=0.0)
        elif review.exposure is not Exposure.FAILED:
            drafts[errand.task.key.task_id] = review
            report.drafted += 1
        elif errand.attempts + 1 < MOST_ATTEMPTS:
            store.put_back([errand.id], due_in_s=RETRY_S, failed=True)
        else:
            _settle([errand], counter=counter, report=report)
    return drafts


def _finished(ticket: Ticket[Review]) -> Review | None:
    """The review, or None where it did not get its turn in time."""
    ticket.withdraw()
    if not ticket.future.done() or isinstance(ticket.future.exception(), NobodyWants):
        return None
    return ticket.future.result()


def _settle(errands: Sequence[Errand], *, counter: Counter, report: WorkReport) -> None:
    for errand in errands:
        project = errand.task.key.project
        counter.store.settle(project, rollout=errand.rollout, task_ids=[errand.task.key.task_id])
    report.settled += len(errands)
