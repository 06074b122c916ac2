"""Bring the override log up to date with Label Studio. Knows ports only.

Label Studio's REST API is the source of truth; a webhook only says where to look first. Sweeping twice changes nothing.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from review_copilot.compare import compare
from review_copilot.domain.override import SubmittedAnnotation
from review_copilot.domain.review import ProjectKey, TaskKey
from review_copilot.errors import CopilotError, LabelStudioNotFound
from review_copilot.ports import Appended, Store, SweepPoint, TaskState, WebhookNotice, Workspace, WorkspaceOpener

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=2)
"""Overlap with the previous sweep, for rows that were committed late and clocks that differ."""

UNREADABLE = "TASK_UNREADABLE"
"""Name of the inbox event for a task that Label Studio could not read. No event of Label Studio has this name."""

TASKS_CREATED = "TASKS_CREATED"
"""Label Studio's name of the event for new tasks. `flows.draft_new_tasks` processes it; it says nothing of the log."""

TRIED_AGAIN = 20
"""Maximum number of such tasks that one sweep tries again: each one causes failed requests."""

KEEP_EVERY = 100
"""Number of tasks (one page) after which a running sweep stores its position."""


@dataclass
class SweepReport:
    """Result of a sweep.

    Attributes:
        tasks: Tasks that were read.
        annotations: Annotations that were compared.
        revisions: Revisions that were new to the log.
        rows: Rows that were new to the log.
        deleted: Annotations found deleted.
        unreadable: Tasks that Label Studio itself cannot read; each sweep tries them again.
        missed: Changes (new revisions and deletions) without a webhook; 0 for a project's first sweep.
        problems: Sentences about what could not be read.
    """

    tasks: int = 0
    annotations: int = 0
    revisions: int = 0
    rows: int = 0
    deleted: int = 0
    unreadable: frozenset[TaskKey] = frozenset()
    missed: int = 0
    problems: tuple[str, ...] = ()

    def __add__(self, other: SweepReport) -> SweepReport:
        """The sum of both reports."""
        return SweepReport(
            self.tasks + other.tasks,
            self.annotations + other.annotations,
            self.revisions + other.revisions,
            self.rows + other.rows,
            self.deleted + other.deleted,
            self.unreadable | other.unreadable,
            self.missed + other.missed,
            tuple(dict.fromkeys((*self.problems, *other.problems))),
        )


def sweep_project(
    workspace: Workspace, *, store: Store, everything: bool = False, deleted_tasks: bool = True
) -> SweepReport:
    """Compare every task of a project that changed since the last sweep.

    An interrupted sweep continues where it stopped. Changes made during a sweep, also on tasks that were already
    read, are in the next sweep's window: the bookmark never moves past the latest change at the start of the sweep.

    Args:
        workspace: The project.
        store: The log.
        everything: Read all tasks, regardless of the bookmark.
        deleted_tasks: Also find deleted tasks, which requires the ids of all tasks.

    Raises:
        LabelStudioError: The project cannot be read; tasks that were swept before remain in the log.
    """
    key = workspace.key
    first = store.bookmark(key) is None
    point = _starting_point(workspace, store=store, everything=everything)
    report = _try_again(workspace, store=store)
    changes: Counter[int] = Counter()
    for number, state in enumerate(workspace.changed(since=point.since, after=point.after), start=1):
        done = sweep_task(state, workspace=workspace, store=store)
        report += done
        changes[state.key.task_id] += done.revisions + done.deleted
        if number % KEEP_EVERY == 0:
            store.keep_sweep(key, replace(point, after=state.key.task_id))
    # A task whose only annotation was deleted is not among the annotated ones.
    if point.since is None and (unseen := store.living_tasks(key) - changes.keys()):
        for state in workspace.states(sorted(unseen - workspace.annotated())):
            done = sweep_task(state, workspace=workspace, store=store)
            report += done
            changes[state.key.task_id] += done.revisions + done.deleted
    if deleted_tasks and (living := store.living_tasks(key)):
        for task_id in sorted(living - workspace.task_ids()):
            deleted = store.record_deletion(TaskKey(key, task_id))
            report.deleted += deleted
            changes[task_id] += deleted
    if point.up_to is not None:
        store.move_bookmark(key, point.up_to, back=point.since is None)
    store.keep_sweep(key, None)
    report.missed = 0 if first else _not_announced(changes, key=key, store=store)
    return report


