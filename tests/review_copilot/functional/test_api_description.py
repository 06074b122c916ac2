"""The OpenAPI description names every route, and requests made from it never end in a 5xx.

`make test-requests` sends more of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from werkzeug.routing import Rule

from opened import opened
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from review_copilot.web.api_description import api_description

AUTH = ("copilot", "open sesame")
SECRET = "knock knock"
EXAMPLES = 75 * int(os.environ.get("REVIEW_COPILOT_REQUEST_ROUNDS", "1"))
"""Requests for each operation, valid and invalid ones each."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("described")
    made = opened(
        load_settings(
            _env_file=None,
            database_url=f"sqlite:///{folder}/log.db",
            password=AUTH[1],
            label_studio_url="http://127.0.0.1:9",
            webhook_secret=SECRET,
        )
    )
    yield create_app(made.parts())
    made.store.close()


def path_of(rule: Rule) -> str:
    """A route of Flask as OpenAPI writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def test_every_route_is_described_and_no_other(app: Flask) -> None:
    served = {
        (path_of(rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (path, method)
        for path, operations in api_description()["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert described == served


def test_the_description_needs_the_password(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/openapi.json").status_code == 401
    answer = client.get("/openapi.json", auth=AUTH)
    assert answer.get_json()["info"]["title"] == "Review Copilot for Label Studio"


def cases() -> Iterator[Any]:
    """The operations, with valid requests, and with invalid ones if there is any input."""
    for result in schemathesis.openapi.from_dict(api_description()).get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        inputs = [*operation.iter_parameters(), *operation.body]
        for mode in GenerationMode if inputs else (GenerationMode.POSITIVE,):
            yield pytest.param(operation, mode, id=f"{operation.label}, {mode.value}")


@pytest.mark.parametrize(("operation", "mode"), list(cases()))
def test_no_described_request_ends_in_a_5xx(app: Flask, operation: Any, mode: GenerationMode) -> None:
    """Valid requests, and invalid ones: each is answered with a status that the description names."""
    client = app.test_client()
    answered = 0

    @seed(16)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        nonlocal answered
        sent = case.as_transport_kwargs(base_url="http://127.0.0.1")
        body = {key: sent[key] for key in ("json", "data") if sent.get(key) is not None}
        answer = client.open(
            case.formatted_path,
            method=case.method,
            query_string=sent.get("params") or {},
            headers={**case.headers, SECRET_HEADER: SECRET},
            auth=AUTH,
            **body,
        )
        assert answer.status_code < 500, (case.as_curl_command(), answer.get_data()[:300])
        answered += 1

    send()
    assert answered
