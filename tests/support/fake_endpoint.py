"""A chat endpoint on loopback that speaks as much of the protocol as a test lets it. Knows nothing of the product."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from web_server import Answer, Asked, serving


@dataclass(frozen=True)
class Speaks:
    """Which ways of asking for JSON a server knows; the rest is refused with 400, or ignored where `ignores` is set."""

    bounds: bool = True
    schema: bool = True
    json_object: bool = True
    tools: bool = True
    limit_field: str = "max_tokens"
    temperature: bool = True
    ignores: bool = False


@dataclass(frozen=True)
class Turn:
    """One request, taken apart."""

    fields: Mapping[str, Any]
    system: str
    user: str
    pictures: tuple[npt.NDArray[np.uint8], ...]

    @property
    def is_probe(self) -> bool:
        """Whether this asks what the server speaks, and nothing else."""
        return "Are you ready?" in self.user

    @property
    def way(self) -> str:
        """How JSON is asked for."""
        form = self.fields.get("response_format", {}).get("type")
        return str(form or ("tool_call" if "tools" in self.fields else "fenced"))

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The schema that comes with the request; None without one."""
        schema: Mapping[str, Any] | None = None
        if self.way == "json_schema":
            schema = self.fields["response_format"]["json_schema"]["schema"]
        if self.way == "tool_call":
            schema = self.fields["tools"][0]["function"]["parameters"]
        return schema

    @property
    def criteria(self) -> tuple[str, ...]:
        """The ids of the criteria that it asks about, by the schema; empty without one."""
        properties = (self.schema or {}).get("properties", {})
        return tuple(properties.get("criteria", {}).get("properties", {}))


Model = Callable[[Turn], "str | Answer"]
"""Says what the model answers: text, or a whole HTTP answer."""


@dataclass
class FakeEndpoint:
    """A running endpoint and what it was asked, probes left out."""

    url: str
    turns: list[Turn] = field(default_factory=list)
    probes: list[Turn] = field(default_factory=list)


@contextmanager
def endpoint(model: Model, *, speaks: Speaks | None = None) -> Iterator[FakeEndpoint]:
    """An endpoint that runs as long as the block."""
    known = speaks or Speaks()
    running = FakeEndpoint("")

    def answer(asked: Asked) -> Answer:
        if asked.method == "GET":
            return Answer(body=json.dumps({"data": [{"id": "a-model", "object": "model"}]}).encode(), headers=JSON)
        turn = _turn(json.loads(asked.body))
        (running.probes if turn.is_probe else running.turns).append(turn)
        if complaint := _complaint(turn, known):
            return refusing(400, complaint)
        said = _ready(turn, known) if turn.is_probe else model(turn)
        return said if isinstance(said, Answer) else completing(said, turn=turn)

    with serving(answer) as server:
        running.url = f"{server.url}/v1"
        yield running


JSON = {"Content-Type": "application/json"}


def completing(text: str | None, *, turn: Turn | None = None, finish: str = "stop", **message: object) -> Answer:
    """A chat completion with the given text."""
    said: dict[str, object] = {"role": "assistant", "content": text, **message}
    if turn is not None and turn.way == "tool_call":
        name = turn.fields["tools"][0]["function"]["name"]
        call = {"id": "1", "type": "function", "function": {"name": name, "arguments": text}}
        said = {"role": "assistant", "content": None, "tool_calls": [call]}
    usage = {
        "prompt_tokens": 2000,
        "completion_tokens": 100,
        "total_tokens": 2100,
        "prompt_tokens_details": {"cached_tokens": 1500},
    }
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "a-model",
        "choices": [{"index": 0, "finish_reason": finish, "message": said}],
        "usage": usage,
    }
    return Answer(body=json.dumps(body).encode(), headers=JSON)


def refusing(status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """An error as OpenAI words it."""
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return Answer(status=status, body=json.dumps(body).encode(), headers={**JSON, **(headers or {})})


def reply(
    *findings: Mapping[str, object],
    verdict: str = "pass",
    summary: str = "As seen.",
    looked_at: Sequence[str] = ("C-01", "C-02", "C-03"),
) -> str:
    """A review as a model would write it, of a guideline of the criteria that it looked at."""
    flawed = {finding.get("criterion") for finding in findings}
    criteria = {one: "flaw" if one in flawed else "none" for one in looked_at}
    return json.dumps({"criteria": criteria, "findings": list(findings), "verdict": verdict, "summary": summary})


def finding(criterion: str = "C-01", box: object = None, **changes: object) -> dict[str, object]:
    """One finding as a model would write it, with a box in thousandths."""
    return {
        "criterion": criterion,
        "description": None,
        "rationale": "Upper left: a dark spot.",
        "box": box,
        "severity": "major",
        "confidence": 80,
        **changes,
    }


class Busy:
    """A model that takes its time and counts who is with it."""

    def __init__(self, *, answer_s: float = 0.25) -> None:
        self._answer_s = answer_s
        self._lock = threading.Lock()
        self.now = self.most = 0

    def __call__(self, turn: Turn) -> str:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self._answer_s)
        with self._lock:
            self.now -= 1
        return reply(looked_at=turn.criteria)


def _turn(fields: Mapping[str, Any]) -> Turn:
    words = {"system": "", "user": "", "assistant": ""}
    pictures = []
    for message in fields["messages"]:
        content = message["content"]
        parts: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for part in parts:
            if part["type"] == "text":
                words[message["role"]] += part["text"] + "\n"
            else:
                file = base64.b64decode(part["image_url"]["url"].partition(",")[2])
                pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
                assert pixels is not None
                pictures.append(np.asarray(pixels[:, :, ::-1], np.uint8))
    return Turn(fields, words["system"], words["user"], tuple(pictures))


def _complaint(turn: Turn, known: Speaks) -> str:
    """What a server of that kind says to a request; empty when it takes it."""
    if known.limit_field == "max_completion_tokens" and "max_tokens" in turn.fields:
        return "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    if not known.temperature and "temperature" in turn.fields:
        return "Unsupported value: 'temperature' does not support 0 with this model."
    return "" if known.ignores else _complaint_about_form(turn, known)


def _complaint_about_form(turn: Turn, known: Speaks) -> str:
    """What it says to the way in which an answer's form is asked for; empty when it takes it."""
    if turn.way == "json_schema" and not known.schema:
        return "response_format json_schema is not supported"
    if turn.way == "json_schema" and not known.bounds and "maxItems" in json.dumps(turn.schema):
        return "Invalid schema for response_format: 'maxItems' is not permitted."
    if turn.way == "json_object" and not known.json_object:
        return "response_format is not supported"
    if turn.way == "tool_call" and not known.tools:
        return "tools are not supported"
    return ""


def _ready(turn: Turn, known: Speaks) -> str:
    obeys = {
        "json_schema": known.schema,
        "json_object": known.json_object,
        "tool_call": known.tools,
        "fenced": True,
    }[turn.way]
    ready = '{"ready": true, "seen": [], "sure": 90}'
    if turn.way == "fenced":
        return f"```json\n{ready}\n```"
    return ready if obeys else "Yes, I am ready."