def _starting_point(workspace: Workspace, *, store: Store, everything: bool) -> SweepPoint:
    unfinished = store.unfinished_sweep(workspace.key)
    if unfinished is not None and not (everything and unfinished.since is not None):
        return unfinished
    bookmark = None if everything else store.bookmark(workspace.key)
    since, up_to, now = bookmark and bookmark - OVERLAP, workspace.latest_change(), workspace.now()
    if since and now and now < since:
        log.warning(
            "Label Studio's clock was set back to %s: the sweep reads all annotated tasks, regardless of their time",
            now,
        )
        since = None
    point = SweepPoint(since=since, up_to=min(up_to, now) if up_to and now else up_to)
    store.keep_sweep(workspace.key, point)
    return point


def _not_announced(changes: Counter[int], *, key: ProjectKey, store: Store) -> int:
    """Number of changes without an event, including events that wait in the inbox."""
    if not changes.total():
        return 0
    waiting = [
        wake
        for wake in store.waiting()
        if wake.action not in {UNREADABLE, TASKS_CREATED} and wake.project_id in {0, key.project_id}
    ]
    if any(wake.project_id and not wake.task_ids for wake in waiting):
        return 0
    announced = {task_id for wake in waiting for task_id in wake.task_ids}
    return sum(count for task_id, count in changes.items() if task_id not in announced)


def sweep_task(state: TaskState, *, workspace: Workspace, store: Store) -> SweepReport:
    """Compare all annotations of one task with what their reviewers saw, and log deletions.

    A task that Label Studio cannot read is added to the inbox, for the next sweep of its project.

    If a read has an earlier time than the log, the task is read again: either the task changed when
    the first read was logged, or Label Studio's clock was set back. The second read is newer than the log in any case.
    """
    if state.unreadable:
        _try_later(state.key, store=store)
        return _unreadable(state)
    _learn_origins(state, workspace=workspace, store=store)
    appended = _append(state, store=store)
    annotations = state.annotations
    if appended.late:
        for again in workspace.states([state.key.task_id]):
            if again.unreadable:
                return sweep_task(again, workspace=workspace, store=store)
            _learn_origins(again, workspace=workspace, store=store)
            more = _append(again, store=store, surely_newest=True)
            annotations = again.annotations
            appended = Appended(appended.revisions + more.revisions, appended.rows + more.rows)
    report = SweepReport(
        tasks=1,
        annotations=len(annotations),
        revisions=appended.revisions,
        rows=appended.rows,
        problems=state.problems,
    )
    gone = store.living(state.key) - {annotation.annotation_id for annotation in annotations}
    if gone:
        report.deleted += store.record_deletion(state.key, annotation_ids=gone)
    return report


def _try_later(key: TaskKey, *, store: Store) -> None:
    notice = _notice(key)
    if not any(replace(waiting, id=0) == notice for waiting in store.waiting()):
        store.put(notice)


def _try_again(workspace: Workspace, *, store: Store) -> SweepReport:
    """Sweep the tasks that Label Studio could not read before; still unreadable ones go to the end of the queue."""
    key, report = workspace.key, SweepReport()
    ours = (UNREADABLE, key.instance, key.project_id)
    owed = [w for w in store.waiting() if (w.action, w.instance, w.project_id) == ours][:TRIED_AGAIN]
    if owed:
        for state in workspace.states([task_id for notice in owed for task_id in notice.task_ids]):
            if state.unreadable:
                store.put(_notice(state.key))
                report += _unreadable(state)
            else:
                report += sweep_task(state, workspace=workspace, store=store)
        store.done([notice.id for notice in owed])
    return report


def _unreadable(state: TaskState) -> SweepReport:
    return SweepReport(tasks=1, unreadable=frozenset({state.key}), problems=state.problems)


def _notice(key: TaskKey) -> WebhookNotice:
    return WebhookNotice(0, key.project.instance, key.project.project_id, (key.task_id,), UNREADABLE)


def _learn_origins(state: TaskState, *, workspace: Workspace, store: Store) -> None:
    """Read the predictions that annotations started from and that are not in the store.

    A prediction of another model is stored as such. One of ours without its review (the database is new, or an older
    backup was restored) is read back: without it, kept suggestions would look like regions that the reviewer added.
    """
    began_from = {a.parent_prediction for a in state.annotations if a.parent_prediction is not None}
    unknown = began_from - {prediction.id for prediction in store.predictions_of(state.key)} if began_from else set()
    if not unknown:
        return
    origins = [origin for origin in workspace.origins(unknown) if origin.stored.task_id == state.key.task_id]
    rollouts = {review.provenance.rollout for review in store.recall(state.key)}
    rebuilt = [o.review for o in origins if o.review is not None and o.stored.model_version not in rollouts]
    if rebuilt:
        log.warning("Task %d: read %d drafts back from predictions", state.key.task_id, len(rebuilt))
        store.remember(rebuilt)
    store.remember_predictions(state.key.project, [origin.stored for origin in origins])


