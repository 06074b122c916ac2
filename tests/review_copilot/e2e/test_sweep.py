"""The sweep on a real server: what no webhook told of is found, also while tasks and annotations come and go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from fake_clock import FakeClock
from review_copilot.demo.label_studio_server import LabelStudioServer
from review_copilot.domain.override import OverrideKind, Subject
from review_copilot.errors import LabelStudioFailed
from review_copilot.flows.sweep import KEEP_EVERY, empty_inbox, sweep_project
from review_copilot.labelstudio.client import TASKS_PER_PAGE, LabelStudioClient
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.workspace import LabelStudioOpener, LabelStudioWorkspace
from review_copilot.library import load_guideline
from review_copilot.ports import TaskState, WebhookNotice
from review_copilot.store import SqlStore, open_store

pytestmark = pytest.mark.labelstudio

GUIDELINE = load_guideline("photo-quality")
BOX = {
    "id": "drawn", "from_name": "label", "to_name": "image", "type": "rectanglelabels",
    "original_width": 100, "original_height": 100,
    "value": {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["Out of focus"]},
}  # fmt: skip


@pytest.fixture
def opener(label_studio_client: LabelStudioClient) -> LabelStudioOpener:
    return LabelStudioOpener(label_studio_client, instance="", guideline_of=lambda _: GUIDELINE)


@pytest.fixture
def workspace(label_studio_client: LabelStudioClient, opener: LabelStudioOpener) -> Iterator[LabelStudioWorkspace]:
    """A project with six tasks."""
    project = label_studio_client.create_project(title="Sweep test", label_config=generate(GUIDELINE))
    label_studio_client.import_tasks(project.id, [{"image": f"http://example.org/{n}.png"} for n in range(6)])
    yield opener.open(project.id)
    label_studio_client.delete_project(project.id)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'log.db'}", clock=FakeClock())
    yield opened
    opened.close()


def living(store: SqlStore) -> set[int]:
    return {row.annotation_id for row in store.overrides()}


def delete_in_bulk(server: LabelStudioServer, project_id: int, action: str, task_ids: list[int]) -> None:
    """What the Data Manager's menu does."""
    requests.post(
        f"{server.url}/api/dm/actions",
        params={"id": action, "project": str(project_id)},
        json={"selectedItems": {"all": False, "included": task_ids}},
        headers={"Authorization": f"Token {server.account.legacy_token}"},
        timeout=60,
    ).raise_for_status()


def test_missed_changed_skipped_and_deleted_ones_are_found_and_counted(
    label_studio: LabelStudioServer,
    label_studio_client: LabelStudioClient,
    opener: LabelStudioOpener,
    workspace: LabelStudioWorkspace,
    store: SqlStore,
) -> None:
    client, project_id = label_studio_client, workspace.key.project_id
    tasks = sorted(workspace.task_ids())
    made = [client.create_annotation(task_id, {"result": [BOX], "lead_time": 3.5}) for task_id in tasks[:4]]
    first = sweep_project(workspace, store=store)
    assert (first.tasks, first.revisions, first.missed) == (4, 4, 0)

    skipped = client.create_annotation(tasks[4], {"result": [], "was_cancelled": True})
    announced = client.create_annotation(tasks[5], {"result": [BOX]})
    client.update_annotation(made[0], {"result": [{**BOX, "value": {**BOX["value"], "x": 30}}]})  # type: ignore[dict-item]
    store.put(WebhookNotice(0, workspace.key.instance, project_id, (tasks[5],), "ANNOTATION_CREATED"))
    assert empty_inbox(store, opener=opener).revisions == 1
    second = sweep_project(workspace, store=store)
    assert (second.revisions, second.missed, second.deleted) == (2, 2, 0)
    assert living(store) == {*made, skipped, announced}
    rows = list(store.overrides())
    assert [r.override.kind for r in rows if r.override.subject is Subject.TASK] == [OverrideKind.SKIPPED]
    assert {r.revision for r in rows if r.annotation_id == made[0]} == {2}

    delete_in_bulk(label_studio, project_id, "delete_tasks_annotations", tasks[1:3])
    client.delete_task(tasks[3])
    third = sweep_project(workspace, store=store)
    assert (third.deleted, third.missed, third.revisions) == (3, 3, 0)
    assert living(store) == {made[0], skipped, announced}
    again = sweep_project(workspace, store=store, everything=True)
    assert (again.tasks, again.revisions, again.deleted, again.missed) == (3, 0, 0, 0)


def test_tasks_deleted_between_two_pages_hide_nobody(
    label_studio: LabelStudioServer,
    label_studio_client: LabelStudioClient,
    workspace: LabelStudioWorkspace,
) -> None:
    """Pages go by id: with page numbers, the two tasks that move up into the page already read would be skipped."""
    more = [{"image": f"http://example.org/{n}.png"} for n in range(TASKS_PER_PAGE)]
    label_studio_client.import_tasks(workspace.key.project_id, more)
    tasks = sorted(workspace.task_ids())
    read = []
    for state in workspace.changed(since=datetime(2020, 1, 1, tzinfo=UTC)):
        read.append(state.key.task_id)
        if len(read) == 2:
            delete_in_bulk(label_studio, workspace.key.project_id, "delete_tasks", tasks[:2])
    assert read == tasks


