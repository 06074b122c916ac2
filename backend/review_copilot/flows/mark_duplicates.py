"""Say in the drafts of a project which tasks show the same picture. Knows ports only.

A draft says so in its summary and in the evidence of each suggestion. Drafts are made one by one, and which pictures
are alike is known only at the end: what was delivered without the words is replaced, unless a reviewer has begun.
"""

from __future__ import annotations

from collections.abc import Sequence

from review_copilot.domain.review import Exposure
from review_copilot.flows.reconcile import held
from review_copilot.ports import Clock, ReviewStore, Workspace
from review_copilot.suggest.drafting import remarked
from review_copilot.suggest.fingerprints import Likeness, likenesses

WINDOW = 500
"""Tasks whose drafts are replaced at once."""
MOST_NAMED = 3
"""Tasks that a sentence names."""


def mark_duplicates(workspace: Workspace, *, store: ReviewStore, rollout: str, clock: Clock) -> int:
    """Replace the drafts that do not yet say what other tasks show the same picture.

    The old prediction is deleted first and the new draft is kept before it is sent: killed in between, the task has
    no prediction and its draft is in the store, which is what the next run delivers.

    Returns:
        How many tasks of the project show what another task shows.
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
        workspace.delete_predictions([p.id for found in stored.values() for p in found])
        now = clock.now()
        told = [remarked(shown[i], remark=_sentences(facts[i]), evidence=facts[i], now=now) for i in free]
        store.remember(told)
        workspace.push(told)
    return len(alike)


def _facts(likeness: Likeness) -> dict[str, str]:
    """What is told, by the name that it has in the evidence."""
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
