"""Serve Label Studio's requests; drafts that are not ready in time become pending drafts. Knows ports only.

Every task of a request is stored as a pending draft before work starts, so that nothing is lost if the backend stops
during the request. Drafts that were returned in time are removed; `flows.finish_pending` finishes the others.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TypeAlias

from review_copilot.concurrency.priority_pool import PriorityPool, Ticket, Urgency
from review_copilot.domain.geometry import Box
from review_copilot.domain.review import Exposure, ProjectKey, Review, ReviewTask
from review_copilot.errors import RequestAbandoned
from review_copilot.flows.review_context import ReviewContext, SetupOf, review_task
from review_copilot.ports import PendingDrafts, Store

log = logging.getLogger(__name__)

GRACE_S = 15.0
"""Time after its deadline at which a request counts as lost with its process; its tasks are then drafted."""

SETTLE_S = 20.0
"""Label Studio stores a response some time after receiving it; reading back too early would send drafts again that are
being stored. A generous guess: its import route takes 0.6 s for a hundred predictions in 10 000 tasks."""

LEASE_S = 120.0
"""A block of drafts may take half of it; drafts that are not ready by then are postponed."""

LOOK_AGAIN_S = 0.5
"""How often a request checks that its caller is still connected."""


Watchers: TypeAlias = list[Callable[[Review], None]]
"""Functions that are called with each review."""


@dataclass(frozen=True)
class DraftService:
    """Makes drafts on request.

    Attributes:
        setup_of: Returns the setup of a task's project.
        store: Stores drafts and pending drafts.
        pool: Runs the work; shared by all requests.
        deadline_s: Seconds after which a request returns the drafts that are ready.
        delivers: Whether late drafts can be delivered, which requires a token for Label Studio's import route.
        settle_s: Seconds for Label Studio to store a response before it is read back.
        lease_s: Seconds that a claim on pending drafts lasts; after that, another process can claim them.
        watchers: Called with each new review.
        remind: Adds facts about similar reviews to a draft.
        context_of: Returns what drafts a project's roll-out that is not that of its current setup, such as the pinned
            one while a new roll-out is being made; None where only the current setup can draft.
    """

    setup_of: SetupOf
    store: Store
    pool: PriorityPool[Review]
    deadline_s: float
    delivers: bool
    settle_s: float = SETTLE_S
    lease_s: float = LEASE_S
    watchers: Sequence[Callable[[Review], None]] = ()
    remind: Callable[[Review], Review] = lambda review: review
    context_of: Callable[[ProjectKey, str], ReviewContext] | None = None


def answer_in_time(
    tasks: Sequence[ReviewTask], *, service: DraftService, rollout: str, gone: Callable[[], bool] = lambda: False
) -> Mapping[int, Review]:
    """Reviews by task id, for all tasks that are ready before the deadline.

    A draft that is already stored under the roll-out is not made again. Late tasks remain pending
    if they can be delivered. Otherwise they are given up, and only those that a model is already processing are
    finished and stored. A caller that has disconnected receives nothing, so all of its tasks are late.

    Args:
        tasks: The tasks of one request, all in one project.
        service: Where they are asked for.
        rollout: Label of the drafts.
        gone: Returns whether the caller has disconnected; called twice a second.
    """
    if not tasks:
        return {}
    store, project = service.store, tasks[0].key.project
    known = store.drafted(project, rollout=rollout, task_ids=[task.key.task_id for task in tasks])
    new = {task.key.task_id: task for task in tasks if task.key.task_id not in known}
    if not new:
        return known
    if service.delivers:
        store.add_pending(list(new.values()), rollout=rollout, due_in_s=service.deadline_s + GRACE_S)
    tickets = {
        task_id: ask_for(task, service=service, rollout=rollout, urgency=Urgency.ASKED) for task_id, task in new.items()
    }
    heard = _wait([ticket.future for ticket in tickets.values()], for_s=service.deadline_s, gone=gone)
    made, late = _sorted_out(tickets)
    if not heard:
        made, late = {}, list(new)
    if service.delivers:
        _note(service, project_tasks=new, made=made, late=late, rollout=rollout)
    if late:
        log.warning("%d of %d tasks are not ready after %g s", len(late), len(tasks), service.deadline_s)
    return dict(known) | made


def review_box(
    task: ReviewTask, *, service: DraftService, rollout: str, box: Box, gone: Callable[[], bool] = lambda: False
) -> Review | None:
    """Inspect one box that a reviewer drew, before all other work, and store what was offered.

    Args:
        task: The task.
        service: Where it is asked for.
        rollout: Label of the drafts.
        box: The box.
        gone: Returns whether the caller has disconnected; called twice a second until work starts.

    Returns:
        None if the caller disconnected, or if it was not ready at the deadline.
    """
    ticket = ask_for(task, service=service, rollout=rollout, urgency=Urgency.MAGIC, box=box)
    _wait([ticket.future], for_s=service.deadline_s, gone=gone)
    ticket.withdraw()
    return ticket.future.result() if ticket.future.done() and not _withdrawn(ticket.future) else None


def _wait(futures: Collection[Future[Review]], *, for_s: float, gone: Callable[[], bool]) -> bool:
    """Wait until all are done, the time is over, or the caller disconnects; returns whether the caller is connected."""
    ends_at = time.monotonic() + for_s
    while (left_s := ends_at - time.monotonic()) > 0:
        _, pending = wait(futures, timeout=min(left_s, LOOK_AGAIN_S))
        if not pending:
            return True
        if gone():
            return False
    return True


def ask_for(
    task: ReviewTask, *, service: DraftService, rollout: str, urgency: Urgency, box: Box | None = None
) -> Ticket[Review]:
    """Review a task on the pool; the review is stored before the ticket's future is done.

    Background work stops when the budget is used up: the future then raises `NoFurtherCalls`, and nothing is stored.
    """
    bulk = urgency is Urgency.OWED

    def work() -> Review:
        if box is None and (made := _made_meanwhile(task, service=service, rollout=rollout)):
            return made
        project = task.key.project
        context = service.context_of(project, rollout) if bulk and service.context_of else service.setup_of(project)
        review = service.remind(review_task(task, context=context, rollout=rollout, box=box, bulk=bulk))
        service.store.remember([review])
        for told in service.watchers:
            told(review)
        return review

    return service.pool.submit((task.key, rollout, box), work, urgency=urgency)


def _made_meanwhile(task: ReviewTask, *, service: DraftService, rollout: str) -> Review | None:
    """A draft that another request or process finished after this one checked."""
    task_id = task.key.task_id
    return service.store.drafted(task.key.project, rollout=rollout, task_ids=[task_id]).get(task_id)


def _sorted_out(tickets: Mapping[int, Ticket[Review]]) -> tuple[dict[int, Review], list[int]]:
    """Finished reviews by task id, and the ids of unfinished tasks; failed reviews are in neither."""
    made: dict[int, Review] = {}
    late: list[int] = []
    for task_id, ticket in tickets.items():
        ticket.withdraw()  # work that has not started continues as pending drafts, after waiting requests
        if not ticket.future.done() or _withdrawn(ticket.future):
            late.append(task_id)
        elif (review := ticket.future.result()).exposure is not Exposure.FAILED:
            made[task_id] = review
    return made, late


def _note(
    service: DraftService,
    *,
    project_tasks: Mapping[int, ReviewTask],
    made: Mapping[int, Review],
    late: Sequence[int],
    rollout: str,
) -> None:
    """Remove the pending drafts that were returned; if some are late, read all of them back later."""
    store: PendingDrafts = service.store
    project = next(iter(project_tasks.values())).key.project
    failed = [task_id for task_id in project_tasks if task_id not in made and task_id not in late]
    if late:
        store.clear_pending(project, rollout=rollout, task_ids=failed)
        store.reschedule(project, rollout=rollout, task_ids=list(made), due_in_s=service.settle_s)
        store.reschedule(project, rollout=rollout, task_ids=late, due_in_s=0.0)
    else:
        store.clear_pending(project, rollout=rollout, task_ids=list(project_tasks))


def _withdrawn(future: Future[Review]) -> bool:
    return isinstance(future.exception(), RequestAbandoned)
