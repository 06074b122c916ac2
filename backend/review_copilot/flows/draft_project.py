"""Draft a project with its current setup, as one roll-out. Knows ports only.

This module decides what a roll-out does: the previous roll-out's drafts are removed when the whole project has the new
ones, and tasks that a reviewer has started keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from review_copilot.domain.review import ProjectKey, Review
from review_copilot.flows.learn_from_reviews import Learning, SimilarReviewNotes, learn
from review_copilot.flows.preannotate import EVERYTHING, Progress, Scope, preannotate
from review_copilot.flows.switch_rollout import retire
from review_copilot.ports import Engine, Workspace, WorkspaceOpener


@dataclass(frozen=True)
class DraftingTools:
    """What is needed to draft a project, besides the project itself.

    Attributes:
        engine: Drafts the tasks.
        learning: Learns the features of the project's reviewed regions; holds the store, the images, and the clock.
        opener_of: Opens a project, for the crops of reviewed regions.
    """

    engine: Engine
    learning: Learning
    opener_of: Callable[[ProjectKey], WorkspaceOpener | None]


@dataclass(frozen=True)
class DraftedProject:
    """Result of a run.

    Attributes:
        rollout: Label of the drafts.
        progress: Counts of the run.
        removed: Predictions of the previous roll-out that were removed.
    """

    rollout: str
    progress: Progress
    removed: int = 0


def draft_project(
    workspace: Workspace,
    *,
    rollout: str,
    tools: DraftingTools,
    scope: Scope = EVERYTHING,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> DraftedProject:
    """Draft every task that has no draft under a roll-out, deliver the drafts, and pin the roll-out.

    Args:
        workspace: The project.
        rollout: Label of the drafts.
        tools: What is needed to draft.
        scope: Which tasks, and when to stop; `leave_begun` is set here.
        on_progress: Called after each task and each delivery.

    Returns:
        The result. A dry run changes nothing, and its counts show what would be done.

    Raises:
        LabelStudioError: The project cannot be read, or Label Studio rejected an import.
    """
    learning = tools.learning
    before = workspace.pinned()
    replaces = before if _is_earlier(before, rollout, known=learning.store.rollouts(workspace.key)) else ""
    remind: Callable[[Review], Review] = SimilarReviewNotes(learning.store)
    if not scope.dry:
        learn(workspace.key, learning=learning, opener=tools.opener_of(workspace.key))
    progress = preannotate(
        workspace,
        engine=tools.engine,
        store=learning.store,
        rollout=rollout,
        clock=learning.clock,
        scope=replace(scope, leave_begun=bool(replaces)),
        remind=remind,
        on_progress=on_progress,
    )
    complete = scope.only is None and scope.limit is None and not scope.dry and not progress.stopped
    removed = retire(workspace, rollout=replaces).removed if replaces and complete else 0
    return DraftedProject(rollout, progress, removed)


def _is_earlier(pinned: str, rollout: str, *, known: Sequence[str]) -> bool:
    """Whether the pinned version is another roll-out of ours: external predictions are never removed."""
    return pinned != rollout and pinned in known
