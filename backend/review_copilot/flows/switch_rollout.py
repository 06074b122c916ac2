"""Switch from one roll-out's drafts to another's, forward or back. Knows ports only.

Reviewers see the drafts of the pinned roll-out. Another one is pinned only when no task would lose its draft, and the
one that was pinned before is kept until the next switch: Label Studio rejects a submission that started from a
deleted prediction, and reviewers may have tasks open.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from review_copilot.domain.review import Exposure
from review_copilot.errors import StoreError
from review_copilot.flows.reconcile import extras, held
from review_copilot.flows.sweep import sweep_project
from review_copilot.ports import Clock, Store, Workspace
from review_copilot.suggest.drafting import carried

log = logging.getLogger(__name__)

WINDOW = 1000
"""Tasks per step."""


@dataclass
class Change:
    """Result of a switch of roll-outs.

    Attributes:
        restored: Predictions restored from the store.
        carried: Predictions copied from the roll-out that was pinned before.
        removed: Predictions of other roll-outs that were removed.
        begun: Tasks that did not change because a reviewer has started them.
    """

    restored: int = 0
    carried: int = 0
    removed: int = 0
    begun: int = 0


@dataclass(frozen=True, slots=True)
class Lacking:
    """Tasks with a draft of the old roll-out and none of the new one, whose draft neither failed nor is withheld.

    Attributes:
        open: Ids of tasks that no reviewer has started.
        begun: Ids of tasks that a reviewer has started.
    """

    open: tuple[int, ...] = ()
    begun: tuple[int, ...] = ()


def lacking(workspace: Workspace, *, store: Store, old: str, new: str) -> Lacking:
    """The tasks that would lose their draft if the new roll-out were pinned now."""
    left: list[int] = []
    for ids in _windows(workspace.task_ids()):
        had = held(workspace, rollout=old, task_ids=ids).keys()
        missing = sorted(had - held(workspace, rollout=new, task_ids=ids).keys())
        drafted = store.drafted(workspace.key, rollout=new, task_ids=missing)
        settled = {task_id for task_id, review in drafted.items() if review.exposure is Exposure.WITHHELD}
        settled |= store.failed(workspace.key, rollout=new, task_ids=missing)
        left += [task_id for task_id in missing if task_id not in settled]
    begun = workspace.begun(left) if left else frozenset()
    return Lacking(tuple(i for i in left if i not in begun), tuple(i for i in left if i in begun))


def carry_over(
    workspace: Workspace, *, store: Store, old: str, new: str, task_ids: Collection[int], clock: Clock
) -> int:
    """Copy the old roll-out's predictions of these tasks to the new one, without an image and without a model.

    Returns:
        Number of tasks that have a prediction under the new roll-out at the end.
    """
    copied = 0
    for ids in _windows(task_ids):
        stored = held(workspace, rollout=old, task_ids=ids)
        store.remember_predictions(workspace.key, [p for found in stored.values() for p in found])
        drafted = store.drafted(workspace.key, rollout=old, task_ids=list(stored))
        now = clock.now()
        store.remember([carried(review, rollout=new, now=now) for review in drafted.values()])
        workspace.copy_predictions(old, to=new, task_ids=list(stored))
        copies = held(workspace, rollout=new, task_ids=ids)
        store.remember_predictions(workspace.key, [p for found in copies.values() for p in found])
        copied += len(copies)
    return copied


def remove_older(workspace: Workspace, *, store: Store, keep: Collection[str]) -> int:
    """Delete the predictions of all our roll-outs but these, version by version; returns how many.

    The log is brought up to date first. After that, Label Studio no longer tells which prediction an annotation
    started from; the log does.
    """
    old = [version for version in workspace.versions() if version in store.rollouts(workspace.key)]
    surplus = [version for version in old if version not in keep and version != workspace.pinned()]
    if surplus:
        sweep_project(workspace, store=store, deleted_tasks=False)
    return sum(workspace.delete_version(version) for version in surplus)


def retire(workspace: Workspace, *, rollout: str) -> Change:
    """Remove a roll-out's predictions, except for tasks that a reviewer has started. The store keeps all drafts."""
    change = Change()
    for ids in _windows(workspace.task_ids()):
        stored = held(workspace, rollout=rollout, task_ids=ids)
        begun = workspace.begun(list(stored)) if stored else frozenset()
        change.begun += len(begun)
        change.removed += workspace.delete_predictions(
            p.id for task_id, found in stored.items() if task_id not in begun for p in found
        )
    return change


def roll_back(workspace: Workspace, *, store: Store, clock: Clock, to: str = "") -> tuple[str, Change]:
    """Show an earlier roll-out's drafts again, without model calls, and remove the newer ones.

    Drafts that Label Studio no longer has are restored from the store. Tasks that have only a newer draft, and those
    that a reviewer started from one, get a copy of it. Only then is the earlier roll-out pinned.

    Args:
        workspace: The project.
        store: Stores the drafts.
        clock: Gives the time of copied drafts.
        to: Label to restore; empty for the one before the pinned label.

    Returns:
        The label that is now pinned, and the result.

    Raises:
        StoreError: There is no earlier roll-out, or it has no draft.
        LabelStudioError: The project cannot be read or written.
    """
    pinned = workspace.pinned()
    label = to or _before(pinned, store.rollouts(workspace.key))
    if not workspace.versions().get(label) and not store.drafted(workspace.key, rollout=label):
        raise StoreError(
            f"No draft of the roll-out {label!r} is stored.",
            hint="`review-copilot predictions list` shows what is stored.",
        )
    change = Change()
    for ids in _windows(workspace.task_ids()):
        drafted = store.drafted(workspace.key, rollout=label, task_ids=ids)
        wanted = {task_id: review for task_id, review in drafted.items() if review.exposure is Exposure.SHOWN}
        stored = held(workspace, rollout=label, task_ids=ids)
        workspace.delete_predictions(extras(stored, wanted))
        begun = workspace.begun([task_id for task_id in wanted if task_id not in stored])
        missing = [wanted[i] for i in ids if i in wanted and i not in stored and i not in begun]
        change.restored += workspace.push(missing) if missing else 0
    if pinned and pinned != label:
        left = lacking(workspace, store=store, old=pinned, new=label)
        ours = pinned in store.rollouts(workspace.key)
        if ours and (without := (*left.open, *left.begun)):
            change.carried = carry_over(workspace, store=store, old=pinned, new=label, task_ids=without, clock=clock)
    workspace.pin(label)
    if pinned and pinned != label:
        retired = retire(workspace, rollout=pinned)
        change.removed, change.begun = retired.removed, retired.begun
    return label, change


def _before(pinned: str, labels: Sequence[str]) -> str:
    """The roll-out before the pinned one.

    Raises:
        StoreError: There is no earlier roll-out.
    """
    earlier = labels[: labels.index(pinned)] if pinned in labels else labels
    if not earlier:
        raise StoreError(
            f"There is no roll-out before {pinned!r}." if pinned else "The project has no roll-out yet.",
            hint="`review-copilot predictions list` shows what is stored.",
        )
    return earlier[-1]


def _windows(task_ids: Collection[int]) -> Iterator[Sequence[int]]:
    ids = sorted(task_ids)
    return (ids[start : start + WINDOW] for start in range(0, len(ids), WINDOW))
