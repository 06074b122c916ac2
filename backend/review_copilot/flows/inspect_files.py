"""Review image files without a Label Studio. Knows ports only."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from review_copilot.domain.review import ProjectKey, Review, ReviewTask, TaskKey
from review_copilot.flows.desk import Desk, review_task

FILES = ProjectKey(instance="files", project_id=0, created="")
"""Stands for "no project" in the keys of such reviews."""


def inspect_files(
    paths: Iterable[str], *, desk: Desk, reference: str = "", concurrency: int
) -> Iterator[tuple[str, Review]]:
    """Each path with its review, in the order given; a file that cannot be read gives a FAILED review.

    At most twice `concurrency` images are on their way at once, so memory does not grow with the number of files.

    Raises:
        BudgetSpent: The budget for model calls is spent; the reviews so far have been given.
    """
    waiting: deque[tuple[str, Future[Review]]] = deque()
    with ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="inspect") as pool:
        for number, path in enumerate(paths, start=1):
            task = ReviewTask(key=TaskKey(FILES, number), image=path, reference=reference)
            waiting.append((path, pool.submit(review_task, task, desk=desk, rollout="inspect", bulk=True)))
            if len(waiting) >= 2 * concurrency:
                name, future = waiting.popleft()
                yield name, future.result()
        while waiting:
            name, future = waiting.popleft()
            yield name, future.result()
