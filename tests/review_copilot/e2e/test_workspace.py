"""One project of the real server as the flows see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from builders import a_provenance, a_review, a_suggestion
from review_copilot.demo.label_studio_server import LabelStudioServer
from review_copilot.domain.geometry import Box
from review_copilot.domain.review import Review, TaskKey
from review_copilot.errors import LabelConfigError, LabelStudioError, LabelStudioNotFound
from review_copilot.labelstudio.client import Filter, LabelStudioClient
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.workspace import LabelStudioOpener, LabelStudioWorkspace
from review_copilot.library import load_guideline

pytestmark = pytest.mark.labelstudio

GUIDELINE = load_guideline("photo-quality")


@pytest.fixture
def opener(label_studio_client: LabelStudioClient) -> LabelStudioOpener:
    return LabelStudioOpener(label_studio_client, instance="", guideline_of=lambda _: GUIDELINE)


@pytest.fixture
def workspace(label_studio_client: LabelStudioClient, opener: LabelStudioOpener) -> Iterator[LabelStudioWorkspace]:
    """A project with four tasks that was made for the guideline."""
    project = label_studio_client.create_project(title="Workspace test", label_config=generate(GUIDELINE))
    tasks = [{"image": f"http://example.org/{n}.png", "shift": "night"} for n in range(4)]
    label_studio_client.import_tasks(project.id, tasks)
    yield opener.open(project.id)
    label_studio_client.delete_project(project.id)


def _review(workspace: LabelStudioWorkspace, task_id: int, *, rollout: str = "first") -> Review:
    label = GUIDELINE.label_of("PQ-01")
    suggestions = [
        a_suggestion(f"here-{task_id}", criterion_id="PQ-01", label=label),
        a_suggestion(f"everywhere-{task_id}", criterion_id="PQ-01", label=label, box=Box.whole()),
    ]
    key = TaskKey(workspace.key, task_id)
    return a_review(f"{rollout}-{task_id}", *suggestions, key=key, provenance=a_provenance(rollout=rollout))


def _ids(workspace: LabelStudioWorkspace) -> list[int]:
    return sorted(workspace.task_ids())


def test_tasks_are_read_whole_and_by_name(
    workspace: LabelStudioWorkspace, label_studio_client: LabelStudioClient
) -> None:
    tasks = list(workspace.tasks())
    assert [task.image for task in tasks] == [f"http://example.org/{n}.png" for n in range(4)]
    assert tasks[0].data == {"shift": "night"}
    assert workspace.count_tasks() == 4
    ids = _ids(workspace)
    assert [task.key.task_id for task in workspace.tasks(only=[ids[2], ids[0], ids[2], 10**8])] == [ids[0], ids[2]]
    assert workspace.key.instance == label_studio_client.url
    assert workspace.key.created.isdecimal()


def test_predictions_are_stored_found_pinned_and_deleted(workspace: LabelStudioWorkspace) -> None:
    """Stored twice under one roll-out, as after a lost answer, and under another whose name holds the first one's."""
    ids = _ids(workspace)
    assert workspace.push([_review(workspace, task_id) for task_id in ids]) == 4
    assert workspace.push([_review(workspace, ids[0])]) == 1
    assert workspace.push([_review(workspace, ids[1], rollout="first, again")]) == 1
    stored = list(workspace.predictions(rollout="first"))
    assert [found.task_id for found in stored] == [ids[0], ids[0], *ids[1:]]
    assert set(stored[0].region_ids) == {f"here-{ids[0]}", f"everywhere-{ids[0]}"}
    assert workspace.pinned() == ""
    workspace.pin("first")
    assert workspace.pinned() == "first"
    assert workspace.delete_predictions([stored[1].id, stored[1].id, 10**8]) == 1
    assert len(list(workspace.predictions(rollout="first"))) == 4
    with pytest.raises(LabelStudioError, match="Model version doesn't exist"):
        workspace.pin("never stored")


