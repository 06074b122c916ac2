"""Where an annotation began: at another model's prediction, or at a draft of ours that this database does not know."""

from __future__ import annotations

from datetime import timedelta

import pytest

from builders import NOON, PROJECT, a_provenance, a_review, a_suggestion, as_submitted, task_key, untouched
from fake_label_studio import FakeWorkspace
from fakes import MemoryStore
from review_copilot.domain.override import OverrideKind, Subject
from review_copilot.domain.review import Review
from review_copilot.flows.sweep import sweep_project
from review_copilot.ports import PredictionOrigin, StoredPrediction

OURS = "photo-quality r1 0a1b2c"


def _workspace(review: Review, **changes: object) -> FakeWorkspace:
    """One task whose annotation holds the review's regions and began from prediction 77."""
    annotation = untouched(review, parent_prediction=77, **changes)
    made = FakeWorkspace(PROJECT, {1: "1.png"})
    made.annotations[1] = [annotation]
    made.touched[1] = NOON + timedelta(minutes=5)
    return made


def _kinds(store: MemoryStore) -> list[tuple[Subject, OverrideKind, str]]:
    return [(row.override.subject, row.override.kind, row.override.suggestion_id) for row in store.overrides()]


@pytest.mark.parametrize("version", ["detector/3", "", "photo-quality", "photo-quality r1", "photo-quality r1 0a1b2c "])
def test_work_begun_from_another_model_says_nothing_of_our_drafts(store: MemoryStore, version: str) -> None:
    """No false rejections of what its reviewer did not see, and the other model's box is nobody's own find."""
    store.remember([a_review("r1", a_suggestion("s1"))])
    foreign = a_review("f", a_suggestion("foreign1"), provenance=a_provenance(rollout=version))
    own = as_submitted(a_suggestion("drawn by hand"))
    workspace = _workspace(foreign, regions=(as_submitted(foreign.suggestions[0]), own))
    workspace.others[77] = PredictionOrigin(StoredPrediction(77, 1, version, ("foreign1",)))
    sweep_project(workspace, store=store)
    regions = [row for row in store.overrides() if row.override.subject is Subject.REGION]
    assert [(row.override.kind, row.override.region_id) for row in regions] == [(OverrideKind.ADDED, "drawn by hand")]
    assert not any(row.override.kind is OverrideKind.REJECTED for row in store.overrides())


@pytest.mark.parametrize("before", ["empty database", "older backup"])
def test_a_draft_that_the_database_does_not_know_is_read_back(store: MemoryStore, before: str) -> None:
    """After a restore, kept suggestions are untouched, not the reviewer's own additions."""
    if before == "older backup":
        older = a_review("older", a_suggestion("s0"), provenance=a_provenance(rollout="photo-quality r0 ffffff"))
        store.remember([older])
    lost = a_review("lost", a_suggestion("s1"), provenance=a_provenance(rollout=OURS))
    workspace = _workspace(lost)
    workspace.others[77] = PredictionOrigin(StoredPrediction(77, 1, OURS, ("s1",)), lost)
    sweep_project(workspace, store=store)
    assert {kind for _, kind, _ in _kinds(store)} == {OverrideKind.UNTOUCHED}
    assert "lost" in {review.id for review in store.recall(task_key(1))}
    rows = _kinds(store)
    workspace.others.clear()
    sweep_project(workspace, store=store, everything=True)
    assert _kinds(store) == rows, "the second sweep asks nothing and changes nothing"


def test_a_draft_that_is_known_is_not_read_back(store: MemoryStore) -> None:
    """The store's own review says more than its prediction."""
    known = a_review("known", a_suggestion("s1"), provenance=a_provenance(rollout=OURS))
    store.remember([known])
    workspace = _workspace(known)
    rebuilt = a_review("rebuilt", a_suggestion("s1"), provenance=a_provenance(rollout=OURS))
    workspace.others[77] = PredictionOrigin(StoredPrediction(77, 1, OURS, ("s1",)), rebuilt)
    sweep_project(workspace, store=store)
    assert [review.id for review in store.recall(task_key(1))] == ["known"]
    assert {kind for _, kind, _ in _kinds(store)} == {OverrideKind.UNTOUCHED}


def test_an_origin_that_is_gone_or_of_another_task_changes_nothing(store: MemoryStore) -> None:
    review = a_review("r1", a_suggestion("s1"))
    store.remember([review])
    workspace = _workspace(review)
    workspace.others[77] = PredictionOrigin(StoredPrediction(77, 2, "detector", ("s1",)))
    sweep_project(workspace, store=store)
    assert {kind for _, kind, _ in _kinds(store)} == {OverrideKind.UNTOUCHED}
