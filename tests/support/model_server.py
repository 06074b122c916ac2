"""A real HTTP server on loopback that behaves as real model servers do. Knows nothing of the product.

    with serve(behavior, reply=SAMPLE_REPLY) as server:
        ...  # ask server.base_url
        server.requests

It answers `POST .../chat/completions` under any path, Azure's deployments too, and `GET .../models`.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mangling_forms import Reply
from manglings import SAMPLE_REPLY
from model_behaviors_failures import FAILURES
from model_behaviors_limits import LIMITS
from model_behaviors_refusals import REFUSALS
from model_behaviors_replies import REPLIES
from model_behaviors_servers import PASSING
from model_behaviors_sizes import SIZES
from model_calls import (
    Answer,
    Behavior,
    Call,
    Picture,
    as_json,
    asks_for_findings,
    honest,
    picture_key,
    pictures_of,
    refusal,
    say,
    text_of,
    well,
)

__all__ = [
    "AZURE",
    "BEHAVIORS",
    "EXAMINES_NOTHING",
    "NEEDS_TWO_PICTURES",
    "SAMPLE_REPLY",
    "WELL",
    "Asked",
    "Behavior",
    "ModelServer",
    "behavior",
    "needs_two_pictures",
    "serve",
]

BEHAVIORS: tuple[Behavior, ...] = REPLIES + FAILURES + LIMITS + SIZES + PASSING + REFUSALS


def behavior(name: str) -> Behavior:
    """The behavior of this name."""
    return next(one for one in BEHAVIORS if one.name == name)


def _azure(call: Call) -> Answer:
    if "/openai/deployments/" not in call.path:
        return as_json({"error": {"code": "404", "message": "Resource not found"}}, 404)
    if "api-version" not in call.query:
        return as_json({"error": {"code": "404", "message": "Resource not found: api-version is missing"}}, 404)
    return well(call)


def _examines_nothing(call: Call) -> Answer:
    if not call.is_review:
        return well(call)
    return say(call, '{"findings": [], "verdict": "pass", "summary": ""}')


def needs_two_pictures(is_reference: Callable[[Picture], bool] = lambda _picture: True) -> Behavior:
    """A server that finds flaws only with two pictures, one of which is the reference."""

    def answer(call: Call) -> Answer:
        enough = len(call.pictures) > 1 and any(is_reference(picture) for picture in call.pictures)
        return well(call) if enough or not call.is_review else _examines_nothing(call)

    what = "Finds flaws only by comparing two pictures; with one picture it finds none."
    return Behavior("needs_two_pictures", "pictures", what, "same_findings", answer)


NEEDS_TWO_PICTURES = needs_two_pictures()
WELL = Behavior("well", "reading", "Answers as asked, at once.", "same_findings", well)
EXAMINES_NOTHING = Behavior(
    "examines_nothing",
    "unusable",
    "Answers with an empty list whatever it is shown, and says of no criterion that it was looked at.",
    "incomplete",
    _examines_nothing,
)
AZURE = Behavior(
    "azure",
    "capability",
    "Answers under a deployment's path with an API version only; ask `azure_url` of the server.",
    "same_findings",
    _azure,
)


@dataclass
class Asked:
    """A request as it arrived, when, and with what status it was answered (0 for none)."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    at_s: float
    status: int = 0

    @property
    def text(self) -> str:
        return text_of(self.body)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(pictures_of(self.body))

    @property
    def is_review(self) -> bool:
        return asks_for_findings(self.body)


@dataclass
class ModelServer:
    """A running server: its addresses, and all that it was asked."""

    behavior: Behavior
    reply: Reply
    root_url: str = ""
    requests: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    memory: dict[str, Any] = field(default_factory=dict)
    reviewed: Counter[str] = field(default_factory=Counter)

    @property
    def base_url(self) -> str:
        return f"{self.root_url}/v1"

    @property
    def azure_url(self) -> str:
        return f"{self.root_url}/openai/deployments/reviewer?api-version=2024-10-21"

    @property
    def chats(self) -> list[Asked]:
        """The chat requests alone."""
        return [one for one in self.requests if one.method == "POST"]

    def answer(self, asked: Asked) -> Answer:
        """What this server answers to a request."""
        if asked.method == "GET" and asked.path.endswith("/models"):
            listed = {"object": "list", "data": [{"id": "fake-vlm", "object": "model", "owned_by": "tests"}]}
            return self.behavior.models or as_json(listed)
        if asked.method != "POST" or not asked.path.endswith("/chat/completions"):
            return refusal(404, f"Unknown request URL: {asked.method} {asked.path}.")
        key, review = picture_key(asked.body), asked.is_review
        chats = self.chats
        call = Call(
            body=asked.body,
            headers=asked.headers,
            path=asked.path,
            query=asked.query,
            nth=len(chats),
            again=self.reviewed[key] if review else 0,
            elapsed_s=asked.at_s - chats[0].at_s,
            reply=honest(asked.body, self.reply),
            is_review=review,
            memory=self.memory,
        )
        answer = self.behavior.answer(call)
        if review and answer.status == 200 and not answer.hang_up:
            self.reviewed[key] += 1
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # clients that come at once are not turned away

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that hung up, and say all else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            self.close_connection = True
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            address = urlsplit(self.path)
            with server.lock:
                asked = Asked(
                    method=self.command,
                    path=address.path,
                    query=dict(parse_qsl(address.query)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=json.loads(raw) if raw else {},
                    at_s=time.monotonic(),
                )
                server.requests.append(asked)
                answer = server.answer(asked)
                asked.status = 0 if answer.hang_up else answer.status
            if answer.pause_s:
                time.sleep(answer.pause_s)
            if answer.hang_up:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(answer.status)
            headers = {"Content-Type": answer.content_type, "Connection": "close", **answer.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body) + answer.cut_bytes))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = _any  # noqa: N815  # names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Print nothing."""

    return Handler


@contextmanager
def serve(behavior: Behavior, *, reply: Reply = SAMPLE_REPLY) -> Iterator[ModelServer]:
    """A server that behaves so as long as the block runs. `reply` is what a good model would answer to a review.

    The partial behaviors spoil one finding with a box, so the reply should hold two findings at least.
    """
    server = ModelServer(behavior, reply)
    running = _Server(("127.0.0.1", 0), _handler(server))
    server.root_url = f"http://127.0.0.1:{running.server_address[1]}"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
