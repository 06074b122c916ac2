"""Draft a project with its current setup, as one roll-out. Knows ports only.

This module decides when a roll-out is pinned: when no task would lose its draft. The drafts of the roll-out before it
are kept until the next one is pinned, and tasks that a reviewer has started keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from review_copilot.domain.review import ProjectKey, Review
from review_copilot.flows.learn_from_reviews import Learning, SimilarReviewNotes, learn
from review_copilot.flows.preannotate import EVERYTHING, INTERRUPTED, Progress, Scope, preannotate
from review_copilot.flows.switch_rollout import carry_over, lacking, remove_older
from review_copilot.ports import Engine, Workspace, WorkspaceOpener
from review_copilot.suggest.drafting import rejected

NOT_STORED = "Label Studio did not store the draft."
"""Why a task has no draft although one was made; the backend's log has the details."""


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
        removed: Predictions of older roll-outs that were removed.
        replaces: The version that was pinned before, if it had drafts; empty if there was none.
    """

    rollout: str
    progress: Progress
    removed: int = 0
    replaces: str = ""


def draft_project(
    workspace: Workspace,
    *,
    rollout: str,
    tools: DraftingTools,
    scope: Scope = EVERYTHING,
    carry_rest: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> DraftedProject:
    """Draft the tasks that have no draft under a roll-out, deliver the drafts, and pin the roll-out when none is lost.

    The first roll-out of a project is pinned with its first drafts. A later one is pinned when every task that has a
    draft of the pinned version has a new draft, has a copy of the old one, or is recorded as failed or withheld. Until
    then, and after an interruption, reviewers see the old drafts. Tasks that a reviewer has started get copies.

    Args:
        workspace: The project.
        rollout: Label of the drafts.
        tools: What is needed to draft.
        scope: Which tasks, and when to stop; `replaces` is set here.
        carry_rest: Give all tasks that this run does not draft a copy of their old draft.
        on_progress: Called after each task and each delivery.

    Returns:
        The result. A dry run changes nothing, and its counts show what would be done.

    Raises:
        LabelStudioError: The project cannot be read, or Label Studio rejected an import.
    """
    learning = tools.learning
    replaces = _replaced(workspace, rollout)
    remind: Callable[[Review], Review] = SimilarReviewNotes(learning.store)
    if not scope.dry:
        learn(workspace.key, learning=learning, opener=tools.opener_of(workspace.key))

    def run(scope: Scope) -> Progress:
        return preannotate(
            workspace,
            engine=tools.engine,
            store=learning.store,
            rollout=rollout,
            clock=learning.clock,
            scope=replace(scope, replaces=bool(replaces)),
            remind=remind,
            on_progress=on_progress,
        )

    progress = run(scope)
    if scope.dry or not replaces:
        return DraftedProject(rollout, progress)
    whole = scope.only is None and scope.limit is None and not progress.stopped
    if whole and (came := lacking(workspace, store=learning.store, old=replaces, new=rollout).open):
        _add(run(replace(scope, only=came)), to=progress)  # tasks that got a draft of the old roll-out meanwhile
    carry_rest = whole or (carry_rest and progress.stopped != INTERRUPTED)
    return _switched(
        workspace, rollout=rollout, replaces=replaces, tools=tools, progress=progress, carry_rest=carry_rest
    )


def _replaced(workspace: Workspace, rollout: str) -> str:
    """The pinned version whose drafts reviewers see, if it is another one; else empty."""
    pinned = workspace.pinned()
    return pinned if pinned != rollout and workspace.versions().get(pinned) else ""


def _switched(
    workspace: Workspace, *, rollout: str, replaces: str, tools: DraftingTools, progress: Progress, carry_rest: bool
) -> DraftedProject:
    """Pin the roll-out, unless a task would lose its draft."""
    store, clock = tools.learning.store, tools.learning.clock
    ours = replaces in store.rollouts(workspace.key)  # drafts of another model are never copied under our name
    left = lacking(workspace, store=store, old=replaces, new=rollout)
    carries = (*(left.open if carry_rest else ()), *left.begun) if ours else ()
    rejected_ids = progress.undelivered if carry_rest else ()
    progress.waiting = len(set(left.open).difference(carries, rejected_ids))
    if progress.waiting or not (carries or workspace.versions().get(rollout)):
        return DraftedProject(rollout, progress, replaces=replaces)
    if carries:
        progress.carried = carry_over(workspace, store=store, old=replaces, new=rollout, task_ids=carries, clock=clock)
    _record_rejected(workspace, rollout=rollout, replaces=replaces, tools=tools, progress=progress)
    workspace.pin(rollout)
    progress.pinned = True
    removed = remove_older(workspace, store=store, keep={rollout, replaces})
    return DraftedProject(rollout, progress, removed, replaces)


def _record_rejected(
    workspace: Workspace, *, rollout: str, replaces: str, tools: DraftingTools, progress: Progress
) -> None:
    """Record as failed what Label Studio accepted neither as a new draft nor as a copy."""
    store, clock = tools.learning.store, tools.learning.clock
    ids = list(lacking(workspace, store=store, old=replaces, new=rollout).open)
    for task_id, review in store.drafted(workspace.key, rollout=rollout, task_ids=ids).items():
        progress.failures[task_id] = NOT_STORED
        store.remember([rejected(review, error=NOT_STORED, now=clock.now())])


def _add(more: Progress, *, to: Progress) -> None:
    """Add the counts of a second pass."""
    to.drafted += more.drafted
    to.suggestions += more.suggestions
    to.withheld += more.withheld
    to.resumed += more.resumed
    to.failures |= more.failures
    to.stored, to.undelivered = more.stored, more.undelivered
    to.usage = to.usage.plus(more.usage)
    to.stopped = more.stopped
