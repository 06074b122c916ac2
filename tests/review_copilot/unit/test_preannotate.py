"""Pre-annotation: at least once, then read back; resumable; one prediction a task in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fake_clock import FakeClock
from fake_label_studio import FakeInspector, FakeWorkspace
from fakes import MemoryStore
from review_copilot.domain.measure import Measure
from review_copilot.domain.review import ProjectKey
from review_copilot.domain.suggestion import Brief, Inspection, Usage
from review_copilot.engines.thread_engine import ThreadEngine
from review_copilot.errors import BudgetSpent
from review_copilot.flows import preannotate as flow
from review_copilot.flows.preannotate import Progress, Scope, preannotate
from review_copilot.flows.review_context import ReviewContext

KEY = ProjectKey("http://ls", 7, "1732360000")
ROLLOUT = "photo-quality r1 abc"


@pytest.fixture
def workspace() -> FakeWorkspace:
    return FakeWorkspace(KEY, {number: f"{number}.png" for number in range(1, 21)})


def run(workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext, **options: object) -> Progress:
    return preannotate(
        workspace,
        engine=ThreadEngine(context, concurrency=3),
        store=store,
        rollout=ROLLOUT,
        clock=FakeClock(),
        **options,  # type: ignore[arg-type]  # a test's own
    )  # fmt: skip


def one_each(workspace: FakeWorkspace) -> bool:
    return sorted(p.task_id for p in workspace.predictions(rollout=ROLLOUT)) == sorted(workspace.images)


def test_every_task_gets_one_prediction_and_the_rollout_is_pinned(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext
) -> None:
    report = run(workspace, store, context)
    assert (report.drafted, report.stored, report.done, report.total) == (20, 20, 20, 20)
    assert one_each(workspace)
    assert workspace.version == ROLLOUT
    assert report.seconds_to_first is not None


def test_a_second_run_looks_at_nothing(workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext) -> None:
    run(workspace, store, context)
    again = run(workspace, store, context)
    assert (again.skipped, again.drafted, again.stored) == (20, 0, 20)
    assert len(context.inspector.seen) == 20  # type: ignore[attr-defined]  # the fake's


def test_broken_images_cost_only_themselves(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext
) -> None:
    context.images.broken = frozenset({"4.png", "9.png"})  # type: ignore[attr-defined]  # the fake's
    report = run(workspace, store, context)
    assert (report.drafted, report.stored) == (18, 18)
    assert set(report.failures) == {4, 9}
    assert "4.png is no image" in report.failures[4]


def test_what_label_studio_lost_or_doubled_is_mended(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext
) -> None:
    workspace.lose, workspace.double = {3, 8}, {5}
    report = run(workspace, store, context)
    assert one_each(workspace)
    assert (report.resent, report.deleted, report.undelivered) == (2, 1, ())


def test_what_label_studio_never_takes_is_said(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext
) -> None:
    class Stubborn(FakeWorkspace):
        def push(self, reviews: object) -> int:
            self.lose = {3}
            return super().push(reviews)  # type: ignore[arg-type]  # as the parent takes them

    report = run(Stubborn(KEY, workspace.images), store, context)
    assert report.undelivered == (3,)


def test_drafts_made_before_a_crash_are_delivered_and_not_made_again(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext
) -> None:
    """The first run dies when it wants to send its second chunk; everything inspected until then is kept."""

    class Unplugged(FakeWorkspace):
        def push(self, reviews: object) -> int:
            if self.pushes:
                raise SystemError
            return super().push(reviews)  # type: ignore[arg-type]  # as the parent takes them

    first = Unplugged(KEY, workspace.images)
    with pytest.raises(SystemError):
        run(first, store, context)
    workspace.stored = first.stored
    report = run(workspace, store, context)
    assert one_each(workspace)
    assert report.skipped == 1
    assert report.resumed == 19
    assert len(context.inspector.seen) == 20  # type: ignore[attr-defined]  # the fake's


def test_a_limit_drafts_no_more(workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext) -> None:
    assert run(workspace, store, context, scope=Scope(limit=5)).drafted == 5
    assert run(workspace, store, context).drafted == 15


def test_predictions_go_out_in_chunks_after_a_first_one_at_once(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "CHUNK", 8)
    run(workspace, store, context)
    assert workspace.pushes == [1, 8, 8, 3]


def test_a_dry_run_touches_nothing(workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext) -> None:
    run(workspace, store, context, scope=Scope(only=[1, 2]))
    workspace.stored.clear()
    counts = run(workspace, store, context, scope=Scope(dry=True, limit=10))
    assert (counts.drafted, counts.resumed, counts.skipped) == (10, 2, 0)
    assert not workspace.stored
    assert len(context.inspector.seen) == 2  # type: ignore[attr-defined]  # the fake's


def test_a_budget_ends_the_run_cleanly_and_the_next_goes_on(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext
) -> None:
    """At 10 cents a task, a budget of 50 cents is spent after five; those on their way may still come in."""
    context.inspector.usage = Usage(cost_usd=0.1)  # type: ignore[attr-defined]  # the fake's
    report = run(workspace, store, context, scope=Scope(budget_usd=0.5))
    assert "0.5 US dollars" in report.stopped
    assert report.drafted == report.stored == 5
    assert run(workspace, store, context).stored == 20


def test_an_interrupted_run_delivers_what_it_has(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.drafted == 5 and not progress.stopped:
            raise KeyboardInterrupt

    report = run(workspace, store, context, on_progress=interrupt)
    assert (report.stopped, report.stored) == ("Interrupted.", 5)
    assert run(workspace, store, context).stored == 20
    assert one_each(workspace)


def test_windows_hide_nothing(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "WINDOW", 3)
    workspace.lose, workspace.double = {3, 8}, {5, 20}
    assert run(workspace, store, context).stored == 20
    assert one_each(workspace)


def test_tasks_are_read_only_as_fast_as_they_are_inspected(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory stays flat: never more tasks are on their way than a window and twice the concurrency."""
    monkeypatch.setattr(flow, "WINDOW", 2)
    ahead: list[int] = []
    seen = context.inspector.seen  # type: ignore[attr-defined]  # the fake's

    class Counting(FakeWorkspace):
        def tasks(self, *, only: object = None) -> Iterator[object]:  # type: ignore[override]  # a generator of tasks
            for number, task in enumerate(super().tasks(), start=1):
                ahead.append(number - len(seen))
                yield task

    run(Counting(KEY, workspace.images), store, context)
    assert max(ahead) <= 2 * 3 + 2


def test_a_spent_budget_stops_the_run_cleanly_and_the_next_one_goes_on(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was paid for is delivered and pinned; nothing is marked as failed that was never looked at."""

    class Paying(FakeInspector):
        def catalogue(self) -> tuple[Measure, ...]:
            return ()

        def inspect(self, brief: Brief) -> Inspection:
            if len(self.seen) >= 8:
                raise BudgetSpent("The budget of $1.00 is spent.", hint="Raise it and run again.")
            return replace(super().inspect(brief), usage=Usage(prompt_tokens=10, calls=1, cost_usd=0.1))

    report = run(workspace, store, replace(context, inspector=Paying()))
    assert report.stopped == "The budget of $1.00 is spent. Raise it and run again."
    assert report.failures == {}
    assert 0 < report.drafted <= 8
    assert (report.usage.calls, report.usage.prompt_tokens) == (report.drafted, 10 * report.drafted)
    assert report.stored == report.drafted
    assert workspace.version == ROLLOUT
    again = run(workspace, store, context)
    assert (again.stopped, again.stored) == ("", 20)
    assert one_each(workspace)
