"""Every webhook ends in an outcome that is counted, whatever comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from opened import OpenedCopilot, opened
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from review_copilot.web.webhook import COUNTS, MAX_BODY_BYTES
from review_copilot.web.webhook_counts import WebhookCounts, WebhookOutcome

SECRET = {SECRET_HEADER: "knock knock"}
EVENT: dict[str, Any] = {
    "action": "ANNOTATION_UPDATED",
    "annotation": {"id": 3, "task": 12, "updated_at": "2026-03-02T12:05:00Z"},
    "project": {"id": 7},
}
OLDER = {**EVENT, "annotation": {"id": 3, "task": 12, "updated_at": "2026-03-02T12:00:00Z"}}


@pytest.fixture
def copilot(tmp_path: Path) -> Iterator[OpenedCopilot]:
    made = opened(
        load_settings(
            _env_file=None,
            database_url=f"sqlite:///{tmp_path}/log.db",
            password="open sesame",
            webhook_secret=SECRET[SECRET_HEADER],
        )
    )
    yield made
    made.store.close()


@pytest.fixture
def app(copilot: OpenedCopilot) -> Flask:
    return create_app(copilot.parts())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def post(client: FlaskClient, body: object, *, headers: dict[str, str] = SECRET) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/webhook", data=data, content_type="application/json", headers=headers)


def counted(app: Flask) -> dict[str, int]:
    """The outcomes that came up."""
    counts = app.extensions[COUNTS]
    assert isinstance(counts, WebhookCounts)
    return {outcome.value: count for outcome, count in counts.snapshot().items() if count}


def test_new_doubled_and_late_events_are_told_apart_and_all_kept(
    client: FlaskClient, app: Flask, copilot: OpenedCopilot
) -> None:
    outcomes = [post(client, body).get_json()["outcome"] for body in (EVENT, EVENT, OLDER)]
    assert outcomes == ["queued", "duplicate", "late"]
    assert counted(app) == {"queued": 1, "duplicate": 1, "late": 1}
    assert len(copilot.store.waiting()) == 3


def test_an_unknown_action_is_answered_and_let_go_of(client: FlaskClient, app: Flask, copilot: OpenedCopilot) -> None:
    assert post(client, {"action": "SOMETHING_NEW"}).status_code == 200
    assert counted(app) == {"ignored": 1}
    assert not copilot.store.waiting()


def test_new_tasks_are_queued_only_where_a_token_allows_to_draft_them(
    client: FlaskClient, app: Flask, copilot: OpenedCopilot, tmp_path: Path
) -> None:
    """Without a token their bodies would wait in the inbox for nothing."""
    body = {"action": "TASKS_CREATED", "tasks": [{"id": 1}, {"id": 2}], "project": {"id": 7}}
    assert post(client, body).get_json()["status"] == "ignored"
    assert counted(app) == {"ignored": 1}
    settings = copilot.settings.model_copy(
        update={"label_studio_token": SecretStr("0" * 40), "database_url": f"sqlite:///{tmp_path}/other.db"}
    )
    with_token = opened(settings)
    assert post(create_app(with_token.parts()).test_client(), body).get_json()["status"] == "queued"
    assert [(notice.action, notice.task_ids) for notice in with_token.store.waiting()] == [("TASKS_CREATED", (1, 2))]
    with_token.close()


@pytest.mark.parametrize("body", [b"", json.dumps(EVENT).encode()[:40], b"[" * 100_000, b"\xff\xfe", b"[]", b'{"a":1}'])
def test_half_a_body_and_none_are_refused_in_words(client: FlaskClient, app: Flask, body: bytes) -> None:
    answer = post(client, body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]
    assert counted(app) == {"unreadable": 1}


def test_a_body_of_20_mb_is_taken(client: FlaskClient, app: Flask, copilot: OpenedCopilot) -> None:
    """Bulk actions send 5 000 annotations at once."""
    one = {"updated_at": "2026-03-02T12:05:00Z", "result": [{"value": {"text": ["x" * 4000]}}]}
    many = [{"id": number, "task": number, **one} for number in range(1, 5001)]
    body = json.dumps({"action": "ANNOTATIONS_CREATED", "annotation": many, "project": {"id": 7}}).encode()
    assert len(body) > 20_000_000
    assert post(client, body).status_code == 200
    assert counted(app) == {"queued": 1}
    assert len(copilot.store.waiting()[0].task_ids) == 5000


def test_a_body_over_the_limit_is_not_read(client: FlaskClient, app: Flask) -> None:
    length = {"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)}
    answer = client.post("/webhook", data=b"x", headers=SECRET, environ_overrides=length)
    assert answer.status_code == 413
    assert str(MAX_BODY_BYTES) in answer.get_json()["hint"]
    assert counted(app) == {"too_large": 1}


def test_a_wrong_secret_is_counted_before_the_body_is_read(client: FlaskClient, app: Flask) -> None:
    assert post(client, b"\x00", headers={SECRET_HEADER: "knock"}).status_code == 401
    assert counted(app) == {"refused": 1}


def test_a_database_that_cannot_take_it_is_said_and_counted(
    client: FlaskClient, app: Flask, copilot: OpenedCopilot, tmp_path: Path
) -> None:
    copilot.store.close()
    for file in tmp_path.glob("log.db*"):
        file.unlink()
    (tmp_path / "log.db").mkdir()
    answer = post(client, EVENT)
    assert answer.status_code == 500
    assert "database" in answer.get_json()["error"]
    assert counted(app) == {"not_stored": 1}


def test_every_outcome_is_listed_for_whoever_shows_them(app: Flask) -> None:
    counts = app.extensions[COUNTS]
    assert counts.snapshot() == dict.fromkeys(WebhookOutcome, 0)
