"""Name tasks with the same image in each other's drafts. Knows ports only.

A draft names them in its summary and in the evidence of each suggestion. Drafts are made one by one, and which images
are alike is known only at the end: a draft delivered without the remark is replaced, unless a reviewer has started.
"""

from __future__ import annotations

from collections.abc import Sequence

from review_copilot.domain.review import Exposure
from review_copilot.flows.reconcile import held
from review_copilot.ports import Clock, ReviewStore, Workspace
from review_copilot.suggest.drafting import remarked
from review_copilot.suggest.fingerprints import Likeness, likenesses

WINDOW = 500
"""Drafts that are replaced at a time."""
MOST_NAMED = 3
"""Maximum number of tasks named in one sentence."""


def mark_duplicates(workspace: Workspace, *, store: ReviewStore, rollout: str, clock: Clock) -> int:
    """Replace the drafts that do not name the other tasks with the same image yet.

    The new draft is stored, then sent, and the old prediction is deleted last. Of two predictions under one label,
    Label Studio shows the newest. After a crash in between, the next run deletes the older one.

    Returns:
        Number of tasks in the project that show the same image as another task.
    """
    living = workspace.task_ids()
    alike = likenesses(p for p in store.pictures(workspace.key) if p.task_id in living)
    task_ids = sorted(alike)
    for start in range(0, len(task_ids), WINDOW):
        drafted = store.drafted(workspace.key, rollout=rollout, task_ids=task_ids[start : start + WINDOW])
        shown = {task_id: review for task_id, review in drafted.items() if review.exposure is Exposure.SHOWN}
        facts = {task_id: _facts(alike[task_id]) for task_id in shown}
        untold = [task_id for task_id, review in shown.items() if review.remark != _sentences(facts[task_id])]
        free = sorted(set(untold) - workspace.begun(untold)) if untold else []
        if not free:
            continue
        stored = held(workspace, rollout=rollout, task_ids=free)
        store.remember_predictions(workspace.key, [p for found in stored.values() for p in found])
        now = clock.now()
        told = [remarked(shown[i], remark=_sentences(facts[i]), evidence=facts[i], now=now) for i in free]
        store.remember(told)
        workspace.push(told)
        sent = held(workspace, rollout=rollout, task_ids=free)
        replaced = {p.id for task_id, found in stored.items() if len(sent.get(task_id, ())) > len(found) for p in found}
        workspace.delete_predictions(sorted(replaced))
    return len(alike)


def _facts(likeness: Likeness) -> dict[str, str]:
    """The remarks, by their name in the evidence."""
    return {
        name: _named(task_ids)
        for name, task_ids in (("same_file_as", likeness.same), ("nearly_same_picture_as", likeness.near))
        if task_ids
    }


def _sentences(facts: dict[str, str]) -> str:
    words = {"same_file_as": "The same file as", "nearly_same_picture_as": "Nearly the same picture as"}
    return " ".join(f"{words[name]} {tasks}." for name, tasks in facts.items())


def _named(task_ids: Sequence[int]) -> str:
    first = [str(task_id) for task_id in task_ids[:MOST_NAMED]]
    if len(task_ids) > MOST_NAMED:
        return f"tasks {', '.join(first)} and others"
    return f"task {first[0]}" if len(first) == 1 else f"tasks {', '.join(first[:-1])} and {first[-1]}"
