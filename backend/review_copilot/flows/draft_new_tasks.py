"""Find the new tasks of projects that draft them by themselves, and add them to the pending drafts. Knows ports only.

`flows.finish_pending` drafts and delivers them. A webhook tells at once where to look. The sweep looks too, because
Label Studio sends a webhook only once.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import timedelta

from review_copilot.domain.review import ReviewTask, TaskKey
from review_copilot.errors import CopilotError, LabelStudioNotFound
from review_copilot.flows.review_context import SetupOf, rollout_of
from review_copilot.flows.sweep import TASKS_CREATED
from review_copilot.ports import Store, Workspace, WorkspaceOpener

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=2)
"""Overlap with the previous search, for tasks that were committed late."""

WINDOW = 1000
"""Tasks that are compared with the store at a time."""


def add_new_tasks(workspace: Workspace, *, store: Store, setup_of: SetupOf, announced: Collection[int] = ()) -> int:
    """Add the tasks that are new since the last search and have no draft to the pending drafts.

    They are drafted under the pinned roll-out, whose drafts reviewers see. If the pinned version is not a roll-out of
    ours, they are drafted under that of the project's setup.

    Args:
        workspace: The project.
        store: The pending drafts. A project without a mark of new tasks has none.
        setup_of: Gives the setup of the project.
        announced: Ids of new tasks that Label Studio announced.

    Returns:
        Number of tasks added; those that are pending already are counted too.

    Raises:
        LabelStudioError: The project cannot be read.
    """
    key = workspace.key
    since = store.new_tasks_since(key)
    if since is None:
        return 0
    now = workspace.now()
    found = sorted(workspace.created(since=since).union(announced))
    rollout = rollout_for_new_tasks(workspace, store=store, setup_of=setup_of) if found else ""
    added = 0
    for start in range(0, len(found), WINDOW):
        ids = found[start : start + WINDOW]
        drafted = store.drafted(key, rollout=rollout, task_ids=ids).keys()
        done = drafted | store.failed(key, rollout=rollout, task_ids=ids)
        new = [ReviewTask(key=TaskKey(key, task_id), image="") for task_id in ids if task_id not in done]
        store.add_pending(new, rollout=rollout, due_in_s=0.0)
        added += len(new)
    if now is not None and now - OVERLAP > since:
        store.mark_new_tasks(key, now - OVERLAP)
    return added


def rollout_for_new_tasks(workspace: Workspace, *, store: Store, setup_of: SetupOf) -> str:
    """The pinned roll-out; without one of ours, the roll-out of the project's setup."""
    pinned = workspace.pinned()
    if pinned in store.rollouts(workspace.key):
        return pinned
    return rollout_of(workspace.key, store=store, setup_of=setup_of)


def add_announced_tasks(store: Store, *, opener: WorkspaceOpener, setup_of: SetupOf) -> int:
    """Process the inbox's events of new tasks; returns the number of tasks added to the pending drafts.

    Events of a project that cannot be read remain in the inbox.
    """
    notices = [notice for notice in store.waiting() if notice.action == TASKS_CREATED]
    added = 0
    for project_id in sorted({notice.project_id for notice in notices}):
        own = [notice for notice in notices if notice.project_id == project_id]
        try:
            if project_id:
                named = {task_id for notice in own for task_id in notice.task_ids}
                added += add_new_tasks(opener.open(project_id), store=store, setup_of=setup_of, announced=named)
        except LabelStudioNotFound as error:
            log.info("Removed %d events of new tasks: %s", len(own), error)
        except CopilotError as error:
            log.warning("The new tasks of project %d are postponed: %s", project_id, error)
            continue
        store.done([notice.id for notice in own])
    return added
