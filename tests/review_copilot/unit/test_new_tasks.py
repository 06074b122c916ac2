"""New tasks draft themselves: announced or not, under the pinned roll-out, once, and within the budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from builders import PROJECT, a_task
from fake_clock import FakeClock
from fake_label_studio import FakeImages, FakeInspector, FakeWorkspace
from fakes import MemoryStore
from opened import setup_for_all
from review_copilot.concurrency.priority_pool import PriorityPool
from review_copilot.domain.measure import Measure
from review_copilot.domain.review import Review
from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.errors import BudgetSpent, LabelStudioNotFound, LabelStudioUnreachable
from review_copilot.flows.draft_new_tasks import OVERLAP, add_announced_tasks, add_new_tasks
from review_copilot.flows.finish_pending import NO_CALLS_RETRY_S, work_off
from review_copilot.flows.predict import SETTLE_S, DraftService
from review_copilot.flows.review_context import ReviewContext, rollout_of
from review_copilot.flows.sweep import TASKS_CREATED, empty_inbox
from review_copilot.library import load_guideline
from review_copilot.ports import WebhookNotice

OLD, NEW = (1, 2), (3, 4)


@dataclass
class Opener:
    """Opens one project, unless an error is set."""

    workspace: FakeWorkspace
    error: Exception | None = None

    def open(self, project_id: int) -> FakeWorkspace:
        if self.error is not None:
            raise self.error
        return self.workspace


@dataclass
class Paid(FakeInspector):
    """Costs money, and stops at once while the budget is spent."""

    spent: bool = False
    version: str = "1"
    seen: list[str] = field(default_factory=list)

    def catalogue(self) -> tuple[Measure, ...]:
        return ()

    def inspect(self, brief: Brief) -> Inspection:
        if self.spent:
            raise BudgetSpent("The budget of $1.00 is spent.", hint="Raise it.")
        return super().inspect(brief)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def workspace(clock: FakeClock) -> FakeWorkspace:
    """Two tasks from before, and two that came five minutes after the project was connected."""
    images = {n: a_task(n).image for n in (*OLD, *NEW)}
    later = clock.time + timedelta(minutes=5)
    return FakeWorkspace(PROJECT, images, born=dict.fromkeys(NEW, later), clock=later)


@pytest.fixture
def inspector() -> Paid:
    return Paid()


@pytest.fixture
def service(clock: FakeClock, inspector: Paid) -> Iterator[DraftService]:
    context = ReviewContext(load_guideline("photo-quality"), inspector, FakeImages(), clock, min_score=0.3)
    pool: PriorityPool[Review] = PriorityPool(concurrency=2)
    store = MemoryStore(clock)
    store.mark_new_tasks(PROJECT, clock.time)
    yield DraftService(setup_of=setup_for_all(context), store=store, pool=pool, deadline_s=1, delivers=True)
    pool.close(timeout_s=10)


def find(service: DraftService, workspace: FakeWorkspace) -> int:
    return add_new_tasks(workspace, store=service.store, setup_of=service.setup_of)


def finish(service: DraftService, workspace: FakeWorkspace, clock: FakeClock) -> None:
    """Let background work run until nothing is pending."""
    for _ in range(5):
        work_off(service, opener=Opener(workspace))
        clock.time += timedelta(seconds=SETTLE_S)
    assert service.store.pending_count() == 0


def held(workspace: FakeWorkspace) -> dict[int, str]:
    return {p.task_id: p.model_version for p in workspace.stored.values()}


def label(service: DraftService) -> str:
    return rollout_of(PROJECT, store=service.store, setup_of=service.setup_of)


def test_the_sweep_finds_what_no_webhook_announced(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock
) -> None:
    assert find(service, workspace) == len(NEW)
    finish(service, workspace, clock)
    assert held(workspace) == dict.fromkeys(NEW, label(service))
    assert workspace.pinned() == label(service), "nothing was pinned, so nobody would see them"
    assert find(service, workspace) == 0


def test_announced_tasks_are_drafted_and_leave_the_inbox(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock
) -> None:
    """Even one that was committed so late that no search by time finds it."""
    workspace.born.clear()
    service.store.put(WebhookNotice(0, PROJECT.instance, PROJECT.project_id, NEW, TASKS_CREATED))
    assert empty_inbox(service.store, opener=Opener(workspace)).tasks == 0
    assert add_announced_tasks(service.store, opener=Opener(workspace), setup_of=service.setup_of) == len(NEW)
    assert not service.store.waiting()
    finish(service, workspace, clock)
    assert sorted(held(workspace)) == list(NEW)


def test_an_event_waits_while_its_project_cannot_be_read_and_goes_with_a_deleted_one(
    service: DraftService, workspace: FakeWorkspace
) -> None:
    service.store.put(WebhookNotice(0, PROJECT.instance, PROJECT.project_id, NEW, TASKS_CREATED))
    away = Opener(workspace, error=LabelStudioUnreachable("Nobody answers."))
    assert add_announced_tasks(service.store, opener=away, setup_of=service.setup_of) == 0
    assert len(service.store.waiting()) == 1
    deleted = Opener(workspace, error=LabelStudioNotFound("There is no such project."))
    assert add_announced_tasks(service.store, opener=deleted, setup_of=service.setup_of) == 0
    assert not service.store.waiting()


def test_a_project_without_a_mark_drafts_nothing_by_itself(service: DraftService, workspace: FakeWorkspace) -> None:
    service.store.mark_new_tasks(PROJECT, None)
    service.store.put(WebhookNotice(0, PROJECT.instance, PROJECT.project_id, NEW, TASKS_CREATED))
    assert find(service, workspace) == 0
    assert add_announced_tasks(service.store, opener=Opener(workspace), setup_of=service.setup_of) == 0
    assert service.store.pending_count() == 0


def test_the_search_goes_on_where_it_stopped_with_an_overlap(service: DraftService, workspace: FakeWorkspace) -> None:
    find(service, workspace)
    assert workspace.clock is not None
    assert service.store.new_tasks_since(PROJECT) == workspace.clock - OVERLAP
    workspace.clock -= timedelta(hours=1)
    find(service, workspace)
    assert service.store.new_tasks_since(PROJECT) == workspace.clock + timedelta(hours=1) - OVERLAP


def test_a_spent_budget_postpones_new_tasks_and_gives_none_up(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock, inspector: Paid
) -> None:
    inspector.spent = True
    find(service, workspace)
    for _ in range(6):
        work_off(service, opener=Opener(workspace))
        clock.time += timedelta(seconds=NO_CALLS_RETRY_S)
    assert service.store.pending_count() == len(NEW)
    assert not any(service.store.recall(a_task(n).key) for n in NEW), "nothing was looked at, so nothing failed"
    inspector.spent = False
    finish(service, workspace, clock)
    assert sorted(held(workspace)) == list(NEW)


def test_while_another_roll_out_is_made_new_tasks_get_drafts_of_the_pinned_one(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock
) -> None:
    """The setup has changed and reviewers still see the old roll-out: only its drafts are any use to them."""
    old = service.setup_of()
    workspace.version = label(service)
    pinned, changed = label(service), replace(old, min_score=0.9)
    later = replace(
        service,
        setup_of=setup_for_all(changed),
        context_of=lambda _, rollout: old if old.makes(rollout) else changed,
    )
    assert label(later) != pinned
    find(later, workspace)
    finish(later, workspace, clock)
    assert held(workspace) == dict.fromkeys(NEW, pinned)
    made = service.store.drafted(PROJECT, rollout=pinned)
    assert {review.provenance.model_version for review in made.values()} == {old.model_version}


def test_a_task_that_failed_is_not_tried_for_ever(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock
) -> None:
    images = FakeImages(broken=frozenset({a_task(3).image}))
    broken = replace(service, setup_of=setup_for_all(replace(service.setup_of(), images=images)))
    find(broken, workspace)
    for _ in range(8):
        work_off(broken, opener=Opener(workspace))
        clock.time += timedelta(minutes=1)
    assert service.store.pending_count() == 0
    assert find(broken, workspace) == 0
    assert sorted(held(workspace)) == [4]
