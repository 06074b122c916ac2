"""Answering in time, and finishing what was late: exactly one prediction for each task in the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from builders import PROJECT, a_task
from fake_clock import FakeClock
from fake_label_studio import FakeImages, FakeInspector, FakeWorkspace
from fakes import MemoryStore
from opened import setup_for_all
from review_copilot.concurrency.priority_pool import PriorityPool
from review_copilot.domain.geometry import Box
from review_copilot.domain.measure import Measure
from review_copilot.domain.review import Exposure, Review
from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.flows.blind_share import BlindShare
from review_copilot.flows.finish_pending import MOST_ATTEMPTS, RETRY_S, work_off
from review_copilot.flows.predict import LEASE_S, DraftService, answer_in_time, review_box
from review_copilot.flows.review_context import ReviewContext, rollout_of
from review_copilot.inspectors.coalescing import CoalescingInspector
from review_copilot.library import load_guideline

SETTLE_S = 20.0


@dataclass
class Gated(FakeInspector):
    """Looks at images named in `slow` only when the gate is opened."""

    slow: frozenset[str] = frozenset()
    gate: threading.Event = field(default_factory=threading.Event)

    def catalogue(self) -> tuple[Measure, ...]:
        return ()

    def inspect(self, brief: Brief) -> Inspection:
        if brief.image.source in self.slow:
            assert self.gate.wait(10)
        return super().inspect(brief)


@dataclass
class Opener:
    workspace: FakeWorkspace

    def open(self, project_id: int) -> FakeWorkspace:
        return self.workspace


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def workspace() -> FakeWorkspace:
    return FakeWorkspace(PROJECT, {n: a_task(n).image for n in range(1, 9)})


@pytest.fixture
def inspector() -> Gated:
    return Gated(slow=frozenset(a_task(n).image for n in range(5, 9)))


@pytest.fixture
def service(clock: FakeClock, inspector: Gated) -> Iterator[DraftService]:
    context = ReviewContext(load_guideline("photo-quality"), inspector, FakeImages(), clock, min_score=0.3)
    pool: PriorityPool[Review] = PriorityPool(concurrency=4)
    yield DraftService(
        setup_of=setup_for_all(context),
        store=MemoryStore(clock),
        pool=pool,
        deadline_s=0.3,
        delivers=True,
        settle_s=SETTLE_S,
    )
    inspector.gate.set()
    pool.close(timeout_s=10)


def label(service: DraftService) -> str:
    return rollout_of(PROJECT, store=service.store, setup_of=service.setup_of)


def with_setup(service: DraftService, **changes: Any) -> DraftService:
    """The same service under a changed setup."""
    return replace(service, setup_of=setup_for_all(replace(service.setup_of(), **changes)))


def ask(service: DraftService, *task_ids: int) -> set[int]:
    return set(answer_in_time([a_task(n) for n in task_ids], service=service, rollout=label(service)))


def stored_by_label_studio(workspace: FakeWorkspace, service: DraftService, task_ids: set[int]) -> None:
    """Label Studio stores what it was answered."""
    workspace.push(list(service.store.drafted(PROJECT, rollout=label(service), task_ids=sorted(task_ids)).values()))


def finish(service: DraftService, workspace: FakeWorkspace, clock: FakeClock) -> None:
    """Let background work run until nothing is owed."""
    for _ in range(20):
        work_off(service, opener=Opener(workspace))
        if not service.store.pending_count():
            return
        clock.time += timedelta(seconds=SETTLE_S + RETRY_S)


def held(workspace: FakeWorkspace) -> list[int]:
    return sorted(p.task_id for p in workspace.stored.values())


def test_all_in_time_owes_nothing(service: DraftService) -> None:
    assert ask(service, 1, 2, 3) == {1, 2, 3}
    assert service.store.pending_count() == 0


def test_what_is_late_comes_later_and_once(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock, inspector: Gated
) -> None:
    answered = ask(service, *workspace.images)
    assert answered == {1, 2, 3, 4}
    assert service.store.pending_count() == 8
    stored_by_label_studio(workspace, service, answered)
    inspector.gate.set()
    finish(service, workspace, clock)
    assert held(workspace) == list(range(1, 9))
    assert service.store.pending_count() == 0
    assert sorted(inspector.seen) == sorted(workspace.images.values())


def test_an_answer_that_label_studio_stores_late_leaves_no_double(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock, inspector: Gated
) -> None:
    """It had not stored the answer when it was read back, so the drafts are sent; then it stores them after all."""
    answered = ask(service, *workspace.images)
    inspector.gate.set()
    clock.time += timedelta(seconds=SETTLE_S)
    work_off(service, opener=Opener(workspace))
    stored_by_label_studio(workspace, service, answered)
    assert len(held(workspace)) > 8
    finish(service, workspace, clock)
    assert held(workspace) == list(range(1, 9))


def test_a_backend_that_died_in_mid_request_owes_it_still(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock
) -> None:
    """Another process takes up what was noted when the request came."""
    service.store.add_pending([a_task(1), a_task(2)], rollout=label(service), due_in_s=100)
    work_off(service, opener=Opener(workspace))
    assert held(workspace) == []
    clock.time += timedelta(seconds=100)
    finish(service, workspace, clock)
    assert held(workspace) == [1, 2]


def test_a_finisher_that_died_with_its_claim_loses_nothing(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock
) -> None:
    service.store.add_pending([a_task(1)], rollout=label(service), due_in_s=0)
    service.store.claim(limit=10, lease_s=LEASE_S)
    clock.time += timedelta(seconds=LEASE_S)
    finish(service, workspace, clock)
    assert held(workspace) == [1]


def test_no_work_is_begun_for_what_nobody_wants(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock, inspector: Gated
) -> None:
    """Deleted tasks, drafts of a roll-out that is past, and tasks that have their prediction by now."""
    rollout = label(service)
    service.store.add_pending([a_task(1)], rollout="photo-quality r0 old", due_in_s=0)
    service.store.add_pending([a_task(2), a_task(3)], rollout=rollout, due_in_s=0)
    del workspace.images[2]
    ask(service, 3)
    inspector.seen.clear()
    stored_by_label_studio(workspace, service, {3})
    finish(service, workspace, clock)
    assert inspector.seen == []
    assert service.store.pending_count() == 0
    assert held(workspace) == [3]


def test_what_is_withheld_is_made_and_not_sent(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock
) -> None:
    """Every task is of the blind share."""
    blind = with_setup(service, blind=BlindShare(share=1.0))
    service.store.add_pending([a_task(1), a_task(2)], rollout=label(service), due_in_s=0)
    finish(blind, workspace, clock)
    assert held(workspace) == []
    assert service.store.pending_count() == 0
    assert len(service.store.drafted(PROJECT, rollout=label(service))) == 2


def test_a_task_that_always_fails_is_let_go_of(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock, inspector: Gated
) -> None:
    broken = with_setup(service, images=FakeImages(broken=frozenset({a_task(1).image})))
    service.store.add_pending([a_task(1), a_task(2)], rollout=label(service), due_in_s=0)
    finish(broken, workspace, clock)
    assert held(workspace) == [2]
    assert service.store.pending_count() == 0
    failed = [review for review in service.store.recall(a_task(1).key) if review.error]
    assert len(failed) == MOST_ATTEMPTS


def test_without_a_token_nothing_is_owed_and_nothing_more_is_begun(service: DraftService, inspector: Gated) -> None:
    """Four slow tasks hold the seats; the four quick ones behind them are let go of at the deadline."""
    tokenless = replace(service, delivers=False)
    answer = answer_in_time([a_task(n) for n in (5, 6, 7, 8, 1, 2)], service=tokenless, rollout=label(service))
    assert answer == {}
    assert service.store.pending_count() == 0
    inspector.gate.set()
    service.pool.close(timeout_s=10)
    assert not {a_task(1).image, a_task(2).image} & set(inspector.seen)


def test_two_requests_for_one_task_are_one_piece_of_work(service: DraftService, inspector: Gated) -> None:
    answers: list[set[int]] = []
    patient = replace(service, deadline_s=10)
    asking = [threading.Thread(target=lambda: answers.append(ask(patient, 5))) for _ in range(3)]
    for thread in asking:
        thread.start()
    while service.pool.running == 0:
        pass
    inspector.gate.set()
    for thread in asking:
        thread.join()
    assert answers == [{5}] * 3
    assert inspector.seen == [a_task(5).image]


def test_a_magic_box_that_nobody_waits_for_is_not_begun(service: DraftService, inspector: Gated) -> None:
    box = Box(0.1, 0.1, 0.2, 0.2)
    busy = [threading.Thread(target=ask, args=(service, n)) for n in (5, 6, 7, 8)]
    for thread in busy:
        thread.start()
    while service.pool.running < 4:
        pass
    first = threading.Thread(
        target=review_box, args=(a_task(5),), kwargs={"service": service, "rollout": "r", "box": box}
    )
    first.start()
    while service.pool.running < 5:
        pass
    assert review_box(a_task(1), service=service, rollout="r", box=box, gone=lambda: True) is None
    inspector.gate.set()
    for thread in (*busy, first):
        thread.join()
    service.pool.close(timeout_s=10)
    assert a_task(1).image not in inspector.seen


def test_one_image_in_many_tasks_is_looked_at_once_at_a_time(inspector: Gated) -> None:
    """Three tasks that name the same picture at the same moment cost one look."""
    inspector.slow = frozenset({"same.jpg"})
    once = CoalescingInspector(inspector)
    brief = Brief(image=FakeImages().load("same.jpg"), guideline=load_guideline("photo-quality"))
    answers: list[Inspection] = []
    asking = [threading.Thread(target=lambda: answers.append(once.inspect(brief))) for _ in range(3)]
    for thread in asking:
        thread.start()
    threading.Timer(0.2, inspector.gate.set).start()
    for thread in asking:
        thread.join()
    assert len(answers) == 3
    assert inspector.seen == ["same.jpg"]


def test_withheld_drafts_are_made_and_kept_and_never_owed(
    service: DraftService, workspace: FakeWorkspace, clock: FakeClock, inspector: Gated
) -> None:
    """In time or late: nothing of the blind share is sent, and a second request does not look again."""
    blind = with_setup(service, blind=BlindShare(share=1.0))
    shown = answer_in_time([a_task(n) for n in workspace.images], service=blind, rollout=label(blind))
    assert {review.exposure for review in shown.values()} == {Exposure.WITHHELD}
    inspector.gate.set()
    finish(blind, workspace, clock)
    assert held(workspace) == []
    assert blind.store.pending_count() == 0
    assert set(ask(blind, *workspace.images)) == set(workspace.images)
    assert sorted(inspector.seen) == sorted(workspace.images.values())
