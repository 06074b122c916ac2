"""What a model server is asked, what it answers, and what a behavior is. Knows no HTTP and no reader."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from PIL import Image, UnidentifiedImageError

from mangling_forms import Reply, dumped

Category = Literal[
    "reading", "unusable", "partial", "transient", "permanent", "capability", "truncation", "accounting", "pictures"
]
Expect = Literal["same_findings", "typed_failure", "incomplete"]

SEED = 18
THOUGHT = 'The user wants JSON. A draft: {"findings": [], "verdict": "pass"}. No, look again at the sky.'
USAGE: Mapping[str, Any] = {"prompt_tokens": 1200, "completion_tokens": 150, "total_tokens": 1350}


@dataclass(frozen=True)
class Picture:
    """A picture of a request: its file, and its size where it can be read."""

    data: bytes
    width_px: int
    height_px: int


@dataclass(frozen=True)
class Call:
    """A chat request as a behavior sees it.

    `nth` counts the chat requests of this server from 1, `again` the earlier reviews of the same pictures that were
    answered, `elapsed_s` the seconds since the first. `reply` is the honest answer; `memory` lives as long as the
    server.
    """

    body: Mapping[str, Any]
    headers: Mapping[str, str]
    path: str
    query: Mapping[str, str]
    nth: int
    again: int
    elapsed_s: float
    reply: Reply
    is_review: bool
    memory: dict[str, Any]

    @property
    def messages(self) -> list[Mapping[str, Any]]:
        return list(self.body.get("messages") or [])

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(pictures_of(self.body))

    @property
    def text(self) -> str:
        return text_of(self.body)

    @property
    def limit(self) -> int | None:
        """The length limit that the request asks for."""
        for key in ("max_completion_tokens", "max_tokens"):
            if isinstance(self.body.get(key), int):
                return int(self.body[key])
        return None

    @property
    def is_repair(self) -> bool:
        """Whether the model is asked again about an answer that it gave."""
        return self.again > 0 or any(message.get("role") == "assistant" for message in self.messages)

    @property
    def good_text(self) -> str:
        return dumped(self.reply)


@dataclass(frozen=True)
class Answer:
    """What goes over the wire. `hang_up` sends nothing; `cut_bytes` are promised and never sent."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_s: float = 0.0
    hang_up: bool = False
    cut_bytes: int = 0


@dataclass(frozen=True)
class Behavior:
    """One way of real servers, and what must come of it.

    `words` must reach the person. `booked` are the prompt and completion tokens (reasoning counted) that each answered
    call truly took; it is None where they are not told or differ from call to call. `models` answers GET /v1/models.
    """

    name: str
    category: Category
    what: str
    expect: Expect
    answer: Callable[[Call], Answer]
    words: str = ""
    booked: tuple[int, int] | None = (1200, 150)
    models: Answer | None = None


# Requests -------------------------------------------------------------------------------------------------------------


