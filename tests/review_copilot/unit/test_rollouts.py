"""Changing roll-outs: no task loses its draft at any moment, and going back needs no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from builders import PROJECT, untouched
from fake_clock import FakeClock
from fake_label_studio import FakeInspector, FakeWorkspace
from fakes import MemoryStore
from review_copilot.domain.measure import Measure
from review_copilot.domain.review import Exposure, Review
from review_copilot.domain.suggestion import Brief, Inspection, Usage
from review_copilot.engines.thread_engine import ThreadEngine
from review_copilot.errors import BudgetSpent, StoreError
from review_copilot.flows.blind_share import BlindShare
from review_copilot.flows.draft_project import NOT_STORED, DraftedProject, DraftingTools, draft_project
from review_copilot.flows.learn_from_reviews import Learning
from review_copilot.flows.preannotate import INTERRUPTED, Progress, Scope
from review_copilot.flows.review_context import ReviewContext
from review_copilot.flows.switch_rollout import remove_older, retire, roll_back
from review_copilot.ports import StoredPrediction

ALL = frozenset(range(1, 7))


@dataclass
class Watched(FakeWorkspace):
    """Writes down which tasks the label stream would show without a draft, after each change.

    Attributes:
        drafted: Tasks that the label stream has shown with a draft.
        emptied: Tasks that lost it at some moment.
        die_at: The change at which the process dies; 0 for never.
        changes: Changes so far.
    """

    drafted: set[int] = field(default_factory=set)
    emptied: set[int] = field(default_factory=set)
    die_at: int = 0
    changes: int = 0

    def shown(self) -> dict[int, StoredPrediction]:
        """What the label stream shows: of the pinned version's predictions of a task, the newest."""
        return {
            p.task_id: p for p in sorted(self.stored.values(), key=lambda p: p.id) if p.model_version == self.version
        }

    def _changed(self) -> None:
        self.emptied |= self.drafted - self.shown().keys()
        self.drafted |= self.shown().keys()
        self.changes += 1
        if self.changes == self.die_at:
            raise SystemError

    def push(self, reviews: Sequence[Review]) -> int:
        created = super().push(reviews)
        self._changed()
        return created

    def copy_predictions(self, source: str, *, to: str, task_ids: Sequence[int]) -> int:
        created = super().copy_predictions(source, to=to, task_ids=task_ids)
        self._changed()
        return created

    def delete_predictions(self, prediction_ids: object) -> int:
        deleted = 0
        for number in list(prediction_ids):  # type: ignore[call-overload]  # as the parent takes them
            deleted += super().delete_predictions([number])
            self._changed()
        return deleted

    def pin(self, rollout: str) -> None:
        super().pin(rollout)
        self._changed()


@dataclass
class Paid(FakeInspector):
    """Stops when the budget is spent."""

    left: int = 100

    def catalogue(self) -> tuple[Measure, ...]:
        return ()

    def inspect(self, brief: Brief) -> Inspection:
        if not self.left:
            raise BudgetSpent("The budget of $1.00 is spent.", hint="Raise it.")
        self.left -= 1
        return replace(super().inspect(brief), usage=Usage(calls=1, cost_usd=0.1))


@pytest.fixture
def workspace() -> Watched:
    return Watched(PROJECT, {n: f"{n}.png" for n in sorted(ALL)})


def label_of(store: MemoryStore, context: ReviewContext) -> str:
    return store.rollout(PROJECT, guideline_id=context.guideline.id, model_version=context.model_version)