def test_changes_are_found_by_their_time(
    workspace: LabelStudioWorkspace, label_studio_client: LabelStudioClient
) -> None:
    """Submitted, skipped, edited and deleted annotations all show; imported predictions do not."""
    ids = _ids(workspace)
    assert list(workspace.changed(since=None)) == []
    submitted = label_studio_client.create_annotation(ids[0], {"result": [], "lead_time": 2.5})
    label_studio_client.create_annotation(ids[1], {"result": [], "was_cancelled": True})
    everything = {state.key.task_id: state for state in workspace.changed(since=None)}
    assert set(everything) == {ids[0], ids[1]}
    assert everything[ids[0]].annotations[0].annotation_id == submitted
    assert everything[ids[0]].annotations[0].lead_time_s == 2.5
    assert everything[ids[1]].annotations[0].skipped
    assert workspace.annotated() == set(everything)
    newest = max(state.updated_at for state in everything.values() if state.updated_at)
    workspace.push([_review(workspace, ids[2])])
    assert list(workspace.changed(since=newest)) == []
    assert {s.key.task_id for s in workspace.changed(since=newest - timedelta(seconds=30))} >= set(ids[:2])
    label_studio_client.update_annotation(submitted, {"result": [], "lead_time": 9.0})
    (edited,) = workspace.changed(since=newest)
    assert edited.annotations[0].lead_time_s == 9.0
    label_studio_client.delete_annotation(submitted)
    (emptied,) = workspace.changed(since=edited.updated_at)
    assert (emptied.key.task_id, emptied.annotations) == (ids[0], ())
    assert [state.key.task_id for state in workspace.states([ids[1], ids[0], 10**8])] == ids[:2]


def test_what_a_reviewer_has_begun_is_known(
    workspace: LabelStudioWorkspace, label_studio: LabelStudioServer, label_studio_client: LabelStudioClient
) -> None:
    """Submitted, skipped, or only opened and changed: all are begun."""
    ids = _ids(workspace)
    label_studio_client.create_annotation(ids[0], {"result": []})
    label_studio_client.create_annotation(ids[1], {"result": [], "was_cancelled": True})
    answer = requests.post(
        f"{label_studio.url}/api/tasks/{ids[2]}/drafts",
        json={"result": [], "lead_time": 1.0},
        headers={"Authorization": f"Token {label_studio.account.legacy_token}"},
        timeout=30,
    )
    assert answer.ok, answer.text
    assert workspace.begun(ids) == frozenset(ids[:3])


def test_tasks_are_chosen_by_view_and_filter(
    workspace: LabelStudioWorkspace, label_studio: LabelStudioServer, label_studio_client: LabelStudioClient
) -> None:
    ids = _ids(workspace)
    label_studio_client.import_tasks(workspace.key.project_id, [{"image": "http://example.org/9.png", "shift": "day"}])
    items = [{"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": ids[1]}]
    answer = requests.post(
        f"{label_studio.url}/api/dm/views",
        json={"project": workspace.key.project_id, "data": {"filters": {"conjunction": "and", "items": items}}},
        headers={"Authorization": f"Token {label_studio.account.legacy_token}"},
        timeout=30,
    )
    view = int(answer.json()["id"])
    night = Filter("data.shift", "equal", "String", "night")
    assert workspace.select(filters=[night]) == ids
    assert len(workspace.select(view=view)) == 3
    assert workspace.select(view=view, filters=[night]) == ids[2:]


def test_what_the_label_config_cannot_carry_is_an_error_at_opening(
    label_studio_client: LabelStudioClient, opener: LabelStudioOpener
) -> None:
    project = label_studio_client.create_project(title="No boxes here", label_config="<View></View>")
    with pytest.raises(LabelConfigError, match="RectangleLabels"):
        opener.open(project.id)
    label_studio_client.delete_project(project.id)
    with pytest.raises(LabelStudioNotFound):
        opener.open(project.id)


def test_tasks_without_the_label_configs_image_are_an_error_before_work_begins(
    label_studio_client: LabelStudioClient, opener: LabelStudioOpener
) -> None:
    project = label_studio_client.create_project(title="Other field", label_config="<View></View>")
    label_studio_client.import_tasks(project.id, [{"photo": "http://example.org/1.png"}])
    config = generate(GUIDELINE).replace("$image", "$photo")
    label_studio_client.update_project(project.id, label_config=config)
    assert next(opener.open(project.id).tasks()).image == "http://example.org/1.png"
    label_studio_client.import_tasks(project.id, [{"photo": ""}])
    first = min(opener.open(project.id).task_ids())
    assert [task.image for task in opener.open(project.id).tasks()] == ["http://example.org/1.png", ""]
    label_studio_client.delete_task(first)
    with pytest.raises(LabelConfigError, match=r'No task of project .* has an image in "\$photo"'):
        next(opener.open(project.id).tasks())
    label_studio_client.delete_project(project.id)
