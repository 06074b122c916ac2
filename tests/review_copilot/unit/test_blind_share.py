"""A blind share: drafts are made and kept, and leave by no door."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import NOON, PROJECT, a_criterion, a_guideline, task_key
from fake_clock import FakeClock
from fake_label_studio import FakeImages, FakeInspector, FakeWorkspace
from fakes import MemoryStore
from review_copilot.compare import compare
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.override import OverrideKind, SubmittedAnnotation, SubmittedRegion
from review_copilot.domain.review import Exposure, ReviewTask
from review_copilot.domain.suggestion import Finding
from review_copilot.engines.thread_engine import ThreadEngine
from review_copilot.flows.blind_share import BlindShare
from review_copilot.flows.preannotate import preannotate
from review_copilot.flows.review_context import ReviewContext, review_task
from review_copilot.flows.sweep import sweep_project
from review_copilot.labelstudio.label_config import instructions

GUIDELINE = a_guideline(a_criterion("C-01", label="Flaw"))
FLAW = Finding("C-01", Severity.MAJOR, 0.9, Box(0.1, 0.1, 0.2, 0.2), "Top left, 3 px.")
BLIND = BlindShare(share=0.5, seed="s")
MANY = 40


@pytest.fixture
def context() -> ReviewContext:
    return ReviewContext(GUIDELINE, FakeInspector((FLAW,)), FakeImages(), FakeClock(NOON), min_score=0.3, blind=BLIND)


@pytest.fixture
def workspace() -> FakeWorkspace:
    return FakeWorkspace(PROJECT, {number: f"{number}.png" for number in range(1, MANY + 1)})


def withheld() -> set[int]:
    return {number for number in range(1, MANY + 1) if BLIND.withholds(task_key(number))}


def test_some_are_withheld_and_a_project_may_have_its_own_share() -> None:
    assert 8 < len(withheld()) < 32
    own = replace(BLIND, shares={PROJECT.project_id: 0.0})
    assert not any(own.withholds(task_key(number)) for number in range(1, MANY + 1))
    assert own.of(PROJECT.project_id + 1) == 0.5


def test_they_are_drafted_once_kept_and_never_sent(context: ReviewContext, workspace: FakeWorkspace) -> None:
    """A second run neither looks again nor sends them."""
    store = MemoryStore()
    for run in range(2):
        progress = preannotate(
            workspace, engine=ThreadEngine(context, concurrency=2), store=store, rollout="r", clock=FakeClock()
        )
        assert (progress.withheld, progress.undelivered) == (len(withheld()), ())
        assert {p.task_id for p in workspace.predictions(rollout="r")} == set(workspace.images) - withheld(), run
    assert isinstance(context.inspector, FakeInspector)
    assert len(context.inspector.seen) == MANY
    kept = store.drafted(PROJECT, rollout="r")
    assert {number for number, r in kept.items() if r.exposure is Exposure.WITHHELD} == withheld()
    assert all(review.suggestions for review in kept.values())


def test_magic_finds_nothing_there_and_nobody_looks(context: ReviewContext) -> None:
    number = min(withheld())
    review = review_task(ReviewTask(task_key(number), "x.png"), context=context, rollout="r", box=Box(0, 0, 0.5, 0.5))
    assert (review.exposure, review.suggestions) == (Exposure.WITHHELD, ())
    assert isinstance(context.inspector, FakeInspector)
    assert context.inspector.seen == []


def test_the_log_says_what_an_unaided_reviewer_did(context: ReviewContext, workspace: FakeWorkspace) -> None:
    store = MemoryStore()
    preannotate(workspace, engine=ThreadEngine(context, concurrency=1), store=store, rollout="r", clock=FakeClock())
    key = task_key(min(withheld()))
    found = SubmittedRegion("own", Box(0.7, 0.7, 0.1, 0.1), ("Flaw",), "C-01", Severity.MINOR)
    done = SubmittedAnnotation(key, 11, (found,), created_at=NOON, updated_at=NOON, content_hash="c")
    workspace.annotations[key.task_id] = [done]
    workspace.touched[key.task_id] = NOON
    sweep_project(workspace, store=store)
    rows = list(store.overrides())
    assert {row.exposure for row in rows} == {"withheld"}
    assert {OverrideKind.REJECTED, OverrideKind.ADDED} <= {row.override.kind for row in rows}
    assert compare(done, store.recall(key)).exposure == "withheld"


def test_reviewers_are_told() -> None:
    assert "not shown" not in instructions(GUIDELINE)
    told = instructions(GUIDELINE, blind_share=0.1)
    assert "On a random 10% of the tasks" in told
    assert told.splitlines()[-1] == instructions(GUIDELINE).splitlines()[-1]
