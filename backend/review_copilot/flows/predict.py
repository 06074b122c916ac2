"""Answer a waiting Label Studio, and owe it what is not ready in time. Knows ports only.

Every task of a request is noted in the backlog before work begins, so that a backend that dies in mid-request owes it
still. What was answered in time is struck out; the rest stays, and `flows.finish_pending` sees to it.
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
from review_copilot.domain.review import Exposure, Review, ReviewTask
from review_copilot.errors import RequestAbandoned
from review_copilot.flows.review_context import SetupOf, review_task
from review_copilot.ports import PendingDrafts, Store

log = logging.getLogger(__name__)

GRACE_S = 15.0
"""A request that is this late behind its deadline has died with its process; its tasks are then taken up."""

SETTLE_S = 20.0
"""Label Studio stores what it was answered after the answer; reading back too early would send again what is on its
way. A guess with room to reserved: its import route takes .6 s for a hundred predictions among 10 000 tasks."""

LEASE_S = 120.0
"""Half of it is waited for a block of drafts; what is not ready by then is put back."""

LOOK_AGAIN_S = 0.5
"""How often a request checks that somebody still waits for it."""


Watchers: TypeAlias = list[Callable[[Review], None]]
"""Callables that are told of each review."""


@dataclass(frozen=True)
class DraftService:
    """Where drafts are asked for.

    Attributes:
        setup_of: Gives the set-up of a task's project.
        store: Where drafts are kept and owed.
        pool: Who does the work, shared by all requests.
        deadline_s: Seconds after which a request is answered with what is ready.
        delivers: Whether what is late can be delivered: there is a token for Label Studio's import route.
        settle_s: Seconds that Label Studio is given to store an answer before it is read back.
        lease_s: Seconds that a claim of late work lasts; what a process that died held is free again after them.
        watchers: Are told of each review that was made.
        remind: Says of a draft what is known of its like.
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


def answer_in_time(
    tasks: Sequence[ReviewTask], *, service: DraftService, rollout: str, gone: Callable[[], bool] = lambda: False
) -> Mapping[int, Review]:
    """Reviews by task id, of all tasks that got ready before the deadline.

    A draft that the store already holds under the roll-out is not made again. Tasks that are late stay in the backlog
    when they can be delivered; else they are let go of, and only those that a model is looking at are finished and
    kept. A caller that has hung up gets nothing, so all of its tasks are late.

    Args:
        tasks: The tasks of one request, all of one project.
        service: Where they are asked for.
        rollout: Label of the drafts.
        gone: Whether nobody waits any more; asked twice a second.
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
        log.warning("%d of %d tasks not ready after %g s", len(late), len(tasks), service.deadline_s)
    return dict(known) | made


def review_box(
    task: ReviewTask, *, service: DraftService, rollout: str, box: Box, gone: Callable[[], bool] = lambda: False
) -> Review | None:
    """Look inside one box that a reviewer drew, before all other work, and remember what was offered.

    Args:
        task: The task.
        service: Where it is asked for.
        rollout: Label of the drafts.
        box: The place.
        gone: Whether nobody waits any more; asked twice a second until the work begins.

    Returns:
        None when nobody waited for it, or it was not ready at the deadline.
    """
    ticket = ask_for(task, service=service, rollout=rollout, urgency=Urgency.MAGIC, box=box)
    _wait([ticket.future], for_s=service.deadline_s, gone=gone)
    ticket.withdraw()
    return ticket.future.result() if ticket.future.done() and not _withdrawn(ticket.future) else None


def _wait(futures: Collection[Future[Review]], *, for_s: float, gone: Callable[[], bool]) -> bool:
    """Wait until all are done, the time is over or the caller has gone; returns whether the caller is still there."""
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
    """Have a task reviewed on the pool; the review is in the store before the ticket's future is done."""

    def work() -> Review:
        if box is None and (made := _made_meanwhile(task, service=service, rollout=rollout)):
            return made
        review = service.remind(review_task(task, context=service.setup_of(task.key.project), rollout=rollout, box=box))
        service.store.remember([review])
        for told in service.watchers:
            told(review)
        return review

    return service.pool.submit((task.key, rollout, box), work, urgency=urgency)


def _made_meanwhile(task: ReviewTask, *, service: DraftService, rollout: str) -> Review | None:
    """The draft that another request or another process finished after this one looked."""
    task_id = task.key.task_id
    return service.store.drafted(task.key.project, rollout=rollout, task_ids=[task_id]).get(task_id)


def _sorted_out(tickets: Mapping[int, Ticket[Review]]) -> tuple[dict[int, Review], list[int]]:
    """What is ready, by task id, and the task ids of what is not; failed reviews are in neither."""
    made: dict[int, Review] = {}
    late: list[int] = []
    for task_id, ticket in tickets.items():
        ticket.withdraw()  # what has not begun is taken up again from the backlog, behind those who wait
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
    """Strike out what is answered; where some are late, all are read back once Label Studio stored the answer."""
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
