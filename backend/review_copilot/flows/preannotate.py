"""Draft the tasks of a project before reviewers open them. Knows ports only.

Predictions are imported in chunks at least once and then compared with what Label Studio has:
extras are deleted, missing ones are sent again. After an interruption at any point, the next run continues, because
each draft is in the store before it is sent. Everything is read window by window, so memory does not grow with the
project.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from review_copilot.domain.review import Exposure, Review, ReviewTask
from review_copilot.domain.suggestion import Usage
from review_copilot.errors import NoFurtherCalls
from review_copilot.flows.mark_duplicates import mark_duplicates
from review_copilot.flows.reconcile import extras, held
from review_copilot.ports import Clock, Engine, ReviewStore, StoredPrediction, Workspace

log = logging.getLogger(__name__)

CHUNK = 1000
"""Predictions per import call. Label Studio recounts the project for each call (0.6 s at 10 000 tasks)."""
FLUSH_AFTER_S = 10.0
"""Drafts are sent at least this often, so that reviewers do not wait for a full chunk."""
WINDOW = 1000
"""Tasks that are compared with the store and with Label Studio at a time."""
MEND_ROUNDS = 3
"""Number of read-backs that may find differences before the run gives up and reports them."""


INTERRUPTED = "Interrupted."
"""Why a run ended that somebody stopped with Ctrl-C."""


@dataclass
class Progress:
    """Counts of a pre-annotation, passed to `on_progress` after each change.

    Attributes:
        total: Tasks of this run.
        done: Tasks that were processed or already had their draft.
        drafted: New drafts.
        resumed: Drafts that an earlier run made but did not deliver.
        skipped: Tasks that already had their draft, or that a reviewer has started.
        withheld: Tasks of the blind share, whose drafts are stored but not sent.
        suggestions: Suggestions in the new drafts. At the end, those that Label Studio stored.
        unstored: Suggestions in the new drafts that Label Studio does not have, because the label config cannot hold
            them.
        failures: Task id to reason, for tasks without a draft.
        stored: Predictions that Label Studio has under the roll-out at the end.
        resent: Predictions that a read-back did not find and that were sent again.
        deleted: Extra predictions that a read-back found and deleted.
        undelivered: Ids of tasks whose draft Label Studio did not store.
        seconds_to_first: Seconds until the first drafts were in Label Studio; None before that.
        alike: Tasks of the project with the same image as another task, or nearly; their drafts mention it.
        pinned: Whether the roll-out is pinned at the end.
        carried: Drafts of the replaced roll-out that were copied to this one.
        waiting: Tasks that have only a draft of the replaced roll-out, so that this one is not pinned.
        usage: Cost of this run's model calls, as far as the provider reports it and prices are known.
        stopped: Why the run ended early; empty if it did not.
        new: Ids of the tasks with a new draft.
        started_at: `time.monotonic()` at the start of the run.
    """

    total: int = 0
    done: int = 0
    drafted: int = 0
    resumed: int = 0
    skipped: int = 0
    withheld: int = 0
    suggestions: int = 0
    unstored: int = 0
    failures: dict[int, str] = field(default_factory=dict)
    stored: int = 0
    resent: int = 0
    deleted: int = 0
    undelivered: tuple[int, ...] = ()
    seconds_to_first: float | None = None
    alike: int = 0
    pinned: bool = False
    carried: int = 0
    waiting: int = 0
    usage: Usage = field(default_factory=Usage)
    stopped: str = ""
    new: set[int] = field(default_factory=set)
    started_at: float = field(default_factory=time.monotonic)

    @property
    def per_s(self) -> float:
        """Drafts per second since the start of the run."""
        return self.drafted / max(1e-9, time.monotonic() - self.started_at)

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds until the end, at the current rate; None before the first draft."""
        return (self.total - self.done) / self.per_s if self.drafted else None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which tasks a run drafts, and when it stops.

    Attributes:
        only: Task ids in ascending order; None for all tasks.
        limit: Maximum number of tasks to draft; None for all.
        budget_usd: The run stops after its model calls cost this amount; None for no limit.
        dry: Count what would be drafted and delivered, without doing it.
        replaces: Reviewers see the drafts of another version, which this roll-out is to replace: the run leaves tasks
            that a reviewer has started, and pins nothing. `flows.switch_rollout` decides when to pin.
    """

    only: Sequence[int] | None = None
    limit: int | None = None
    budget_usd: float | None = None
    dry: bool = False
    replaces: bool = False


EVERYTHING = Scope()


def preannotate(
    workspace: Workspace,
    *,
    engine: Engine,
    store: ReviewStore,
    rollout: str,
    clock: Clock,
    scope: Scope = EVERYTHING,
    remind: Callable[[Review], Review] = lambda review: review,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Store a prediction for every task without one under the roll-out, and pin the roll-out if it replaces none.

    It is pinned with its first drafts, because no reviewer sees a version that is not pinned.

    Args:
        workspace: The project.
        engine: Makes the drafts.
        store: Stores the drafts.
        rollout: The label to use and pin.
        clock: Gives the time of drafts that are written again.
        scope: Which tasks, and when to stop.
        remind: Adds facts about similar reviews to a draft.
        on_progress: Called in this thread after each task and each delivery.

    Returns:
        The final counts. In a dry run `drafted` and `resumed` count what would be done.

    Raises:
        LabelStudioError: The project cannot be read, or Label Studio rejected an import.
    """
    progress = Progress(total=workspace.count_tasks() if scope.only is None else len(scope.only))
    outbox = _Outbox(workspace, progress, on_progress, pins="" if scope.replaces else rollout)
    undone = islice(_undone(workspace, store=store, rollout=rollout, scope=scope, outbox=outbox), scope.limit)
    if scope.dry:
        progress.drafted = sum(1 for _ in undone)
        return progress
    try:
        for review in map(remind, engine.reviews(undone, rollout=rollout)):
            store.remember([review])
            _count(review, progress)
            if review.exposure is Exposure.SHOWN:
                outbox.add(review)
            on_progress(progress)
            if scope.budget_usd is not None and progress.usage.cost_usd >= scope.budget_usd:
                progress.stopped = f"The budget of {scope.budget_usd:g} US dollars is used up."
                break
    except NoFurtherCalls as error:  # finished drafts are delivered; the next run continues here
        progress.stopped = str(error)
    except KeyboardInterrupt:
        progress.stopped = INTERRUPTED
    outbox.send()
    progress.alike = mark_duplicates(workspace, store=store, rollout=rollout, clock=clock)
    _mend(workspace, store=store, rollout=rollout, progress=progress, leave_begun=scope.replaces)
    if progress.stored and not scope.replaces:
        workspace.pin(rollout)
        progress.pinned = True
    on_progress(progress)
    return progress


