"""The ways in which an OpenAI-compatible server can be made to answer in JSON, from the best to the last.

Servers differ: some know strict schemas, some a mere "JSON object", some only tool calls, some nothing. A dialect is
what one endpoint was found to speak. Knows the fields of requests and replies, and makes no request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from review_copilot.inspectors.chat import Question, Schema
from review_copilot.inspectors.reply import closed_object, whole_number

_BOUNDS = {"maxItems", "minItems", "maxLength", "minimum", "maximum"}
_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
_FENCE_WORDS = "Answer with one block that starts with ```json and ends with ```, and nothing else."
_FORM_WORDS = ("response_format", "json_schema", "schema", "grammar", "tool", "guided", "json mode", "json_object")


class Way(StrEnum):
    """How JSON is asked for, best first."""

    BOUNDED_SCHEMA = "json_schema_bounded"
    """A strict schema with lengths."""
    SCHEMA = "json_schema"
    """A strict schema without lengths, which some servers refuse."""
    JSON_OBJECT = "json_object"
    TOOL_CALL = "tool_call"
    FENCED = "fenced"
    """Nothing but words."""

    @property
    def next(self) -> Way | None:
        """The next way down; None after the last."""
        ways = list(Way)
        below = ways.index(self) + 1
        return ways[below] if below < len(ways) else None


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one endpoint speaks.

    Attributes:
        way: How it is asked for JSON.
        limit_field: What it calls the length limit.
        temperature: Whether it takes a temperature.
    """

    way: Way = Way.BOUNDED_SCHEMA
    limit_field: str = "max_tokens"
    temperature: bool = True

    def adapted(self, complaint: str) -> Dialect | None:
        """The dialect that answers a complaint of the endpoint about a request; None when it asks for nothing known.

        Args:
            complaint: What a 400 or 422 said.
        """
        words = complaint.lower()
        if self.limit_field == "max_tokens" and "max_completion_tokens" in words:
            return replace(self, limit_field="max_completion_tokens")
        if "temperature" in words and self.temperature:
            return replace(self, temperature=False)
        if any(word in words for word in _FORM_WORDS) and self.way.next is not None:
            return replace(self, way=self.way.next)
        return None

    def fields(self, question: Question, *, model: str, temperature: float | None) -> dict[str, Any]:
        """The request's fields for a question."""
        user: list[dict[str, Any]] = [{"type": "text", "text": question.user}] if question.user else []
        user += [{"type": "image_url", "image_url": {"url": view.data_url}} for view in question.views]
        if self.way is Way.FENCED:
            user.append({"type": "text", "text": _FENCE_WORDS})
        fields: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "system", "content": question.system}, {"role": "user", "content": user}],
            self.limit_field: question.max_tokens,
        }
        if self.temperature and temperature is not None:
            fields["temperature"] = temperature
        return fields | self._form_fields(question)

    def text_of(self, message: Mapping[str, Any]) -> str:
        """The text of an answer's message: the tool call's arguments where one was asked for, else the content."""
        if self.way is Way.TOOL_CALL:
            calls = message.get("tool_calls") or []
            if calls and isinstance(calls[0], Mapping):
                return str((calls[0].get("function") or {}).get("arguments") or "")
        content = message.get("content")
        if isinstance(content, list):  # some servers answer in parts
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
        return _THOUGHTS.sub("", content).strip() if isinstance(content, str) else ""

    def written(self) -> str:
        """The dialect as text, to be remembered."""
        return json.dumps({"way": self.way, "limit_field": self.limit_field, "temperature": self.temperature})

    @classmethod
    def read(cls, text: str) -> Dialect | None:
        """The dialect that was written; None when the text is of another time."""
        try:
            kept = json.loads(text)
            return cls(Way(kept["way"]), str(kept["limit_field"]), bool(kept["temperature"]))
        except (ValueError, KeyError, TypeError):
            return None

    def _form_fields(self, question: Question) -> dict[str, Any]:
        if self.way in {Way.BOUNDED_SCHEMA, Way.SCHEMA}:
            schema = question.schema if self.way is Way.BOUNDED_SCHEMA else without_bounds(question.schema)
            described = {"name": question.schema_name, "strict": True, "schema": schema}
            return {"response_format": {"type": "json_schema", "json_schema": described}}
        if self.way is Way.JSON_OBJECT:
            return {"response_format": {"type": "json_object"}}
        if self.way is Way.TOOL_CALL:
            function = {
                "name": question.schema_name,
                "description": "Hand in the answer.",
                "parameters": without_bounds(question.schema),
            }
            choice = {"type": "function", "function": {"name": question.schema_name}}
            return {"tools": [{"type": "function", "function": function}], "tool_choice": choice}
        return {}


def without_bounds(schema: Schema) -> dict[str, Any]:
    """A schema without its limits on length, which not every server takes."""

    def stripped(value: object) -> Any:
        if isinstance(value, Mapping):
            return {key: stripped(inner) for key, inner in value.items() if key not in _BOUNDS}
        return [stripped(inner) for inner in value] if isinstance(value, list) else value

    return {key: stripped(value) for key, value in schema.items()}


def probe_question(way: Way) -> Question:
    """A small question that shows whether a server obeys a way of asking.

    With a schema the words do not say what the reply must look like: a server that ignores it gives itself away.
    """
    told = (
        ""
        if way in {Way.BOUNDED_SCHEMA, Way.SCHEMA}
        else ' Answer in JSON: {"ready": true, "seen": ["a word"], "sure": 100}.'
    )
    return Question(
        system="You are asked one question to see whether the connection works.",
        user=f"Are you ready?{told}",
        views=(),
        schema_name="ready",
        schema=closed_object(
            {
                "ready": {"type": "boolean"},
                "seen": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 1},
                "sure": whole_number(0, 100),
            }
        ),
        max_tokens=200,
    )
