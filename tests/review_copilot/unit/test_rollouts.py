"""Changing roll-outs: nothing that a reviewer has begun is touched, and going back needs no model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import PROJECT
from fake_label_studio import FakeWorkspace
from fakes import FakeClock, MemoryStore
from review_copilot.engines.thread_engine import ThreadEngine
from review_copilot.errors import StoreError
from review_copilot.flows.preannotate import Scope, preannotate
from review_copilot.flows.review_context import ReviewContext
from review_copilot.flows.switch_rollout import retire, roll_back


@pytest.fixture
def workspace() -> FakeWorkspace:
    return FakeWorkspace(PROJECT, {n: f"{n}.png" for n in range(1, 7)})


def roll_out(workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext) -> str:
    """Draft under the context's own label, as the command does."""
    label = store.rollout(PROJECT, guideline_id=context.guideline.id, model_version=context.model_version)
    old = workspace.pinned()
    scope = Scope(leave_begun=bool(old))
    preannotate(
        workspace,
        engine=ThreadEngine(context, concurrency=2),
        store=store,
        rollout=label,
        clock=FakeClock(),
        scope=scope,
    )
    if old:
        retire(workspace, rollout=old)
    return label


def shown(workspace: FakeWorkspace) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for prediction in workspace.stored.values():
        found.setdefault(prediction.task_id, []).append(prediction.model_version)
    return dict(sorted(found.items()))


def test_a_new_rollout_replaces_the_old_but_not_what_was_begun(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext
) -> None:
    first = roll_out(workspace, store, context)
    workspace.in_hand = {2, 5}
    second = roll_out(workspace, store, replace(context, min_score=0.5))
    assert workspace.pinned() == second != first
    assert shown(workspace) == {n: [first if n in {2, 5} else second] for n in range(1, 7)}


def test_going_back_restores_the_drafts_without_a_look(
    workspace: FakeWorkspace, store: MemoryStore, context: ReviewContext
) -> None:
    first = roll_out(workspace, store, context)
    roll_out(workspace, store, replace(context, min_score=0.5))
    looks = len(context.inspector.seen)  # type: ignore[attr-defined]  # the fake's
    workspace.in_hand = {3}
    label, change = roll_back(workspace, store=store)
    assert label == first == workspace.pinned()
    assert (change.restored, change.removed, change.begun) == (5, 5, 1)
    assert len(context.inspector.seen) == looks  # type: ignore[attr-defined]  # the fake's
    with pytest.raises(StoreError, match="no roll-out before"):
        roll_back(workspace, store=store)


def test_without_any_rollout_there_is_nothing_to_go_back_to(workspace: FakeWorkspace, store: MemoryStore) -> None:
    with pytest.raises(StoreError, match="no roll-out yet"):
        roll_back(workspace, store=store)
