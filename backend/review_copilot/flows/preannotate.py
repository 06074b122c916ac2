"""Draft a whole project ahead of its reviewers. Knows ports only.

At least once, then read back: predictions are imported in chunks, then compared with what Label Studio really holds;
extras are deleted, missing ones sent again. Killed at any point, the next run goes on where this one stopped, because
each draft is in the store before it is sent.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice

from review_copilot.domain.review import Exposure, Review, ReviewTask
from review_copilot.errors import BudgetSpent
from review_copilot.flows.desk import Desk, review_task
from review_copilot.ports import ReviewStore, StoredPrediction, Workspace

log = logging.getLogger(__name__)

CHUNK = 1000
"""Predictions in one import call. Each call makes Label Studio re-count the project (.6 s at 10 000 tasks)."""
FLUSH_AFTER_S = 10.0
"""Drafts are sent at least this often, so that reviewers need not wait for a full chunk."""
MEND_ROUNDS = 3
"""How often a read-back may find something to mend before the run gives up and says so."""


@dataclass
class Progress:
    """Counts of a running pre-annotation, handed to `on_progress` after each change.

    Attributes:
        total: Tasks of this run.
        done: Tasks that were looked at or found done.
        drafted: Drafts made now.
        resumed: Drafts that an earlier run made and did not deliver.
        skipped: Tasks that had their draft already.
        withheld: Tasks of the blind share, whose drafts are kept and not sent.
        suggestions: Suggestions in the drafts made now.
        failures: Task id to reason, for tasks without a draft.
        stored: Predictions that Label Studio holds under the roll-out at the end.
        resent: Predictions that were missing at a read-back and sent again.
        deleted: Extra predictions that a read-back found and deleted.
        undelivered: Task ids whose draft Label Studio did not take.
        seconds_to_first: Seconds until the first drafts were in Label Studio; None before that.
        stopped: Why the run ended before its time; empty when it did not.
    """

    total: int = 0
    done: int = 0
    drafted: int = 0
    resumed: int = 0
    skipped: int = 0
    withheld: int = 0
    suggestions: int = 0
    failures: dict[int, str] = field(default_factory=dict)
    stored: int = 0
    resent: int = 0
    deleted: int = 0
    undelivered: tuple[int, ...] = ()
    seconds_to_first: float | None = None
    stopped: str = ""


def preannotate(
    workspace: Workspace,
    *,
    desk: Desk,
    store: ReviewStore,
    rollout: str,
    concurrency: int,
    limit: int | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Store a prediction for every task that has none under the roll-out, and pin the roll-out.

    Args:
        workspace: The project.
        desk: The tools.
        store: Where drafts are kept.
        rollout: Label to store and pin.
        concurrency: Images inspected at once, at least 1.
        limit: At most this many tasks are drafted; None for all.
        on_progress: Called in this thread after each task and each delivery.

    Returns:
        The final counts.

    Raises:
        LabelStudioError: The project cannot be read, or an import was refused.
    """
    delivered = {p.task_id for p in workspace.predictions(rollout=rollout)}
    kept = store.drafted(workspace.key, rollout=rollout)
    progress = Progress(total=workspace.count_tasks())
    outbox = _Outbox(workspace, progress, on_progress)

    def undone() -> Iterator[ReviewTask]:
        for task in workspace.tasks():
            task_id = task.key.task_id
            if task_id in delivered:
                progress.skipped += 1
                progress.done += 1
            elif task_id in kept and kept[task_id].exposure is Exposure.WITHHELD:
                progress.withheld += 1
                progress.done += 1
            elif task_id in kept:
                progress.resumed += 1
                progress.done += 1
                outbox.add(kept[task_id])
            else:
                yield task

    try:
        for review in _in_parallel(islice(undone(), limit), desk=desk, rollout=rollout, concurrency=concurrency):
            store.remember([review])
            progress.done += 1
            if review.exposure is Exposure.FAILED:
                progress.failures[review.key.task_id] = review.error
            elif review.exposure is Exposure.WITHHELD:
                progress.withheld += 1
            else:
                progress.drafted += 1
                progress.suggestions += len(review.suggestions)
                outbox.add(review)
            on_progress(progress)
    except BudgetSpent as error:  # what is drafted is delivered; the next run goes on here
        progress.stopped = str(error)
    outbox.send()
    _mend(workspace, store=store, rollout=rollout, progress=progress)
    if progress.stored:
        workspace.pin(rollout)
    on_progress(progress)
    return progress


