"""Connections that send no complete request do not keep others from answers. A real server, on loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator

import pytest
import requests

from backends import BackendProcess, backends
from review_copilot.labelstudio.payloads import SECRET_HEADER

HALF_OPEN = 500
SECRET = "knock knock"
PARTS = {
    "nothing": b"",
    "half the headers": b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-",
    "half a body": b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
}


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackendProcess]:
    folder = tmp_path_factory.mktemp("half-open")
    settings = {"database_url": f"sqlite:///{folder}/log.db", "webhook_secret": SECRET}
    with backends(1, settings=settings, folder=folder) as (running,):
        yield running


@contextlib.contextmanager
def half_open(backend: BackendProcess, part: bytes, count: int = HALF_OPEN) -> Iterator[list[socket.socket]]:
    """So many connections that have sent a part of a request and stay open."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", backend.port), timeout=20))
            connection.sendall(part)
            opened.append(connection)
        yield opened


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())
def test_health_and_webhooks_answer_within_a_second_under_500_of_them(backend: BackendProcess, part: bytes) -> None:
    event = {"action": "ANNOTATION_CREATED", "annotation": {"id": 1, "task": 2}, "project": {"id": 7}}
    with half_open(backend, part):
        for _ in range(5):
            assert requests.get(f"{backend.url}/health", timeout=1).status_code == 200
            posted = requests.post(f"{backend.url}/webhook", json=event, headers={SECRET_HEADER: SECRET}, timeout=1)
            assert posted.status_code == 200


def test_one_that_sends_a_byte_at_a_time_is_closed(backend: BackendProcess) -> None:
    with half_open(backend, b"GET /health HTTP/1.1\r\nX-Slow: ", count=1) as (slow,):
        slow.settimeout(0.2)
        began = time.monotonic()
        while time.monotonic() - began < 15 and not _closed(slow):
            with contextlib.suppress(ConnectionError):
                slow.sendall(b"x")
        assert 9 < time.monotonic() - began < 15


def test_a_body_in_two_parts_and_a_second_request_on_a_connection_are_answered(backend: BackendProcess) -> None:
    body = json.dumps({"action": "PROJECT_UPDATED", "project": {"id": 7}}).encode()
    head = f"POST /webhook HTTP/1.1\r\nHost: x\r\n{SECRET_HEADER}: {SECRET}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", backend.port), timeout=10) as connection:
        for _ in range(2):
            connection.sendall(head.encode() + body[:10])
            time.sleep(0.3)
            connection.sendall(body[10:])
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert (answer.status, bool(answer.read())) == (200, True)


def _closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
