"""Bodies as Label Studio 1.23.2 posts them, and bodies that nobody should post."""

from __future__ import annotations

import pytest

from review_copilot.domain.geometry import Box
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import BadRequest
from review_copilot.labelstudio.payloads import read_predict, read_project, read_setup, read_webhook


def test_an_ordinary_predict_body() -> None:
    body = {
        "tasks": [{"id": 1, "data": {"image": "a"}}, {"id": 2, "data": {"image": "b"}}],
        "project": "7.1732360000",
        "label_config": "<View/>",
        "params": {"login": None, "password": None, "context": None},
    }
    asked = read_predict(body, instance="http://ls")
    assert asked.project == ProjectKey("http://ls", 7, "1732360000")
    assert [task["id"] for task in asked.tasks] == [1, 2]
    assert asked.drawn is None
    assert not asked.interactive


def test_the_magic_tools_box_is_turned_into_fractions() -> None:
    drawn = {"type": "rectanglelabels", "value": {"x": 10, "y": 20.5, "width": 30, "height": 40, "rotation": 0}}
    body = {"tasks": [{"id": 1}], "project": "7.1", "params": {"context": {"result": [drawn]}}}
    asked = read_predict(body, instance="x")
    assert asked.interactive
    assert asked.drawn == Box(0.1, 0.205, 0.3, 0.4)


def test_an_interactive_request_without_a_box_asks_for_nothing() -> None:
    body = {"tasks": [{"id": 1}], "project": "7.1", "params": {"context": {"result": [{"value": {"text": ["x"]}}]}}}
    asked = read_predict(body, instance="x")
    assert asked.interactive
    assert asked.drawn is None


@pytest.mark.parametrize("body", [None, [], "x", {}, {"tasks": 3, "project": "1"}, {"tasks": [], "project": None}])
def test_what_is_no_predict_body_is_a_bad_request(body: object) -> None:
    with pytest.raises(BadRequest):
        read_predict(body, instance="x")


def test_setup_names_the_project_and_the_config() -> None:
    asked = read_setup({"project": "7.1", "schema": "<View/>", "access_token": "secret"}, instance="x")
    assert asked.project.project_id == 7
    assert asked.label_config == "<View/>"


@pytest.mark.parametrize("raw", ["7.1732360000", "7", 7])
def test_a_project_with_or_without_stamp(raw: str | int) -> None:
    assert read_project(raw, instance="x").project_id == 7


def test_a_single_annotation_event() -> None:
    event = read_webhook(
        {
            "action": "ANNOTATION_CREATED",
            "annotation": {"id": 5, "task": 12, "project": 7},
            "task": {"id": 12},
            "project": {"id": 7, "label_config": "<View/>"},
        }
    )
    assert (event.action, event.project_id, event.task_ids) == ("ANNOTATION_CREATED", 7, (12,))


def test_a_bulk_event_names_all_its_tasks() -> None:
    event = read_webhook({"action": "TASKS_DELETED", "tasks": [{"id": 3}, {"id": 1}], "project": {"id": 7}})
    assert event.task_ids == (1, 3)


def test_deleted_annotations_come_without_their_tasks() -> None:
    event = read_webhook({"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 5}], "project": {"id": 7}})
    assert (event.project_id, event.task_ids) == (7, ())


@pytest.mark.parametrize("body", [None, [], {"annotation": {}}, {"action": 3}])
def test_what_is_no_webhook_is_a_bad_request(body: object) -> None:
    with pytest.raises(BadRequest):
        read_webhook(body)
