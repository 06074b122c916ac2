"""Whatever is sent, no answer is a 5xx, and every answer carries the guarding headers."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from opened import OpenedCopilot, opened
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.library import load_guideline
from review_copilot.settings import load_settings
from review_copilot.web import create_app

SEED, REQUESTS = 16, 9000 * int(os.environ.get("REVIEW_COPILOT_REQUEST_ROUNDS", "1"))
"""Of the mutations. With those of `test_api_description`, CI sends more than 20,000 requests."""
AUTH = ("copilot", "open sesame")
CONFIG = generate(load_guideline("photo-quality"))
TASK: dict[str, Any] = {"id": 1, "data": {"image": "data:image/png;base64,AAAA"}}
BODIES: dict[str, Any] = {
    "/setup": {"project": "7.1732360000", "schema": CONFIG, "hostname": "", "access_token": ""},
    "/predict": {"tasks": [TASK], "project": "7.1732360000", "label_config": CONFIG, "params": {"context": None}},
    "/webhook": {
        "action": "ANNOTATION_CREATED",
        "project": {"id": 7, "label_config": CONFIG, "created_at": "2026-01-01T00:00:00Z"},
        "task": {"id": 1},
        "annotation": {"id": 2, "task": 1, "result": [], "updated_at": "2026-01-01T00:00:00Z"},
    },
}
POISON: list[Any] = [
    None, True, 0, -1, 2**63, 10**400, 1e400, "", "\0", "\ud83d", "7." + "9" * 5000, "9" * 5000, "\u00b2", [], {}, [[]],
    [None],
    {"id": {}}, "<!DOCTYPE View><View/>", "x" * 10_000, "../../etc/passwd", "7.\0",
]  # fmt: skip


@pytest.fixture(params=["token", "no token"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlaskClient]:
    made: OpenedCopilot = opened(
        load_settings(
            _env_file=None,
            database_url=f"sqlite:///{tmp_path}/log.db",
            password=AUTH[1],
            label_studio_url="http://127.0.0.1:9",
            label_studio_token="ab" * 20 if request.param == "token" else "",
            webhook_secret="knock knock",
        )
    )
    yield create_app(made.parts()).test_client()
    made.store.close()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(entries):
        yield value, key
        yield from _places(item)


def _mutated(whole: Any, rng: random.Random) -> bytes:
    changed = json.loads(json.dumps(whole))
    container, key = rng.choice(list(_places(changed)))
    container[key] = rng.choice(POISON)
    data = bytearray(json.dumps(changed).encode())
    for _ in range(rng.choice([0, 0, 0, 1, 3])):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


RAW = {
    "nothing": b"",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"tasks":' * 50_000,
    "deep and closed": b"[" * 3000 + b"]" * 3000,
    "UTF-16": json.dumps(BODIES["/webhook"]).encode("utf-16"),
    "UTF-32": json.dumps(BODIES["/webhook"]).encode("utf-32"),
    "no UTF-8": b'{"action": "\xff"}',
    "5000 digits": b'{"project": ' + b"9" * 5000 + b', "tasks": [], "action": "x"}',
    "list": b"[1, 2]",
    "number": b"7",
    "null": b"null",
    "NaN": b'{"project": NaN, "tasks": [NaN], "action": NaN}',
}


@pytest.mark.parametrize("route", BODIES)
@pytest.mark.parametrize("data", RAW.values(), ids=RAW.keys())
def test_bodies_that_are_no_request(client: FlaskClient, route: str, data: bytes) -> None:
    answer = client.post(route, data=data, content_type="application/json", auth=AUTH)
    assert 400 <= answer.status_code < 500


PATHS = [
    "/\0", "/%00", "/copilot/%00", "/copilot/?project=%00", "/copilot/?project=\u00b2", "/copilot/?since=%F0%28%8C%28",
    "/copilot/?since=0000-00-00", "/copilot/?since=9999-12-31&until=9999-12-31", "/copilot/?reviewer=%ED%A0%80",
    "/copilot/thumbnails/" + "9" * 5000, "/copilot/thumbnails/9223372036854775808", "/copilot/thumbnail/" + "9" * 5000,
    "/copilot/thumbnail/99999999999999999999.jpg", "/copilot/?project=" + "9" * 5000, "/" + "a" * 7000,
    "/%2e%2e/%2e%2e",
    "/predict", "/webhook", "/copilot/report?format=%00", "/copilot/../status",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "DELETE"])
def test_urls_that_no_route_means(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method, auth=AUTH)
    assert answer.status_code < 500
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("route", ["/", "/health", "/status", "/metrics", "/versions", "/copilot/", "/none", "/setup"])
@pytest.mark.parametrize("auth", [AUTH, None])
def test_every_answer_is_guarded(client: FlaskClient, route: str, auth: tuple[str, str] | None) -> None:
    headers = client.get(route, auth=auth).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in headers["Cache-Control"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.timeout(3600)
def test_seeded_mutations_of_requests(client: FlaskClient) -> None:
    rng = random.Random(SEED)
    for number in range(REQUESTS):
        route = rng.choice(list(BODIES))
        data = _mutated(BODIES[route], rng)
        headers = {SECRET_HEADER: rng.choice(["knock knock", "wrong", "\u00ff"])}
        answer = client.post(route, data=data, content_type="application/json", auth=AUTH, headers=headers)
        assert answer.status_code < 500, (number, route, data[:300], answer.get_data()[:300])