def _undone(
    workspace: Workspace, *, store: ReviewStore, rollout: str, scope: Scope, outbox: _Outbox
) -> Iterator[ReviewTask]:
    """Tasks without a draft; drafts that an earlier run did not deliver go to the outbox."""
    progress = outbox.progress
    tasks = workspace.tasks(only=scope.only)
    while window := list(islice(tasks, WINDOW)):
        ids = [task.key.task_id for task in window]
        delivered = held(workspace, rollout=rollout, task_ids=ids).keys()
        kept = store.drafted(workspace.key, rollout=rollout, task_ids=[i for i in ids if i not in delivered])
        begun = workspace.begun([i for i in ids if i not in delivered]) if scope.replaces else frozenset()
        for task in window:
            task_id = task.key.task_id
            if task_id in delivered or task_id in begun:
                progress.skipped += 1
            elif task_id in kept and kept[task_id].exposure is Exposure.WITHHELD:
                progress.withheld += 1
            elif task_id in kept:
                progress.resumed += 1
                if not scope.dry:
                    outbox.add(kept[task_id])
            else:
                yield task
                continue
            progress.done += 1


def _count(review: Review, progress: Progress) -> None:
    progress.done += 1
    progress.usage = progress.usage.plus(review.usage or Usage())
    if review.exposure is Exposure.FAILED:
        progress.failures[review.key.task_id] = review.error
    elif review.exposure is Exposure.WITHHELD:
        progress.withheld += 1
    else:
        progress.drafted += 1
        progress.new.add(review.key.task_id)
        progress.suggestions += len(review.suggestions)