class _Outbox:
    """Drafts on their way to Label Studio; holds at most one chunk."""

    def __init__(self, workspace: Workspace, progress: Progress, on_progress: Callable[[Progress], None]) -> None:
        self._workspace = workspace
        self._progress = progress
        self._on_progress = on_progress
        self._waiting: list[Review] = []
        self._started = self._sent_at = time.monotonic()

    def add(self, review: Review) -> None:
        """Take a draft; send when a chunk is full or the oldest has waited long enough."""
        self._waiting.append(review)
        first = self._progress.seconds_to_first is None
        if first or len(self._waiting) >= CHUNK or time.monotonic() - self._sent_at > FLUSH_AFTER_S:
            self.send()

    def send(self) -> None:
        """Send what waits."""
        if not self._waiting:
            return
        created = self._workspace.push(self._waiting)
        if created != len(self._waiting):
            log.warning("Label Studio took %d of %d predictions", created, len(self._waiting))
        self._waiting.clear()
        self._sent_at = time.monotonic()
        if self._progress.seconds_to_first is None:
            self._progress.seconds_to_first = self._sent_at - self._started
            self._on_progress(self._progress)


def _in_parallel(tasks: Iterable[ReviewTask], *, desk: Desk, rollout: str, concurrency: int) -> Iterator[Review]:
    """Reviews as they get ready. Only a few tasks more than `concurrency` are read ahead, so memory stays flat."""
    pending: set[Future[Review]] = set()
    source = iter(tasks)
    with ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="inspect") as pool:
        try:
            while True:
                for task in islice(source, 2 * concurrency - len(pending)):
                    pending.add(pool.submit(review_task, task, desk=desk, rollout=rollout, bulk=True))
                if not pending:
                    return
                ready, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield future.result()
        finally:
            for future in pending:
                future.cancel()


def _mend(workspace: Workspace, *, store: ReviewStore, rollout: str, progress: Progress) -> None:
    """Read back what Label Studio holds; delete extras, send what is missing, until both agree."""
    for _ in range(MEND_ROUNDS):
        stored: defaultdict[int, list[StoredPrediction]] = defaultdict(list)
        for prediction in workspace.predictions(rollout=rollout):
            stored[prediction.task_id].append(prediction)
        store.remember_predictions(workspace.key, [p for found in stored.values() for p in found])
        drafted = store.drafted(workspace.key, rollout=rollout)
        wanted = {task_id: r for task_id, r in drafted.items() if r.exposure is not Exposure.WITHHELD}
        progress.stored = len(stored)
        extras = _extras(stored, wanted)
        missing = [wanted[task_id] for task_id in sorted(set(wanted) - set(stored)) if task_id in workspace.task_ids()]
        progress.undelivered = tuple(review.key.task_id for review in missing)
        if not extras and not missing:
            return
        progress.deleted += workspace.delete_predictions(extras)
        for start in range(0, len(missing), CHUNK):
            progress.resent += workspace.push(missing[start : start + CHUNK])
    log.error("Label Studio still lacks the predictions of %d tasks", len(progress.undelivered))


def _extras(stored: Mapping[int, Sequence[StoredPrediction]], wanted: Mapping[int, Review]) -> list[int]:
    """Ids of predictions beyond the one that each task should have; the one that fits the store's draft stays."""
    extras: list[int] = []
    for task_id, predictions in stored.items():
        if len(predictions) > 1:
            ours = {s.id for s in wanted[task_id].suggestions} if task_id in wanted else set()
            fitting = [p for p in predictions if ours and ours & set(p.region_ids)]
            keep = max(fitting or predictions, key=lambda p: p.id)
            extras.extend(p.id for p in predictions if p is not keep)
    return extras
