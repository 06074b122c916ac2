"""Bring the override log up to date with Label Studio. Knows ports only.

Label Studio's REST API is the truth; a webhook only says where to look first. Sweeping twice changes nothing.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from review_copilot.compare import compare
from review_copilot.domain.review import TaskKey
from review_copilot.errors import CopilotError, LabelStudioNotFound
from review_copilot.ports import Store, TaskState, Workspace, WorkspaceOpener

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=2)
"""Each sweep looks again at this much of the last one, for rows that were committed late or clocks that differ."""


@dataclass
class SweepReport:
    """What a sweep did.

    Attributes:
        tasks: Tasks that were read.
        annotations: Annotations that were compared.
        revisions: Revisions that were new to the log.
        rows: Rows that were new to the log.
        deleted: Annotations found deleted.
        problems: Sentences about what could not be read.
    """

    tasks: int = 0
    annotations: int = 0
    revisions: int = 0
    rows: int = 0
    deleted: int = 0
    problems: tuple[str, ...] = ()

    def __add__(self, other: SweepReport) -> SweepReport:
        """Both reports in one."""
        return SweepReport(
            self.tasks + other.tasks,
            self.annotations + other.annotations,
            self.revisions + other.revisions,
            self.rows + other.rows,
            self.deleted + other.deleted,
            (*self.problems, *other.problems),
        )


def sweep_project(workspace: Workspace, *, store: Store, everything: bool = False) -> SweepReport:
    """Compare every task of a project that changed since the last sweep.

    Args:
        workspace: The project.
        store: The log.
        everything: Look at all tasks, whatever the bookmark says.

    Raises:
        LabelStudioError: The project cannot be read; what was swept until then is kept.
    """
    bookmark = None if everything else store.bookmark(workspace.key)
    report = SweepReport()
    newest = bookmark
    for state in workspace.changed(since=bookmark and bookmark - OVERLAP):
        report += sweep_task(state, store=store)
        newest = max(newest, state.updated_at) if newest else state.updated_at
    gone = store.living_tasks(workspace.key) - workspace.task_ids()
    report.deleted += sum(store.bury(TaskKey(workspace.key, task_id)) for task_id in sorted(gone))
    if newest is not None:
        store.move_bookmark(workspace.key, newest)
    return report


def sweep_task(state: TaskState, *, store: Store) -> SweepReport:
    """Compare all annotations of one task with what their reviewers saw, and note which are gone."""
    reviews = store.recall(state.key)
    predictions = store.predictions_of(state.key)
    report = SweepReport(tasks=1, annotations=len(state.annotations), problems=state.problems)
    for annotation in state.annotations:
        appended = store.append(compare(annotation, reviews, predictions=predictions))
        report.revisions += appended.revisions
        report.rows += appended.rows
    gone = store.living(state.key) - {annotation.annotation_id for annotation in state.annotations}
    if gone:
        report.deleted += store.bury(state.key, annotation_ids=gone)
    return report


def empty_inbox(
    store: Store,
    *,
    opener: WorkspaceOpener,
    limit: int = 1000,
) -> SweepReport:
    """Look at the tasks that webhooks named, project by project, and mark the events as done.

    Events of a project that cannot be read stay in the inbox; a project that is gone is let go of.
    """
    report = SweepReport()
    waiting = store.waiting(limit=limit)
    by_project: defaultdict[int, list[int]] = defaultdict(list)
    for wake in waiting:
        by_project[wake.project_id].append(wake.id)
    tasks = {
        project_id: {task_id for wake in waiting if wake.project_id == project_id for task_id in wake.task_ids}
        for project_id in by_project
    }
    whole = {wake.project_id for wake in waiting if not wake.task_ids}
    for project_id, wake_ids in by_project.items():
        try:
            if project_id:
                workspace = opener.open(project_id)
                report += _look(workspace, store=store, task_ids=tasks[project_id], whole=project_id in whole)
        except LabelStudioNotFound as error:
            report.problems += (str(error),)
        except CopilotError as error:
            report.problems += (f"Project {project_id} is left in the inbox: {error}",)
            continue
        store.done(wake_ids)
    return report


def _look(workspace: Workspace, *, store: Store, task_ids: Iterable[int], whole: bool) -> SweepReport:
    if whole:
        return sweep_project(workspace, store=store)
    report = SweepReport()
    wanted = sorted(task_ids)
    found = set()
    for state in workspace.states(wanted):
        found.add(state.key.task_id)
        report += sweep_task(state, store=store)
    for task_id in wanted:
        if task_id not in found:
            report.deleted += store.bury(TaskKey(workspace.key, task_id))
    return report
