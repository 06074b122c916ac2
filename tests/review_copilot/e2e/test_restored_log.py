"""A new, empty database on a project that has drafts, and drafts of two models, on a real Label Studio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import a_provenance, a_review, a_suggestion
from fake_clock import FakeClock
from review_copilot.domain.geometry import Box
from review_copilot.domain.override import OverrideKind, Subject
from review_copilot.domain.review import Review, TaskKey
from review_copilot.flows.sweep import sweep_project
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.regions import to_prediction
from review_copilot.labelstudio.workspace import LabelStudioOpener, LabelStudioWorkspace
from review_copilot.library import load_guideline
from review_copilot.store import SqlStore, open_store

pytestmark = pytest.mark.labelstudio

GUIDELINE = load_guideline("photo-quality")
OURS = "photo-quality r3 0a1b2c"


@pytest.fixture
def workspace(label_studio_client: LabelStudioClient) -> Iterator[LabelStudioWorkspace]:
    project = label_studio_client.create_project(title="Restored log", label_config=generate(GUIDELINE))
    label_studio_client.import_tasks(project.id, [{"image": f"http://example.org/{n}.png"} for n in range(3)])
    opener = LabelStudioOpener(label_studio_client, instance="", guideline_of=lambda _: GUIDELINE)
    yield opener.open(project.id)
    label_studio_client.delete_project(project.id)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'new.db'}", clock=FakeClock())
    yield opened
    opened.close()


def _review(workspace: LabelStudioWorkspace, task_id: int, *, rollout: str) -> Review:
    label = GUIDELINE.label_of("PQ-01")
    suggestions = (
        a_suggestion(f"box-{rollout[:3]}", criterion_id="PQ-01", label=label, box=Box(0.1, 0.1, 0.3, 0.3)),
        a_suggestion(f"whole-{rollout[:3]}", criterion_id="PQ-01", label=label, box=Box.whole()),
    )
    key = TaskKey(workspace.key, task_id)
    return a_review(f"{rollout}-{task_id}", *suggestions, key=key, provenance=a_provenance(rollout=rollout))


def _submit(client: LabelStudioClient, workspace: LabelStudioWorkspace, task_id: int, review: Review) -> None:
    """Submit the stored prediction as it is, as the editor does."""
    rollout = review.provenance.rollout
    (stored,) = workspace.predictions(rollout=rollout, task_ids=[task_id])
    results = to_prediction(review, workspace.labels).payload["result"]
    client.create_annotation(task_id, {"result": results, "parent_prediction": stored.id, "lead_time": 3.0})


def test_drafts_are_read_back_and_other_models_left_aside(
    label_studio_client: LabelStudioClient, workspace: LabelStudioWorkspace, store: SqlStore
) -> None:
    ours, theirs, both = sorted(workspace.task_ids())
    reviews = [_review(workspace, ours, rollout=OURS), _review(workspace, theirs, rollout="detector/3")]
    shown = _review(workspace, both, rollout="detector/3")
    known = _review(workspace, both, rollout=OURS)
    workspace.push([*reviews, shown, known])
    store.remember([known])
    for task_id, review in zip((ours, theirs, both), (*reviews, shown), strict=True):
        _submit(label_studio_client, workspace, task_id, review)
    sweep_project(workspace, store=store)
    rows = {
        task_id: {
            row.override.kind
            for row in store.overrides()
            if row.key.task_id == task_id and row.override.subject is Subject.REGION
        }
        for task_id in (ours, theirs, both)
    }
    assert rows == {ours: {OverrideKind.UNTOUCHED}, theirs: set(), both: set()}