def roll_out(
    workspace: FakeWorkspace,
    store: MemoryStore,
    context: ReviewContext,
    *,
    scope: Scope | None = None,
    carry_rest: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> DraftedProject:
    """Draft under the context's own label, as the command does."""
    learning = Learning(store=store, guideline_of=lambda _: context.guideline, images=context.images, clock=FakeClock())
    return draft_project(
        workspace,
        rollout=label_of(store, context),
        tools=DraftingTools(ThreadEngine(context, concurrency=1), learning, opener_of=lambda _: None),
        scope=scope or Scope(),
        carry_rest=carry_rest,
        on_progress=on_progress,
    )


def versions(workspace: Watched) -> dict[int, str]:
    """Task id to the version that the label stream shows."""
    return {task_id: p.model_version for task_id, p in sorted(workspace.shown().items())}


def looks(context: ReviewContext) -> int:
    return len(context.inspector.seen)  # type: ignore[attr-defined]  # the fake's


def strict(context: ReviewContext) -> ReviewContext:
    """Another setup with the same inspector, so that looks are counted together."""
    return replace(context, min_score=0.5)


def test_the_first_roll_out_is_pinned_with_its_first_drafts(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    seen: list[str] = []
    roll_out(workspace, store, context, on_progress=lambda _: seen.append(workspace.version))
    assert label_of(store, context) in seen[:2]


def test_after_a_limit_reviewers_see_the_old_drafts_and_the_next_run_switches(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    first = roll_out(workspace, store, context).rollout
    limited = roll_out(workspace, store, strict(context), scope=Scope(limit=2))
    assert (limited.progress.pinned, limited.progress.waiting, limited.progress.stored) == (False, 4, 2)
    assert versions(workspace) == dict.fromkeys(ALL, first)
    second = roll_out(workspace, store, strict(context))
    assert (second.progress.pinned, second.replaces, second.progress.drafted) == (True, first, 4)
    assert versions(workspace) == dict.fromkeys(ALL, second.rollout)
    assert not workspace.emptied


def test_a_spent_budget_leaves_the_old_drafts(workspace: Watched, store: MemoryStore, context: ReviewContext) -> None:
    first = roll_out(workspace, store, context).rollout
    paid = Paid(version="2", left=3)
    stopped = roll_out(workspace, store, replace(context, inspector=paid))
    assert "spent" in stopped.progress.stopped
    assert (stopped.progress.pinned, stopped.progress.waiting) == (False, 3)
    assert versions(workspace) == dict.fromkeys(ALL, first)
    paid.left = 100
    assert roll_out(workspace, store, replace(context, inspector=paid)).progress.pinned
    assert not workspace.emptied


def test_ctrl_c_leaves_the_old_drafts_even_if_the_rest_was_to_be_carried_over(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    first = roll_out(workspace, store, context).rollout

    def interrupt(progress: Progress) -> None:
        if progress.drafted == 2 and not progress.stopped:
            raise KeyboardInterrupt

    done = roll_out(workspace, store, strict(context), carry_rest=True, on_progress=interrupt)
    assert (done.progress.stopped, done.progress.pinned) == (INTERRUPTED, False)
    assert versions(workspace) == dict.fromkeys(ALL, first)


@pytest.mark.parametrize("begun", [frozenset[int](), frozenset({2, 5})])
def test_a_process_that_dies_at_any_change_leaves_every_task_its_draft(
    begun: frozenset[int], store: MemoryStore, context: ReviewContext
) -> None:
    """It dies after the first change, then after the second, and so on; the next run finishes each time."""
    for death in range(1, 30):
        workspace, store = Watched(PROJECT, {n: f"{n % 4}.png" for n in sorted(ALL)}), MemoryStore()
        first = roll_out(workspace, store, context).rollout
        workspace.in_hand, workspace.die_at = set(begun), workspace.changes + death
        try:
            roll_out(workspace, store, strict(context))
        except SystemError:
            assert set(versions(workspace)) == ALL, f"after change {death}"
            assert len(set(versions(workspace).values())) == 1
            again = roll_out(workspace, store, strict(context))
        else:
            assert death > 3
            break
        assert versions(workspace) == dict.fromkeys(ALL, again.rollout) != dict.fromkeys(ALL, first)
        assert not workspace.emptied
    else:
        pytest.fail("the run never came to its end")


def test_begun_tasks_keep_what_they_were_begun_with_and_get_a_copy(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    first = roll_out(workspace, store, context).rollout
    before = {p.task_id: p for p in workspace.stored.values()}
    workspace.in_hand = {2, 5}
    second = roll_out(workspace, store, strict(context))
    assert second.progress.carried == 2
    assert versions(workspace) == dict.fromkeys(ALL, second.rollout)
    for task_id in (2, 5):
        assert before[task_id].id in workspace.stored, "a submission that began from it must still be accepted"
        assert workspace.shown()[task_id].region_ids == before[task_id].region_ids
        copy = store.drafted(PROJECT, rollout=second.rollout)[task_id]
        assert (copy.provenance.model_version, copy.usage) == (context.model_version, None)
    assert first in {p.model_version for p in workspace.stored.values()}


def test_carry_over_copies_without_an_image_and_without_a_look(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    roll_out(workspace, store, context)
    before = looks(context)
    done = roll_out(workspace, store, strict(context), scope=Scope(limit=1), carry_rest=True)
    assert (done.progress.drafted, done.progress.carried, done.progress.pinned) == (1, 5, True)
    assert looks(context) == before + 1
    assert versions(workspace) == dict.fromkeys(ALL, done.rollout)
    assert not workspace.emptied


def test_failed_and_withheld_tasks_do_not_hold_up_a_roll_out(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    roll_out(workspace, store, context)
    context.images.broken = frozenset({"4.png"})  # type: ignore[attr-defined]  # the fake's
    blind = replace(strict(context), blind=BlindShare(share=0.4))
    withheld = {n for n in ALL if blind.blind.withholds(next(workspace.tasks(only=[n])).key)}
    assert 0 < len(withheld) < len(ALL)
    done = roll_out(workspace, store, blind)
    assert done.progress.pinned
    assert set(versions(workspace)) == ALL - withheld - {4}


def test_a_roll_out_of_which_everything_fails_is_not_pinned(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    first = roll_out(workspace, store, context).rollout
    context.images.broken = frozenset(workspace.images.values())  # type: ignore[attr-defined]  # the fake's
    done = roll_out(workspace, store, strict(context))
    assert (done.progress.pinned, len(done.progress.failures)) == (False, 6)
    assert versions(workspace) == dict.fromkeys(ALL, first)


def test_a_task_that_came_during_the_run_is_drafted_before_the_switch(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    """The backend drafted it under the pinned roll-out while the run had passed its place."""
    first = roll_out(workspace, store, context).rollout

    def arrive(progress: Progress) -> None:
        if progress.drafted == 6 and 7 not in workspace.images:
            workspace.images[7] = "7.png"
            workspace.stored[99] = StoredPrediction(99, 7, first)

    done = roll_out(workspace, store, strict(context), on_progress=arrive)
    assert versions(workspace) == dict.fromkeys({*ALL, 7}, done.rollout)
    assert 7 in store.drafted(PROJECT, rollout=done.rollout)
    assert done.progress.carried == 0


def test_what_label_studio_never_takes_keeps_its_old_draft(store: MemoryStore, context: ReviewContext) -> None:
    class Stubborn(Watched):
        def push(self, reviews: Sequence[Review]) -> int:
            self.lose = set(refused)
            return super().push(reviews)

    refused: set[int] = set()
    workspace = Stubborn(PROJECT, {n: f"{n}.png" for n in sorted(ALL)})
    roll_out(workspace, store, context)
    refused.add(3)
    done = roll_out(workspace, store, strict(context))
    assert (done.progress.pinned, done.progress.carried) == (True, 1)
    assert set(versions(workspace)) == ALL


def test_another_models_drafts_are_never_copied_or_deleted(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    """What Label Studio does not take then is recorded as failed, so that it does not hold up the rest for ever."""
    theirs = {100 + n: StoredPrediction(100 + n, n, "their-model-v3") for n in ALL}
    workspace.stored, workspace.version = dict(theirs), "their-model-v3"
    limited = roll_out(workspace, store, context, scope=Scope(limit=1))
    assert (limited.progress.pinned, workspace.version) == (False, "their-model-v3")
    workspace.in_hand = {2}
    push = workspace.push

    def losing(reviews: Sequence[Review]) -> int:
        workspace.lose = {3}
        return push(reviews)

    workspace.push = losing  # type: ignore[method-assign]  # Label Studio's own habit, at every import
    done = roll_out(workspace, store, context)
    assert (done.progress.pinned, done.progress.carried) == (True, 0)
    assert theirs.items() <= workspace.stored.items()
    assert set(versions(workspace)) == ALL - {2, 3}
    assert done.progress.failures == {3: NOT_STORED}
    assert store.recall(next(workspace.tasks(only=[3])).key)[-1].exposure is Exposure.FAILED


def test_older_roll_outs_go_when_the_next_one_is_pinned_and_the_log_keeps_where_work_began(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    first = roll_out(workspace, store, context).rollout
    began_from = workspace.shown()[1].id
    review = store.drafted(PROJECT, rollout=first)[1]
    annotation = replace(untouched(review), parent_prediction=began_from)
    workspace.annotations[1] = [annotation]
    workspace.touched[1] = annotation.updated_at or FakeClock().time
    second = roll_out(workspace, store, strict(context))
    assert second.removed == 0
    third = roll_out(workspace, store, replace(context, min_score=0.6))
    assert third.removed == 6
    assert {p.model_version for p in workspace.stored.values()} == {second.rollout, third.rollout}
    logged = store.newest(annotation.key)[annotation.annotation_id]
    assert logged.parent_prediction == began_from
    workspace.annotations[1] = [replace(annotation, parent_prediction=None)]  # as Label Studio has it now
    remove_older(workspace, store=store, keep=[third.rollout])
    assert store.newest(annotation.key)[annotation.annotation_id].parent_prediction == began_from
    rows = list(store.overrides(project=PROJECT))
    assert {row.provenance.rollout for row in rows if row.provenance} == {first}


def test_going_back_shows_the_old_drafts_at_once_and_without_a_look(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    first = roll_out(workspace, store, context).rollout
    second = roll_out(workspace, store, strict(context)).rollout
    before = looks(context)
    workspace.in_hand = {3}
    label, change = roll_back(workspace, store=store, clock=FakeClock())
    assert label == first == workspace.pinned()
    assert versions(workspace) == dict.fromkeys(ALL, first)
    assert (change.restored, change.carried, change.removed, change.begun) == (0, 0, 5, 1)
    assert [p.task_id for p in workspace.predictions(rollout=second)] == [3]
    assert looks(context) == before
    assert not workspace.emptied
    with pytest.raises(StoreError, match="no roll-out before"):
        roll_back(workspace, store=store, clock=FakeClock())


def test_going_back_restores_what_is_gone_and_copies_what_came_later(
    workspace: Watched, store: MemoryStore, context: ReviewContext
) -> None:
    """Whatever it dies at, no task loses its draft."""
    first = roll_out(workspace, store, context).rollout
    roll_out(workspace, store, strict(context))
    retire(workspace, rollout=first)
    workspace.images[7] = "7.png"
    roll_out(workspace, store, strict(context))
    workspace.in_hand = {3}
    label, change = roll_back(workspace, store=store, clock=FakeClock())
    assert label == first
    assert versions(workspace) == dict.fromkeys({*ALL, 7}, first)
    assert (change.restored, change.carried, change.removed, change.begun) == (5, 2, 6, 1)
    assert not workspace.emptied


def test_without_any_rollout_there_is_nothing_to_go_back_to(workspace: Watched, store: MemoryStore) -> None:
    with pytest.raises(StoreError, match="no roll-out yet"):
        roll_back(workspace, store=store, clock=FakeClock())
    with pytest.raises(StoreError, match="No draft of the roll-out"):
        roll_back(workspace, store=store, clock=FakeClock(), to="photo-quality r9 abcdef")
