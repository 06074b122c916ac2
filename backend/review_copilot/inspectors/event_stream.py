"""Join a stream of server-sent events to one chat completion: some servers stream although nobody asked for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_TEXT_FIELDS = ("content", "reasoning_content", "reasoning", "refusal")


class BrokenStream(Exception):
    """A stream ended before its answer did."""


def is_event_stream(text: str) -> bool:
    """Whether a body is a stream of events, whatever its content type."""
    return text.startswith(("data:", "event:", "id:", "retry:", ":"))


def joined(text: str) -> dict[str, Any]:
    """The completion that the chunks of a stream make, or the error that one of them holds.

    Raises:
        BrokenStream: It has neither a finish reason nor its last mark.
    """
    message: dict[str, Any] = {"role": "assistant"}
    finish: str | None = None
    usage: Any = None
    done = False
    for event in _events(text):
        if event == "[DONE]":
            done = True
            continue
        chunk = _object(event)
        if chunk.get("error"):
            return {"error": chunk["error"]}
        usage = chunk.get("usage") or usage
        for choice in chunk.get("choices") or []:
            if not isinstance(choice, Mapping) or choice.get("index", 0) != 0:
                continue
            if choice.get("error"):
                return {"error": choice["error"]}
            _add(message, choice.get("delta") or choice.get("message") or {})
            finish = choice.get("finish_reason") or finish
    if finish is None and not done:
        raise BrokenStream
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage}


def _events(text: str) -> Iterator[str]:
    for block in text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        lines = [line[5:].strip() for line in block.split("\n") if line.startswith("data:")]
        if lines:
            yield "\n".join(lines)


def _object(event: str) -> Mapping[str, Any]:
    try:
        read = json.loads(event)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, Mapping) else {}


def _add(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name in _TEXT_FIELDS:
        if isinstance(delta.get(name), str):
            message[name] = (message.get(name) or "") + delta[name]
    for part in delta.get("tool_calls") or []:
        if not isinstance(part, Mapping):
            continue
        calls = message.setdefault("tool_calls", [])
        index = part.get("index", len(calls))
        while len(calls) <= min(index, 16):
            calls.append({"function": {"name": "", "arguments": ""}})
        function = part.get("function") or {}
        held = calls[min(index, 16)]["function"]
        held["name"] += str(function.get("name") or "")
        arguments = function.get("arguments")
        held["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments or "")
