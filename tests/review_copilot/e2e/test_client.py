"""The REST client against the real server, with both kinds of token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from review_copilot.demo import label_studio_server as ls
from review_copilot.errors import LabelStudioAuthError, LabelStudioError, LabelStudioNotFound
from review_copilot.labelstudio.api_records import Project
from review_copilot.labelstudio.client import Filter, LabelStudioClient
from review_copilot.labelstudio.transport import TokenKind, Transport

pytestmark = pytest.mark.labelstudio

CONFIG = """<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">
<Label value="Scratch"/></RectangleLabels></View>"""


@pytest.fixture
def client(label_studio_client: LabelStudioClient) -> LabelStudioClient:
    return label_studio_client


@pytest.fixture
def project(client: LabelStudioClient) -> Iterator[Project]:
    """A project with five tasks."""
    project = client.create_project(title="Client test", label_config=CONFIG)
    assert client.import_tasks(project.id, [{"image": f"http://example.org/{n}.png"} for n in range(5)]) == 5
    yield project
    client.delete_project(project.id)


def test_a_personal_token_works_like_a_legacy_one(label_studio: ls.LabelStudioServer, personal_token: str) -> None:
    with LabelStudioClient(Transport(label_studio.url, personal_token)) as client:
        assert client.token_kind is TokenKind.PERSONAL
        assert client.who() == label_studio.account.email
        assert client.version() == ls.VERSION


def test_a_legacy_token_on_a_fresh_installation_says_how_to_mend_it(fresh_label_studio: ls.LabelStudioServer) -> None:
    with (
        LabelStudioClient(Transport(fresh_label_studio.url, fresh_label_studio.account.legacy_token)) as client,
        pytest.raises(LabelStudioAuthError, match=r"legacy tokens are disabled .*\. Create a personal access token"),
    ):
        client.who()


def test_tasks_come_by_rising_id_over_several_pages(client: LabelStudioClient, project: Project) -> None:
    ids = [task["id"] for task in client.tasks(project.id, page_size=2)]
    assert len(ids) == 5
    assert ids == sorted(ids)
    some = [task["id"] for task in client.tasks(project.id, filters=[Filter("id", "in_list", "Number", ids[1:3])])]
    assert some == ids[1:3]
    assert client.count_tasks(project.id) == 5


def test_tasks_that_are_deleted_while_pages_are_read_hide_no_others(
    client: LabelStudioClient, project: Project
) -> None:
    """By page number, deleting a task of the first page would move the third task out of the second page."""
    reading = client.tasks(project.id, page_size=2)
    first, second = next(reading)["id"], next(reading)["id"]
    client.delete_task(first)
    rest = [task["id"] for task in reading]
    assert len(rest) == 3
    assert min(rest) > second


def test_predictions_are_counted_by_version_and_deleted(client: LabelStudioClient, project: Project) -> None:
    ids = [task["id"] for task in client.tasks(project.id, include=("id",))]
    good = [{"task": task_id, "result": [], "score": 0.5, "model_version": "first"} for task_id in ids]
    assert client.import_predictions(project.id, good) == 5
    box = {"x": 1, "y": 1, "width": 2, "height": 2, "rotation": 0, "rectanglelabels": ["Nobody"]}
    unknown = {"id": "r", "from_name": "label", "to_name": "image", "type": "rectanglelabels", "value": box}
    assert client.import_predictions(project.id, [{"task": ids[0], "result": [unknown], "model_version": "first"}]) == 0
    assert client.model_versions(project.id) == {"first": 5}
    client.delete_model_version(project.id, "first")
    assert client.model_versions(project.id) == {}


def test_what_is_not_there_and_what_is_wrong_is_told_apart(client: LabelStudioClient, project: Project) -> None:
    with pytest.raises(LabelStudioNotFound):
        client.project(10**6)
    with pytest.raises(LabelStudioError, match="Model version doesn't exist"):
        client.update_project(project.id, model_version="never stored")
