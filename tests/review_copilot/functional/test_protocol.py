"""The backend as Label Studio meets it, with the real inspector, store and images; only Label Studio is not there."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from opened import OpenedCopilot, opened
from review_copilot.domain.review import Exposure, TaskKey
from review_copilot.errors import SettingsError
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.library import load_guideline
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from review_copilot.web.logging_setup import JsonLines, WithRequestId
from review_copilot.web.metrics import REQUEST_ID_HEADER
from review_copilot.web.ml_adapter import model_class

AUTH = ("copilot", "open sesame")
CONFIG = generate(load_guideline("photo-quality"))


@pytest.fixture
def copilot(tmp_path: Path) -> Iterator[OpenedCopilot]:
    made = opened(
        load_settings(
            _env_file=None,
            database_url=f"sqlite:///{tmp_path}/log.db",
            password=AUTH[1],
            label_studio_url="http://127.0.0.1:9",
            webhook_secret="knock knock",
        )
    )
    yield made
    made.store.close()


@pytest.fixture
def client(copilot: OpenedCopilot) -> FlaskClient:
    return create_app(copilot.parts()).test_client()


def data_uri(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


BLACK = data_uri(np.zeros((120, 160, 3), np.uint8))
BROKEN = "data:image/png;base64," + base64.b64encode(b"<html>not found</html>").decode()


def predict(client: FlaskClient, *images: str, context: object = None) -> TestResponse:
    tasks = [{"id": number, "data": {"image": image}} for number, image in enumerate(images, start=1)]
    body = {"tasks": tasks, "project": "7.1732360000", "label_config": CONFIG, "params": {"context": context}}
    return client.post("/predict", json=body, auth=AUTH)


def test_health_is_open_and_says_nothing(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "UP"}


@pytest.mark.parametrize("auth", [None, ("copilot", "wrong"), ("other", AUTH[1])])
@pytest.mark.parametrize(("method", "path"), [("POST", "/setup"), ("POST", "/predict"), ("GET", "/versions")])
def test_strangers_are_kept_out(client: FlaskClient, method: str, path: str, auth: tuple[str, str] | None) -> None:
    answer = client.open(path, method=method, json={}, auth=auth)
    assert answer.status_code == 401
    assert "basic" in answer.headers["WWW-Authenticate"].lower()


def test_setup_names_the_same_version_each_time(client: FlaskClient) -> None:
    body = {"project": "7.1732360000", "schema": CONFIG, "hostname": "http://localhost:8080", "access_token": "x"}
    versions = {client.post("/setup", json=body, auth=AUTH).get_json()["model_version"] for _ in range(3)}
    assert len(versions) == 1
    assert versions.pop().startswith("photo-quality r1 ")


def test_n_tasks_in_n_results_out_in_order(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """A broken image, and a task without one, give [] and one log line each, and cost their neighbours nothing."""
    with caplog.at_level(logging.WARNING):
        answer = predict(client, BLACK, BROKEN, BLACK, "")
    results = answer.get_json()["results"]
    assert [isinstance(result, dict) for result in results] == [True, False, True, False]
    assert results[1] == []
    assert results[3] == []
    said = sorted(r.getMessage().split(":")[0] for r in caplog.records)
    assert said == ["Task 2 has no draft", "Task 4 has no draft"]


def test_a_prediction_holds_boxes_verdict_and_summary(client: FlaskClient) -> None:
    prediction = predict(client, BLACK).get_json()["results"][0]
    types = [entry["type"] for entry in prediction["result"]]
    assert "rectanglelabels" in types
    assert {entry["from_name"] for entry in prediction["result"]} >= {"verdict", "summary"}
    assert prediction["model_version"].startswith("photo-quality r1 ")


def test_asking_twice_gives_the_same_draft(client: FlaskClient) -> None:
    assert predict(client, BLACK).get_json() == predict(client, BLACK).get_json()


def test_magic_answers_with_regions_only(client: FlaskClient) -> None:
    drawn = {"type": "rectanglelabels", "value": {"x": 10, "y": 10, "width": 50, "height": 50, "rectanglelabels": []}}
    result = predict(client, BLACK, context={"result": [drawn]}).get_json()["results"][0]["result"]
    assert result
    assert not {entry["from_name"] for entry in result} & {"verdict", "summary"}


def test_magic_without_anything_to_say_is_a_dict(client: FlaskClient) -> None:
    answer = predict(client, BROKEN, context={"result": []}).get_json()
    assert answer == {"results": [{"result": []}]}


def test_nothing_of_the_blind_share_goes_out_by_either_way(copilot: OpenedCopilot) -> None:
    """Asked for, or through the Magic tool; the draft is kept all the same."""
    blind = opened(copilot.settings.model_copy(update={"blind_share": 1.0}))
    client = create_app(blind.parts()).test_client()
    assert predict(client, BLACK).get_json()["results"] == [[]]
    drawn = {"result": [{"value": {"x": 0, "y": 0, "width": 50, "height": 50}}]}
    assert predict(client, BLACK, context=drawn).get_json()["results"] == [{"result": []}]
    (review,) = (r for r in copilot.store.recall(TaskKey(copilot.store.projects()[0], 1)) if r.box is None)
    assert review.exposure is Exposure.WITHHELD
    assert review.suggestions
    blind.store.close()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"tasks": 1}'])
def test_what_is_no_request_is_told_so(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/predict", data=body, content_type="application/json", auth=AUTH)
    assert answer.status_code == 400
    assert answer.get_json()["error"]


def test_metrics_count_requests_reviews_and_failures(client: FlaskClient) -> None:
    predict(client, BLACK, BROKEN)
    page = client.get("/metrics", auth=AUTH).get_data(as_text=True)
    assert 'review_copilot_requests_total{route="/predict",status="200"} 1.0' in page
    assert 'review_copilot_reviews_total{exposure="shown"} 1.0' in page
    assert 'review_copilot_failures_total{kind="ImageUnreadable"} 1.0' in page
    assert "review_copilot_backlog 0.0" in page
    assert "review_copilot_log_lag_seconds 0.0" in page
    assert "review_copilot_newest_review 2.0" in page


def test_metrics_and_status_say_what_became_of_webhooks(client: FlaskClient) -> None:
    client.post("/webhook", json={"action": "ANNOTATION_CREATED", "project": {"id": 7}, "task": {"id": 1}})
    page = client.get("/metrics", auth=AUTH).get_data(as_text=True)
    assert 'review_copilot_webhooks{outcome="refused"} 1.0' in page
    assert client.get("/status", auth=AUTH).get_json()["webhooks"] == {"refused": 1}


def test_status_says_what_waits(client: FlaskClient) -> None:
    status = client.get("/status", auth=AUTH).get_json()
    assert (status["guideline"], status["inspector"], status["queue"], status["backlog"]) == (
        "photo-quality", "builtin", 0, 0,
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/metrics", "/status"])
def test_numbers_are_not_for_strangers(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 401


def test_log_lines_carry_the_request_id_into_the_workers(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """The line about a broken image is written by another thread than the request's."""
    caplog.handler.addFilter(WithRequestId())
    body = {"tasks": [{"id": 1, "data": {"image": BROKEN}}], "project": "7.1", "label_config": CONFIG}
    answer = client.post("/predict", json=body, auth=AUTH, headers={REQUEST_ID_HEADER: "from-label-studio"})
    assert answer.headers[REQUEST_ID_HEADER] == "from-label-studio"
    (said,) = [r for r in caplog.records if "has no draft" in r.getMessage()]
    assert said.request_id == "from-label-studio"  # type: ignore[attr-defined]  # the filter's
    line = json.loads(JsonLines().format(said))
    assert (line["level"], line["logger"]) == ("warning", "review_copilot.flows.review_context")


