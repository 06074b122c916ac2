"""Run a bulk run on the threads of this process. Knows the setup, but no inspector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice

from review_copilot.domain.review import Review, ReviewTask
from review_copilot.errors import NoFurtherCalls
from review_copilot.flows.review_context import ReviewContext, review_task


@dataclass(frozen=True)
class ThreadEngine:
    """Implements `ports.Engine`.

    Attributes:
        context: The setup of the project.
        concurrency: Maximum number of images inspected at the same time, at least 1.
    """

    context: ReviewContext
    concurrency: int

    def reviews(self, tasks: Iterable[ReviewTask], *, rollout: str) -> Iterator[Review]:
        """See `ports.Engine`; at most `concurrency` tasks are read ahead."""
        pending: set[Future[Review]] = set()
        source = iter(tasks)
        spent: NoFurtherCalls | None = None
        with ThreadPoolExecutor(max_workers=self.concurrency, thread_name_prefix="inspect") as pool:
            try:
                while True:
                    for task in islice(source, 0 if spent else 2 * self.concurrency - len(pending)):
                        pending.add(pool.submit(review_task, task, context=self.context, rollout=rollout, bulk=True))
                    if not pending:
                        break
                    ready, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in ready:
                        try:
                            review = future.result()
                        except NoFurtherCalls as error:  # reviews that were paid for are still returned
                            spent = error
                            continue
                        yield review
            finally:
                for future in pending:
                    future.cancel()
        if spent is not None:
            raise spent
