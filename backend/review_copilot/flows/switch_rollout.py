"""Switch from one roll-out's drafts to another's, forward or back. Knows ports only.

Tasks that a reviewer has started do not change: a task with a submission or an unfinished draft keeps the prediction
that it started from, and gets no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from review_copilot.domain.review import Exposure
from review_copilot.errors import StoreError
from review_copilot.flows.reconcile import extras, held
from review_copilot.ports import Store, Workspace

WINDOW = 1000
"""Tasks per step."""


@dataclass
class Change:
    """Result of a switch of roll-outs.

    Attributes:
        restored: Predictions restored from the store.
        removed: Predictions of the other roll-out that were removed.
        begun: Tasks that did not change because a reviewer has started them.
    """

    restored: int = 0
    removed: int = 0
    begun: int = 0


def retire(workspace: Workspace, *, rollout: str) -> Change:
    """Remove a roll-out's predictions, except for tasks that a reviewer has started. The store keeps all drafts."""
    change = Change()
    for ids in _windows(workspace):
        stored = held(workspace, rollout=rollout, task_ids=ids)
        begun = workspace.begun(list(stored)) if stored else frozenset()
        change.begun += len(begun)
        change.removed += workspace.delete_predictions(
            p.id for task_id, found in stored.items() if task_id not in begun for p in found
        )
    return change


def roll_back(workspace: Workspace, *, store: Store, to: str = "") -> tuple[str, Change]:
    """Restore an earlier roll-out's drafts from the store, without model calls, and remove the newer ones.

    Args:
        workspace: The project.
        store: Stores the drafts.
        to: Label to restore; empty for the one before the pinned label.

    Returns:
        The label that is now pinned, and the result.

    Raises:
        StoreError: There is no earlier roll-out.
        LabelStudioError: The project cannot be read or written.
    """
    pinned = workspace.pinned()
    label = to or _before(pinned, store.rollouts(workspace.key))
    change = Change()
    for ids in _windows(workspace):
        drafted = store.drafted(workspace.key, rollout=label, task_ids=ids)
        wanted = {task_id: review for task_id, review in drafted.items() if review.exposure is Exposure.SHOWN}
        stored = held(workspace, rollout=label, task_ids=ids)
        workspace.delete_predictions(extras(stored, wanted))
        begun = workspace.begun([task_id for task_id in wanted if task_id not in stored])
        missing = [wanted[i] for i in ids if i in wanted and i not in stored and i not in begun]
        change.restored += workspace.push(missing) if missing else 0
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


def _windows(workspace: Workspace) -> Iterator[Sequence[int]]:
    ids = sorted(workspace.task_ids())
    return (ids[start : start + WINDOW] for start in range(0, len(ids), WINDOW))
