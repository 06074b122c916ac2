"""The text of an answer's message, wherever a server put it. Knows no endpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from review_copilot.inspectors.reading.shapes import last_of

_REASONING = ("reasoning_content", "reasoning", "thinking")


def text_of(message: Mapping[str, Any], *, by_tool: bool) -> str:
    """The answer's text: content, a tool call's arguments, or the JSON with which its reasoning ends.

    Args:
        message: As it came.
        by_tool: Whether a tool call was asked for; its arguments then go before the content.
    """
    content, called = _content(message.get("content")), _arguments(message)
    first, second = (called, content) if by_tool else (content, called)
    text = first if first.strip() else second
    if not text.strip():
        thought = next((message[name] for name in _REASONING if isinstance(message.get(name), str)), "")
        text = last_of(thought)  # a draft within a thought is no answer
    return text.encode("utf-8", errors="replace").decode("utf-8").strip()


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        return json.dumps(content)
    if not isinstance(content, list):
        return ""
    parts = [part for part in content if isinstance(part, Mapping) and str(part.get("type", "text")) in _TEXT_PARTS]
    return "".join(str(part.get("text") or "") for part in parts)


_TEXT_PARTS = frozenset({"text", "output_text"})


def _arguments(message: Mapping[str, Any]) -> str:
    """The arguments of all calls of tools, one after the other."""
    calls = message.get("tool_calls")
    functions = [call.get("function") for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
    functions.append(message.get("function_call"))
    found = [function.get("arguments") for function in functions if isinstance(function, Mapping)]
    return "\n".join(one if isinstance(one, str) else json.dumps(one) for one in found if one)
