"""Without a token the log is written from webhook bodies: unconfirmed, in any order, and nothing else is deleted."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from builders import NOON, a_review, a_suggestion, task_key
from fakes import MemoryStore
from review_copilot.domain.override import OverrideKind
from review_copilot.domain.review import ProjectKey
from review_copilot.flows.log_webhook_bodies import AT_ONCE, log_bodies
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.webhook_bodies import WebhookBodies
from review_copilot.library import load_guideline
from review_copilot.ports import WebhookNotice

GUIDELINE = load_guideline("photo-quality")
PROJECT_BODY = {"id": 7, "created_at": "2025-10-09T08:53:20.5Z", "label_config": generate(GUIDELINE)}
KEY = ProjectKey("http://ls", 7, "1760000000")


def annotation(number: int, task_id: int, *, minute: int = 0, x: float = 10.0) -> dict[str, Any]:
    region = {
        "id": "s1", "from_name": "label", "to_name": "image", "type": "rectanglelabels",
        "original_width": 100, "original_height": 100,
        "value": {"x": x, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["Out of focus"]},
    }  # fmt: skip
    at = f"2026-03-02T12:{minute:02}:00Z"
    return {"id": number, "task": task_id, "completed_by": 3, "updated_at": at, "created_at": NOON.isoformat(),
            "lead_time": 4.5, "result": [region]}  # fmt: skip


def wake(action: str, **body: Any) -> WebhookNotice:
    return WebhookNotice(0, "http://ls", 7, (), action, json.dumps({"action": action, "project": PROJECT_BODY, **body}))


MADE = wake("ANNOTATION_CREATED", annotation=annotation(11, 1), task={"id": 1})
CHANGED = wake("ANNOTATION_UPDATED", annotation=annotation(11, 1, minute=5, x=12), task={"id": 1})
MANY = wake("ANNOTATIONS_CREATED", annotation=[annotation(21, 2), annotation(31, 3)], task=[{"id": 2}, {"id": 3}])
GONE = wake("ANNOTATIONS_DELETED", annotations=[{"id": 21}])


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    made.remember([a_review("r1", a_suggestion("s1"), key=task_key(1, project=KEY))])
    return made


def log(store: MemoryStore, *notices: WebhookNotice) -> tuple[str, ...]:
    for event in notices:
        store.put(event)
    return log_bodies(store, reader=WebhookBodies(guideline_of=lambda _: GUIDELINE)).problems


def test_a_body_is_compared_and_stays_unconfirmed(store: MemoryStore) -> None:
    assert log(store, MADE) == ()
    rows = list(store.overrides())
    assert {row.confirmed for row in rows} == {False}
    region = next(row for row in rows if row.override.suggestion_id == "s1")
    assert region.override.kind is OverrideKind.EDITED
    assert (region.key, region.author, region.lead_time_s) == (task_key(1, project=KEY), "3", 4.5)
    assert not store.waiting()


def test_it_stops_between_events_when_webhooks_come_and_goes_on_later(store: MemoryStore) -> None:
    """Answering goes before comparing."""
    for number in range(2 * AT_ONCE + 1):
        store.put(wake("ANNOTATION_CREATED", annotation=annotation(100 + number, 2), task={"id": 2}))
    reader = WebhookBodies(guideline_of=lambda _: GUIDELINE)
    assert log_bodies(store, reader=reader, go_on=lambda: False).annotations == AT_ONCE
    assert len(store.waiting()) == AT_ONCE + 1
    assert log_bodies(store, reader=reader).annotations == AT_ONCE + 1
    assert len(store.living(task_key(2, project=KEY))) == 2 * AT_ONCE + 1


@pytest.mark.parametrize("order", list(permutations((MADE, CHANGED, MANY, GONE))))
def test_any_order_and_every_event_twice_give_the_same_log(
    store: MemoryStore, order: tuple[WebhookNotice, ...]
) -> None:
    """The newest state of 11 stands, 21 is deleted although its deletion may be heard of first, 31 is left alone."""
    log(store, *order, *order[:2])
    log(store, *order)
    assert {row.annotation_id for row in store.overrides()} == {11, 31}
    moved = {row.override.box_to.x for row in store.overrides() if row.annotation_id == 11 and row.override.box_to}
    assert moved == {0.12}


def test_a_deleted_task_takes_its_annotations_along(store: MemoryStore) -> None:
    """All tasks of a project at once come without the project."""
    log(store, MADE, MANY, wake("TASKS_DELETED", tasks=[{"id": 1}]))
    assert {row.annotation_id for row in store.overrides()} == {21, 31}
    log(
        store,
        WebhookNotice(0, "http://ls", 0, (2,), "TASKS_DELETED", '{"action": "TASKS_DELETED", "tasks": [{"id": 2}]}'),
    )
    assert {row.annotation_id for row in store.overrides()} == {31}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[1]",
        "{}",
        '{"action": "ANNOTATION_CREATED"}',
        '{"action": "ANNOTATION_CREATED", "annotation": {"id": 1}, "project": {"id": 7, "label_config": "<View/>"}}',
        json.dumps({"action": "ANNOTATION_CREATED", "annotation": {"id": 1}, "project": PROJECT_BODY}),
    ],
)
def test_what_cannot_be_read_is_said_and_holds_nobody_up(store: MemoryStore, body: str) -> None:
    problems = log(store, WebhookNotice(0, "http://ls", 7, (), "ANNOTATION_CREATED", body), MADE)
    assert len(problems) == 1
    assert {row.annotation_id for row in store.overrides()} == {11}
    assert not store.waiting()
