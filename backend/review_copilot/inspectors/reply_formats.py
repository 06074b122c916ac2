"""The ways in which an OpenAI-compatible server can be made to answer in JSON, from the best to the last.

Servers differ: some know strict schemas, some a mere "JSON object", some only tool calls, some nothing. A dialect is
what one endpoint was found to speak. Knows the fields of requests and replies, and makes no request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from review_copilot.inspectors.chat import Question, Schema
from review_copilot.inspectors.message_text import text_of
from review_copilot.inspectors.reply import closed_object, whole_number

_BOUNDS = {"maxItems", "minItems", "maxLength", "minimum", "maximum"}
_FENCE_WORDS = "Answer with one block that starts with ```json and ends with ```, and nothing else."
_FORM_WORDS = ("response_format", "json_schema", "schema", "grammar", "tool", "guided", "json mode", "json_object")
_SYSTEM_WORDS = re.compile(
    r"system (?:role|message|prompt)s?\W.{0,20}(?:not|un)|(?:not|un)\w* .{0,30}system|roles? must alternate"
    r"|system role|developer instruction",
    re.IGNORECASE,
)
_STREAM_WORDS = re.compile(
    r"stream (?:mode|parameter)|only supports? stream|stream=true|must be .{0,10}stream", re.IGNORECASE
)
_AT_MOST = re.compile(
    r"(?:at most|up to|less than or equal to|<=|maximum(?: of| is)?|limit(?: of| is)?)\D{0,12}(\d{2,7})", re.IGNORECASE
)
_LIMIT_FIELDS = ("max_tokens", "max_completion_tokens")
_UNKNOWN_FIELD = re.compile(
    r"(?:unrecogni[sz]ed|unknown|unsupported|unexpected|extra|not (?:supported|permitted|allowed|recogni[sz]ed))",
    re.IGNORECASE,
)
_LEAST_LIMIT = 16
PROBE_TOKENS = 1024
"""Length limit of the capability probe. Thinking models spend 400 to 1 400 tokens before they answer; a probe that is
cut off is asked again with more."""


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

    @property
    def carries_schema(self) -> bool:
        """Whether the request's fields hold the schema, so that the words need not."""
        return self in {Way.BOUNDED_SCHEMA, Way.SCHEMA, Way.TOOL_CALL}