class _Outbox:
    """Drafts to be sent to Label Studio; holds at most one chunk."""

    def __init__(
        self, workspace: Workspace, progress: Progress, on_progress: Callable[[Progress], None], *, pins: str
    ) -> None:
        self._workspace = workspace
        self._pins = pins
        self.progress = progress
        self._on_progress = on_progress
        self._waiting: list[Review] = []
        self._started = self._sent_at = time.monotonic()

    def add(self, review: Review) -> None:
        """Add a draft; send if the chunk is full or the oldest draft has waited long enough."""
        self._waiting.append(review)
        first = self.progress.seconds_to_first is None
        if first or len(self._waiting) >= CHUNK or time.monotonic() - self._sent_at > FLUSH_AFTER_S:
            self.send()

    def send(self) -> None:
        """Send all waiting drafts."""
        if not self._waiting:
            return
        created = self._workspace.push(self._waiting)
        if created != len(self._waiting):
            log.warning("Label Studio stored %d of %d predictions", created, len(self._waiting))
        self._waiting.clear()
        if self._pins and created:
            self._workspace.pin(self._pins)
            self._pins = ""
        self._sent_at = time.monotonic()
        if self.progress.seconds_to_first is None:
            self.progress.seconds_to_first = self._sent_at - self._started
            self._on_progress(self.progress)


@dataclass(frozen=True, slots=True)
class _Window:
    """Some tasks at the end of a read-back.

    Attributes:
        stored: Task id to its predictions in Label Studio.
        drafted: Task id to its draft in the store.
        missing: Ids of tasks whose draft Label Studio does not have.
    """

    stored: Mapping[int, Sequence[StoredPrediction]]
    drafted: Mapping[int, Review]
    missing: Sequence[int]


def _mend(workspace: Workspace, *, store: ReviewStore, rollout: str, progress: Progress, leave_begun: bool) -> None:
    """Read back Label Studio's predictions, window by window; delete extras and send missing ones until both agree."""
    stored = shown = drawn = 0
    undelivered: list[int] = []
    ids = sorted(workspace.task_ids())
    for start in range(0, len(ids), WINDOW):
        window = _mend_window(
            ids[start : start + WINDOW],
            workspace,
            store=store,
            rollout=rollout,
            progress=progress,
            leave_begun=leave_begun,
        )
        stored += len(window.stored)
        undelivered += window.missing
        new = [task_id for task_id in window.stored if task_id in progress.new]
        shown += sum(len(window.stored[task_id][-1].region_ids) for task_id in new)
        drawn += sum(len(window.drafted[task_id].suggestions) for task_id in new if task_id in window.drafted)
    progress.stored, progress.undelivered = stored, tuple(undelivered)
    progress.suggestions, progress.unstored = shown, max(0, drawn - shown)
    if undelivered:
        log.error("Label Studio still does not have the predictions of %d tasks", len(undelivered))


def _mend_window(
    ids: Sequence[int],
    workspace: Workspace,
    *,
    store: ReviewStore,
    rollout: str,
    progress: Progress,
    leave_begun: bool,
) -> _Window:
    """Make some tasks agree with the store, and return what they have at the end."""
    for last_round in (*[False] * (MEND_ROUNDS - 1), True):
        stored = held(workspace, rollout=rollout, task_ids=ids)
        store.remember_predictions(workspace.key, [p for found in stored.values() for p in found])
        drafted = store.drafted(workspace.key, rollout=rollout, task_ids=ids)
        wanted = {task_id: review for task_id, review in drafted.items() if review.exposure is Exposure.SHOWN}
        surplus = extras(stored, wanted)
        lacking = [task_id for task_id in ids if task_id in wanted and task_id not in stored]
        begun = workspace.begun(lacking) if lacking and leave_begun else frozenset()
        missing = [wanted[task_id] for task_id in lacking if task_id not in begun]
        if last_round or not (surplus or missing):
            break
        progress.deleted += workspace.delete_predictions(surplus)
        if missing:
            progress.resent += workspace.push(missing)
    return _Window(stored, drafted, [review.key.task_id for review in missing])
