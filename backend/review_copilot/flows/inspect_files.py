"""Review image files without Label Studio. Knows ports only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from functools import partial

from review_copilot.domain.review import ProjectKey, Review, ReviewTask, TaskKey
from review_copilot.flows.review_context import ReviewContext, review_task

FILES = ProjectKey(instance="files", project_id=0, created="")
"""Means "no project" in the keys of such reviews."""


def file_review(context: ReviewContext) -> Callable[[ReviewTask], Review]:
    """How one file is reviewed at a context."""
    return partial(review_task, context=context, rollout="inspect", bulk=True)


def inspect_files(
    paths: Iterable[str],
    *,
    review: Callable[[ReviewTask], Review],
    pool: Executor,
    reference: str = "",
    at_once: int,
) -> Iterator[tuple[str, Review]]:
    """Each path with its review, in order; a file that cannot be read has a FAILED review.

    Args:
        paths: Files, or other references that the context's image source accepts.
        review: Reviews one path, see `file_review`; a process pool needs a picklable function.
        pool: Runs the reviews. The caller shuts it down.
        reference: Reference image; empty for none.
        at_once: Maximum number of images in work, so that memory does not grow with the number of files.

    Raises:
        BudgetSpent: The budget for model calls is used up; all finished reviews were returned before.
        BrokenExecutor: A process of the pool was killed from outside.
    """
    waiting: deque[tuple[str, Future[Review]]] = deque()
    for number, path in enumerate(paths, start=1):
        task = ReviewTask(key=TaskKey(FILES, number), image=path, reference=reference)
        waiting.append((path, pool.submit(review, task)))
        if len(waiting) >= at_once:
            name, future = waiting.popleft()
            yield name, future.result()
    while waiting:
        name, future = waiting.popleft()
        yield name, future.result()