@dataclass(frozen=True, slots=True)
class Sampling:
    """What a connection asks for beside the question.

    Attributes:
        temperature: Sampling temperature; None to send none.
        reasoning_effort: How hard to think, in the provider's words; empty to send none.
        extra: More fields of the request's body.
    """

    temperature: float | None = 0.0
    reasoning_effort: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one endpoint speaks.

    Attributes:
        way: How it is asked for JSON.
        limit_field: What it calls the length limit.
        system_role: Whether it takes a system message; else its words go before the user's.
        stream: Whether it answers only as a stream.
        most_tokens: The largest length limit that it takes; 0 for no limit.
        room_tokens: The length limit that its answers were found to need, thoughts counted; 0 where none was.
        refused: Optional fields that it refuses, such as "temperature".
    """

    way: Way = Way.BOUNDED_SCHEMA
    limit_field: str = "max_tokens"
    system_role: bool = True
    stream: bool = False
    most_tokens: int = 0
    room_tokens: int = 0
    refused: tuple[str, ...] = ()

    def adapted(self, complaint: str, *, sent: Mapping[str, Any]) -> Dialect | None:
        """The dialect that answers a complaint of the endpoint about a request; None when it asks for nothing known.

        Args:
            complaint: What a 400, 422 or 500 said.
            sent: The fields of the request.
        """
        words = complaint.lower()
        for other in (self._other_limit(words), self._smaller_limit(words)):
            if other is not None:
                return other
        if self.system_role and _SYSTEM_WORDS.search(complaint):
            return replace(self, system_role=False)
        if not self.stream and _STREAM_WORDS.search(complaint):
            return replace(self, stream=True)
        if (name := self._refused_field(words, sent)) is not None:
            return replace(self, refused=(*self.refused, name))
        if any(word in words for word in _FORM_WORDS) and self.way.next is not None:
            return replace(self, way=self.way.next)
        return None

    def _other_limit(self, words: str) -> Dialect | None:
        """The same with the other name of the length limit, where the one in use is refused."""
        other = _LIMIT_FIELDS[self.limit_field == _LIMIT_FIELDS[0]]
        if f"limit_field={self.limit_field}" in self.refused:
            return None
        asks = re.search(rf"use\W+.{{0,20}}{other}", words) is not None
        named = re.search(rf"(?<![a-z_]){self.limit_field}(?![a-z_])", words) is not None
        if asks or (named and _UNKNOWN_FIELD.search(words) and not _AT_MOST.search(words)):
            return replace(self, limit_field=other, refused=(*self.refused, f"limit_field={other}"))
        return None

    def _smaller_limit(self, words: str) -> Dialect | None:
        """The same with a smaller length limit, where the one that was sent is too large."""
        if "tokens" not in words or not any(name in words for name in ("max_tokens", "completion")):
            return None
        sizes = [int(number) for number in _AT_MOST.findall(words)]
        known = [size for size in sizes if size >= _LEAST_LIMIT and (not self.most_tokens or size < self.most_tokens)]
        return replace(self, most_tokens=min(known)) if known else None

    def _refused_field(self, words: str, sent: Mapping[str, Any]) -> str | None:
        """The optional field of a request that a complaint names; None when it names none."""
        required = {"model", "messages", "stream", self.limit_field, "response_format", "tools", "tool_choice"}
        optional = [name for name in sent if name not in required and name not in self.refused]
        return next((name for name in optional if name.lower() in words), None)

    def limit_tokens(self, question: Question) -> int:
        """The length limit to ask for: the question's, or what answers were found to need, within what is taken."""
        wanted = max(question.max_tokens, self.room_tokens)
        return min(wanted, self.most_tokens) if self.most_tokens else wanted

    def fields(self, question: Question, *, model: str, sampling: Sampling) -> dict[str, Any]:
        """The request's fields for a question."""
        system = question.system if self.way.carries_schema else f"{question.system}\n\n{question.schema_words}"
        words = question.user if self.system_role else f"{system}\n\n{question.user}".strip()
        user: list[dict[str, Any]] = [{"type": "text", "text": words}] if words else []
        user += [{"type": "image_url", "image_url": {"url": view.data_url}} for view in question.views]
        if self.way is Way.FENCED:
            user.append({"type": "text", "text": _FENCE_WORDS})
        messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if self.system_role else []
        messages.append({"role": "user", "content": user})
        messages += [{"role": role, "content": text} for role, text in question.turns]
        fields: dict[str, Any] = {
            "model": model,
            "messages": messages,
            self.limit_field: self.limit_tokens(question),
        }
        optional = {"temperature": sampling.temperature, "reasoning_effort": sampling.reasoning_effort or None}
        if self.stream:
            fields["stream"] = True
            optional["stream_options"] = {"include_usage": True}  # type: ignore[assignment]  # a field of its own kind
        more = {**optional, **sampling.extra}
        fields |= {name: value for name, value in more.items() if value is not None and name not in self.refused}
        return fields | self._form_fields(question)

    def text_of(self, message: Mapping[str, Any]) -> str:
        """The text of an answer's message."""
        return text_of(message, by_tool=self.way is Way.TOOL_CALL)

    def written(self) -> str:
        """The dialect as text, to be remembered."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Dialect | None:
        """The dialect that was written; None when the text is of another time."""
        try:
            kept = json.loads(text)
            kept["refused"] = tuple(kept["refused"])
            return cls(**{**kept, "way": Way(kept["way"])})
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
        max_tokens=PROBE_TOKENS,
    )