def test_the_framework_of_label_studio_gets_the_same_answers(copilot: OpenedCopilot) -> None:
    """The base class does what label-studio-ml 2.x does: it keeps the project's id without its stamp."""

    class Base:
        def __init__(self, project_id: str, label_config: str) -> None:
            self.project_id, self.label_config, self.kept = project_id, label_config, dict[str, str]()
            self.setup()

        def set(self, key: str, value: str) -> None:
            self.kept[key] = value

        def setup(self) -> None:
            raise NotImplementedError

    model = model_class(Base, parts=copilot.parts())("7", CONFIG)
    assert model.kept["model_version"] == copilot.context.model_version
    tasks = [{"id": 1, "data": {"image": BLACK}}, {"id": 2, "data": {"image": BROKEN}}]
    first, second = model.predict(tasks)
    assert first["result"]
    assert second == []
    assert model.predict(tasks[:1], context={"result": []}) == [{"result": []}]


class TestWebhook:
    def event(self, client: FlaskClient, body: object, **kwargs: Any) -> TestResponse:
        return client.post("/webhook", json=body, **kwargs)

    def test_it_is_stored_and_answered(self, client: FlaskClient, copilot: OpenedCopilot) -> None:
        body = {"action": "ANNOTATION_UPDATED", "annotation": {"id": 3, "task": 12}, "project": {"id": 7}}
        answer = self.event(client, body, headers={SECRET_HEADER: "knock knock"})
        assert answer.get_json()["status"] == "queued"
        waiting = copilot.store.waiting()
        assert [(wake.project_id, wake.task_ids) for wake in waiting] == [(7, (12,))]

    def test_basic_auth_serves_as_well(self, client: FlaskClient) -> None:
        """The Start Training button sends basic auth and no header."""
        assert self.event(client, {"action": "START_TRAINING"}, auth=AUTH).get_json()["status"] == "ignored"

    @pytest.mark.parametrize("headers", [{}, {SECRET_HEADER: "knock"}, {SECRET_HEADER: ""}])
    def test_without_either_it_is_refused_and_nothing_is_kept(
        self, client: FlaskClient, copilot: OpenedCopilot, headers: dict[str, str]
    ) -> None:
        answer = self.event(client, {"action": "ANNOTATION_CREATED", "project": {"id": 7}}, headers=headers)
        assert answer.status_code == 401
        assert not copilot.store.waiting()


@pytest.mark.parametrize(
    "settings",
    [{"password": ""}, {"password": "", "allow_anonymous": True, "host": "0.0.0.0"}],  # noqa: S104  # refused is the point
)
def test_a_backend_open_to_strangers_does_not_start(tmp_path: Path, settings: dict[str, object]) -> None:
    made = opened(load_settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/log.db", **settings))
    with pytest.raises(SettingsError, match="REVIEW_COPILOT_PASSWORD"):
        create_app(made.parts())
