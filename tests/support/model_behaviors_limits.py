"""Behaviors of servers that cannot do all that is asked: each succeeds once the request was adapted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from model_calls import Answer, Behavior, Call, as_json, page, refusal, say, well

Lacks = Callable[[Call], Answer | None]


def limited(name: str, what: str, lacks: Lacks, words: str = "", *, models: Answer | None = None) -> Behavior:
    """A behavior that refuses what `lacks` refuses, and does the rest well."""

    def answer(call: Call) -> Answer:
        return lacks(call) or well(call)

    return Behavior(name, "capability", what, "same_findings", answer, words=words, models=models)


def when(holds: Callable[[Call], bool], refused: Answer) -> Lacks:
    return lambda call: refused if holds(call) else None


# Roles ----------------------------------------------------------------------------------------------------------------


def _roles(call: Call) -> list[str]:
    return [str(message.get("role")) for message in call.messages]


def _has_system(call: Call) -> bool:
    return any(role in {"system", "developer"} for role in _roles(call))


def _two_in_a_row(call: Call) -> bool:
    roles = _roles(call)
    return roles[:1] != ["user"] or any(one == following for one, following in pairwise(roles))


def _system_of_parts(call: Call) -> bool:
    return any(m.get("role") == "system" and not isinstance(m.get("content"), str) for m in call.messages)


_JINJA = "While executing CallExpression at line 1, column 67:\nError: Jinja Exception: System role not supported"

ROLES: tuple[Behavior, ...] = (
    limited(
        "no_system_role",
        "vLLM refuses the system role as the model's template does.",
        when(_has_system, refusal(400, "System role not supported", "BadRequestError", code=400)),
    ),
    limited(
        "no_system_role_500",
        "llama.cpp answers 500 when the template refuses the system role.",
        when(_has_system, as_json({"error": {"code": 500, "message": _JINJA, "type": "server_error"}}, 500)),
    ),
    limited(
        "no_system_role_openai",
        "An early reasoning model refuses the system role by its place.",
        when(
            _has_system,
            refusal(
                400,
                "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
                param="messages[0].role",
                code="unsupported_value",
            ),
        ),
    ),
    limited(
        "roles_alternate",
        "Roles must alternate and begin with the user.",
        when(
            _two_in_a_row,
            refusal(400, "Conversation roles must alternate user/assistant/user/assistant/...", "BadRequestError"),
        ),
    ),
    limited(
        "system_must_be_text",
        "The system message must be a string, not parts.",
        when(_system_of_parts, refusal(400, "'messages.0.content' : value must be a string")),
    ),
)


# Parameters -----------------------------------------------------------------------------------------------------------


def _has(*keys: str) -> Callable[[Call], bool]:
    return lambda call: any(call.body.get(key) is not None for key in keys)


def _has_detail(call: Call) -> bool:
    parts = (part for m in call.messages if isinstance(m.get("content"), list) for part in m["content"])
    return any(isinstance(part.get("image_url"), dict) and "detail" in part["image_url"] for part in parts)


def _not_default_temperature(call: Call) -> bool:
    return call.body.get("temperature") not in {None, 1}


def extra_forbidden(*location: Any) -> Answer:
    detail = {
        "type": "extra_forbidden",
        "loc": ["body", *location],
        "msg": "Extra inputs are not permitted",
        "input": "...",
    }
    return as_json({"object": "error", "message": {"detail": [detail]}, "type": "invalid_request_error"}, 422)


def _extra_detail(call: Call) -> Answer | None:
    return extra_forbidden("messages", 0, "user", "content", 1, "image_url", "detail") if _has_detail(call) else None


def _extra_parameter(call: Call) -> Answer | None:
    known = {"model", "messages", "max_tokens", "stream"}
    extra = next((key for key, value in call.body.items() if key not in known and value is not None), None)
    return refusal(400, f"Unrecognized request argument supplied: {extra}") if extra else None


def _at_most(tokens: int) -> Lacks:
    """A length limit that must not be passed, and at least 3000 tokens of need."""

    def lacks(call: Call) -> Answer | None:
        asked = call.limit
        if asked is not None and asked > tokens:
            return refusal(
                400,
                f"max_tokens is too large: {asked}. This model supports at most {tokens} completion tokens.",
                param="max_tokens",
                code="invalid_value",
            )
        if asked is not None and asked < 3000:
            usage = {"prompt_tokens": 1200, "completion_tokens": asked, "total_tokens": 1200 + asked}
            return say(call, "", finish="length", usage=usage, reasoning_content="The sky first.")
        return None

    return lacks


def _stream_only(call: Call) -> Answer | None:
    words = "This model only support stream mode, please enable the stream parameter to access the model."
    return None if call.body.get("stream") else refusal(400, words)


_TEMPERATURE = (
    "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."
)
_MAX_TOKENS = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
)
_EFFORT = "Unrecognized request argument supplied: reasoning_effort"

PARAMETERS: tuple[Behavior, ...] = (
    limited(
        "no_detail",
        "An endpoint refuses `detail` of a picture.",
        when(
            _has_detail,
            refusal(400, "Unknown parameter: 'messages[1].content[1].image_url.detail'.", code="unknown_parameter"),
        ),
    ),
    limited("no_detail_422", "A strict endpoint answers 422 with the place of `detail`.", _extra_detail),
    limited(
        "no_temperature",
        "A reasoning model refuses any temperature but 1.",
        when(_not_default_temperature, refusal(400, _TEMPERATURE, param="temperature", code="unsupported_value")),
    ),
    limited(
        "temperature_deprecated",
        "A model refuses the temperature as deprecated.",
        when(_has("temperature"), refusal(400, "`temperature` is deprecated for this model.")),
    ),
    limited(
        "wants_max_completion_tokens",
        "A reasoning model refuses `max_tokens`.",
        when(_has("max_tokens"), refusal(400, _MAX_TOKENS, param="max_tokens", code="unsupported_parameter")),
    ),
    limited(
        "wants_max_tokens",
        "An older endpoint refuses `max_completion_tokens`.",
        when(_has("max_completion_tokens"), extra_forbidden("max_completion_tokens")),
    ),
    limited(
        "no_reasoning_effort",
        "An endpoint refuses `reasoning_effort`.",
        when(_has("reasoning_effort"), refusal(400, _EFFORT)),
    ),
    limited(
        "no_extra_parameters",
        "An endpoint refuses each parameter that it does not know, one at a time.",
        _extra_parameter,
    ),
    limited("limit_at_most_4096", "The length limit must be 4096 at most, and 3000 are needed.", _at_most(4096)),
    limited("stream_only", "A model answers as a stream only.", _stream_only),
    limited(
        "no_list_of_models",
        "There is no list of models, and chats work.",
        lambda _call: None,
        models=page(404, "404 Not Found"),
    ),
)


LIMITS: tuple[Behavior, ...] = ROLES + PARAMETERS