class Cut(LabelStudioWorkspace):
    """Goes down in the middle of the second page."""

    def changed(self, *, since: datetime | None, after: int = 0) -> Iterator[TaskState]:
        for number, state in enumerate(super().changed(since=since, after=after)):
            if number == KEEP_EVERY + 5:
                raise ConnectionError
            yield state


@pytest.fixture
def many(label_studio_client: LabelStudioClient, workspace: LabelStudioWorkspace) -> int:
    """How many tasks with an annotation were added: a page and a part of the next one."""
    count = KEEP_EVERY + 20
    tasks = [
        {"data": {"image": f"http://example.org/{n}.png"}, "annotations": [{"result": [BOX]}]} for n in range(count)
    ]
    label_studio_client.import_tasks(workspace.key.project_id, tasks)
    return count


def test_a_sweep_cut_off_by_an_outage_is_taken_up(
    label_studio_client: LabelStudioClient, workspace: LabelStudioWorkspace, store: SqlStore, many: int
) -> None:
    """Cut behind the first page; the second run reads only what the first did not."""
    cut = Cut(label_studio_client, key=workspace.key, labels=workspace.labels)
    with pytest.raises(ConnectionError):
        sweep_project(cut, store=store)
    assert store.bookmark(workspace.key) is None
    report = sweep_project(workspace, store=store)
    assert report.tasks == 20
    assert len(living(store)) == many
    assert store.bookmark(workspace.key) is not None


def test_what_was_deleted_before_the_cut_is_found_after_it(
    label_studio_client: LabelStudioClient,
    opener: LabelStudioOpener,
    workspace: LabelStudioWorkspace,
    store: SqlStore,
    many: int,
) -> None:
    """Two tasks lose their only annotation, one before the sweep began and one behind its back; only they are read."""
    first, second = list(workspace.changed(since=None))[:2]
    store.put(
        WebhookNotice(0, workspace.key.instance, workspace.key.project_id, (first.key.task_id,), "ANNOTATION_CREATED")
    )
    assert empty_inbox(store, opener=opener).revisions == 1
    label_studio_client.delete_annotation(first.annotations[0].annotation_id)
    cut = Cut(label_studio_client, key=workspace.key, labels=workspace.labels)
    with pytest.raises(ConnectionError):
        sweep_project(cut, store=store)
    label_studio_client.delete_annotation(second.annotations[0].annotation_id)
    report = sweep_project(workspace, store=store)
    assert (report.deleted, report.tasks) == (2, 19 + 2)  # the page that was kept began one task later
    assert len(living(store)) == many - 2


def test_a_record_that_label_studio_cannot_read_costs_one_task(
    label_studio: LabelStudioServer,
    label_studio_client: LabelStudioClient,
    workspace: LabelStudioWorkspace,
    opener: LabelStudioOpener,
    store: SqlStore,
) -> None:
    """Half of a surrogate pair in a text: the row is stored, and every page of tasks with it fails from then on."""
    tasks = sorted(workspace.task_ids())
    broken = {**BOX, "type": "textarea", "from_name": "rationale"}
    broken["value"] = {"x": 0, "y": 0, "width": 9, "height": 9, "text": ["broken \ud83d end"]}
    answer = requests.post(
        f"{label_studio.url}/api/tasks/{tasks[2]}/annotations/",
        data=json.dumps({"result": [broken]}),
        headers={
            "Authorization": f"Token {label_studio.account.legacy_token}",
            "Content-Type": "application/json",
        },
        timeout=30,
    )
    assert answer.status_code == 500
    good = {
        label_studio_client.create_annotation(task_id, {"result": [BOX]}) for task_id in tasks if task_id != tasks[2]
    }
    with pytest.raises(LabelStudioFailed, match=r"failed on the request to /api/tasks/ \(HTTP 500\)"):
        list(label_studio_client.tasks(workspace.key.project_id))
    report = sweep_project(workspace, store=store)
    assert living(store) == good
    assert {key.task_id for key in report.unreadable} == {tasks[2]}
    assert any(f"Label Studio fails on task {tasks[2]}" in problem for problem in report.problems)
    assert tasks[2] in workspace.begun(tasks)
    store.put(WebhookNotice(0, workspace.key.instance, workspace.key.project_id, (tasks[2], tasks[3]), "x"))
    assert empty_inbox(store, opener=opener).deleted == 0
    label_studio_client.delete_task(tasks[2])
    assert not sweep_project(workspace, store=store, everything=True).unreadable
    assert store.waiting() == ()