def parts_of(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for message in body.get("messages") or []:
        content = message.get("content")
        if isinstance(content, str):
            yield {"type": "text", "text": content}
        elif isinstance(content, list):
            yield from (part for part in content if isinstance(part, dict))


def text_of(body: Mapping[str, Any]) -> str:
    return "\n".join(str(part.get("text") or "") for part in parts_of(body))


def pictures_of(body: Mapping[str, Any]) -> Iterator[Picture]:
    for part in parts_of(body):
        link = part.get("image_url")
        url = link.get("url", "") if isinstance(link, dict) else link or ""
        if not url.startswith("data:"):
            continue
        try:
            data = base64.b64decode(url.partition(",")[2])
            with Image.open(io.BytesIO(data)) as opened:
                yield Picture(data, *opened.size)
        except (binascii.Error, UnidentifiedImageError):
            yield Picture(url.encode(), 0, 0)


def picture_key(body: Mapping[str, Any]) -> str:
    """What tells one image's requests from another's: a hash of its first picture."""
    first = next(pictures_of(body), None)
    return hashlib.sha256(first.data).hexdigest() if first else ""


def schemas_of(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every JSON schema that the request asks an answer by, the most binding first."""
    wanted = body.get("response_format") or {}
    if isinstance(wanted.get("json_schema"), dict):
        yield wanted["json_schema"].get("schema") or {}
    for tool in body.get("tools") or []:
        yield (tool.get("function") or {}).get("parameters") or {}
    text = text_of(body)
    start = text.find('{"type": "object"')
    if start >= 0:
        try:
            yield json.JSONDecoder().raw_decode(text, start)[0]
        except json.JSONDecodeError:
            return


def sample(schema: Mapping[str, Any]) -> Any:
    """A value that a schema allows."""
    if "enum" in schema or "const" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if "anyOf" in schema:
        return sample(schema["anyOf"][0])
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {key: sample(part) for key, part in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [sample(schema.get("items") or {}) for _ in range(schema.get("minItems", 0))]
    if kind in {"integer", "number"}:
        return schema.get("maximum", schema.get("minimum", 1))
    return {"boolean": True, "null": None}.get(str(kind), "OK")


def asks_for_findings(body: Mapping[str, Any]) -> bool:
    return '"findings"' in text_of(body) or any("findings" in (s.get("properties") or {}) for s in schemas_of(body))


def honest(body: Mapping[str, Any], reply: Reply) -> Reply:
    """What a good model answers: the reply to a review, else something that the request's schema allows."""
    if asks_for_findings(body):
        return reply
    made = next((sample(schema) for schema in schemas_of(body)), None)
    return made if isinstance(made, dict) else {"ok": True}


# Answers --------------------------------------------------------------------------------------------------------------


def as_json(payload: Any, status: int = 200, **headers: str) -> Answer:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Answer(status, json.dumps(payload).encode(), headers=named)


def page(status: int, title: str) -> Answer:
    """A page of a proxy that stands before the server."""
    head = f"<html>\r\n<head><title>{title}</title></head>\r\n"
    text = f"{head}<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>"
    return Answer(status, text.encode(), content_type="text/html")


def refusal(status: int, message: str, kind: str = "invalid_request_error", **more: Any) -> Answer:
    """An error in OpenAI's form."""
    return as_json({"error": {"message": message, "type": kind, "param": None, "code": None, **more}}, status)


def google_refusal(status: int, message: str, state: str, **more: Any) -> Answer:
    """An error in the form of Gemini's compatible endpoint: a list."""
    return as_json([{"error": {"code": status, "message": message, "status": state, **more}}], status)


def chat(call: Call, message: Mapping[str, Any], *, finish: str | None = "stop", usage: Any = USAGE) -> dict[str, Any]:
    """A chat completion as a Python object; a message without `role` gets the assistant's."""
    return {
        "id": f"chatcmpl-{call.nth}",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": call.body.get("model", ""),
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": usage,
    }


def events(completion: Mapping[str, Any], *, pieces: int = 4) -> list[dict[str, Any]]:
    """The completion as the chunks of a stream."""
    shared = {key: completion[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    choice = completion["choices"][0]
    message = dict(choice["message"])
    content = message.pop("content", None) or ""
    step = max(1, -(-len(content) // pieces))
    deltas: list[dict[str, Any]] = [
        message,
        *({"content": content[n : n + step]} for n in range(0, len(content), step)),
    ]
    chunks = [{**shared, "choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    chunks.append({**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    if completion.get("usage"):
        chunks.append({**shared, "choices": [], "usage": completion["usage"]})
    return chunks


def stream(
    chunks: list[dict[str, Any]], *, before: str = "", end: str = "data: [DONE]\n\n", line_end: str = "\n"
) -> Answer:
    text = before + "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end
    return Answer(body=text.replace("\n", line_end).encode(), content_type="text/event-stream")


def send(call: Call, completion: Mapping[str, Any]) -> Answer:
    """A completion in the form that was asked for: at once, or as a stream."""
    if not call.body.get("stream"):
        return as_json(completion)
    if "tool_calls" in completion["choices"][0]["message"]:
        calls = completion["choices"][0]["message"]["tool_calls"]
        for n, one in enumerate(calls):
            one["index"] = n
    return stream(events(completion))


def say(call: Call, content: str | None, *, finish: str | None = "stop", usage: Any = USAGE, **message: Any) -> Answer:
    """An answer with this text, and more fields of the message where given."""
    return send(call, chat(call, {"content": content, **message}, finish=finish, usage=usage))


def tool_call(call: Call, arguments: Any, name: str = "report") -> dict[str, Any]:
    tools = call.body.get("tools") or [{}]
    called = (tools[0].get("function") or {}).get("name", name)
    return {"id": f"call_{call.nth}", "type": "function", "function": {"name": called, "arguments": arguments}}


def calling_a_tool(arguments: Callable[[Call], Any]) -> Callable[[Call], Answer]:
    def answer(call: Call) -> Answer:
        message = {"content": None, "tool_calls": [tool_call(call, arguments(call))]}
        return send(call, chat(call, message, finish="tool_calls"))

    return answer


def well(call: Call, *, usage: Any = USAGE) -> Answer:
    """The honest answer, by a tool call where the request offers a tool."""
    if call.body.get("tools") and not call.body.get("response_format"):
        message = {"content": None, "tool_calls": [tool_call(call, call.good_text)]}
        return send(call, chat(call, message, finish="tool_calls", usage=usage))
    return say(call, call.good_text, usage=usage)


def paused(answer: Answer, seconds: float) -> Answer:
    return replace(answer, pause_s=seconds)