def _append(state: TaskState, *, store: Store, surely_newest: bool = False) -> Appended:
    reviews, predictions, known = store.recall(state.key), store.predictions_of(state.key), store.newest(state.key)
    annotations = (_as_asked(annotation, known.get(annotation.annotation_id)) for annotation in state.annotations)
    compared = (compare(annotation, reviews, predictions=predictions) for annotation in annotations)
    return store.append_all(compared, surely_newest=surely_newest)


def _as_asked(annotation: SubmittedAnnotation, known: SubmittedAnnotation | None) -> SubmittedAnnotation:
    """The annotation, read with the label config of its first log entry, if it has not changed since then.

    A field that was added to the label config later was not left empty by the reviewer: it did not exist. An
    annotation also keeps the prediction that it started from: when Label Studio deletes a prediction, it forgets this.
    """
    if known is not None and annotation.parent_prediction is None:
        annotation = replace(annotation, parent_prediction=known.parent_prediction)
    read = annotation.content_hash, annotation.updated_at
    if known is None or read != (known.content_hash, known.updated_at):
        return annotation
    return replace(annotation, asked=known.asked)


def empty_inbox(
    store: Store,
    *,
    opener: WorkspaceOpener,
    limit: int = 1000,
) -> SweepReport:
    """Sweep the tasks named in webhooks, project by project, and mark the events as done.

    Events of a project that cannot be read remain in the inbox, and later ones of other projects are still processed.
    Events of a deleted project are removed.

    Args:
        store: The log.
        opener: Opens projects.
        limit: Events that are read at a time, until none is left.
    """
    report, unread, after = SweepReport(), set[int](), 0
    while page := store.waiting(limit=limit, after=after):
        after = page[-1].id
        waiting = [notice for notice in page if notice.action not in {UNREADABLE, TASKS_CREATED}]
        report += _look_at(waiting, store=store, opener=opener, unread=unread)
        if len(page) < limit:
            break
    return report


def _look_at(
    waiting: Sequence[WebhookNotice], *, store: Store, opener: WorkspaceOpener, unread: set[int]
) -> SweepReport:
    """Sweep the tasks of these events. Projects that cannot be read are added to `unread`, and not opened again."""
    report = SweepReport()
    by_wake = _by_notice(waiting, store=store)
    by_project: defaultdict[int, list[frozenset[int]]] = defaultdict(list)
    for tasks_by_project in by_wake.values():
        for project_id, task_ids in tasks_by_project.items():
            by_project[project_id].append(task_ids)
    for project_id, groups in by_project.items():
        if project_id in unread:
            continue
        try:
            workspace = opener.open(project_id)
            report += _look(workspace, store=store, task_ids=frozenset().union(*groups), whole=not all(groups))
        except LabelStudioNotFound as error:
            report.problems += (str(error),)
        except CopilotError as error:
            report.problems += (f"The events of project {project_id} remain in the inbox: {error}",)
            unread.add(project_id)
    store.done([wake_id for wake_id, tasks_by_project in by_wake.items() if unread.isdisjoint(tasks_by_project)])
    return report


def _by_notice(waiting: Sequence[WebhookNotice], *, store: Store) -> dict[int, dict[int, frozenset[int]]]:
    """Inbox id to the tasks of an event, by project; no tasks mean the whole project.

    An event of deleted tasks may not name a project. Task ids are unique in a Label Studio, so the log can find it.
    """
    living: dict[ProjectKey, frozenset[int]] = {}
    if any(not wake.project_id for wake in waiting):
        living = {project: store.living_tasks(project) for project in store.projects()}
    found = {}
    for wake in waiting:
        named = frozenset(wake.task_ids)
        of_these = {
            project.project_id: named & tasks
            for project, tasks in living.items()
            if project.instance == wake.instance and named & tasks
        }
        found[wake.id] = {wake.project_id: named} if wake.project_id else of_these
    return found


def _look(workspace: Workspace, *, store: Store, task_ids: Iterable[int], whole: bool) -> SweepReport:
    if whole:
        return sweep_project(workspace, store=store, deleted_tasks=False)
    report = SweepReport()
    wanted = sorted(task_ids)
    found = set()
    for state in workspace.states(wanted):
        found.add(state.key.task_id)
        report += sweep_task(state, workspace=workspace, store=store)
    for task_id in wanted:
        if task_id not in found:
            report.deleted += store.record_deletion(TaskKey(workspace.key, task_id))
    return report
