"""Answer a waiting Label Studio. Knows ports only."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, wait

from review_copilot.domain.geometry import Box
from review_copilot.domain.review import Exposure, Review, ReviewTask
from review_copilot.flows.desk import Desk, review_task
from review_copilot.ports import ReviewStore

log = logging.getLogger(__name__)


def answer_in_time(
    tasks: Sequence[ReviewTask], *, desk: Desk, store: ReviewStore, rollout: str, pool: Executor, deadline_s: float
) -> Mapping[int, Review]:
    """Reviews by task id, of all tasks that got ready before the deadline.

    A draft that the store already holds under the roll-out is not made again.

    Args:
        tasks: The tasks of one request.
        desk: The tools.
        store: Where drafts are kept.
        rollout: Label of the drafts.
        pool: Shared by all requests, so that it bounds what runs at once.
        deadline_s: Seconds after which what is not ready is left out.
    """
    if not tasks:
        return {}
    known = store.drafted(tasks[0].key.project, rollout=rollout, task_ids=[task.key.task_id for task in tasks])
    running = {
        pool.submit(review_task, task, desk=desk, rollout=rollout): task
        for task in tasks
        if task.key.task_id not in known
    }
    done, late = wait(running, timeout=deadline_s)
    for future in late:
        future.cancel()
        log.warning("task %d has no draft: not ready after %g s", running[future].key.task_id, deadline_s)
    made = [future.result() for future in done]
    store.remember(made)
    return dict(known) | {review.key.task_id: review for review in made if review.exposure is not Exposure.FAILED}


def review_box(task: ReviewTask, *, desk: Desk, store: ReviewStore, rollout: str, box: Box) -> Review:
    """Look inside one box that a reviewer drew, and remember what was offered."""
    review = review_task(task, desk=desk, rollout=rollout, box=box)
    store.remember([review])
    return review
