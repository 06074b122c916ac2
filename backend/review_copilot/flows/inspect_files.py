"""Review image files without a Label Studio. Knows ports only, and not who does the work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from functools import partial

from review_copilot.domain.review import ProjectKey, Review, ReviewTask, TaskKey
from review_copilot.flows.review_context import ReviewContext, review_task

FILES = ProjectKey(instance="files", project_id=0, created="")
"""Stands for "no project" in the keys of such reviews."""


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
    """Each path with its review, in the order given; a file that cannot be read gives a FAILED review.

    Args:
        paths: Files, or whatever else the context's images come from.
        review: Reviews one of them, see `file_review`; a pool of processes needs a function that can be sent there.
        pool: Where the reviews are made. It is the caller's to shut down.
        reference: What the images should look like; empty for nothing.
        at_once: Most images on their way, so that memory does not grow with the number of files.

    Raises:
        BudgetSpent: The budget for model calls is spent; the reviews so far have been given.
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
