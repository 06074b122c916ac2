"""Behaviors of servers that take fewer or smaller pictures, or fewer forms of answer, than are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from model_behaviors_limits import Lacks, extra_forbidden, limited, when
from model_calls import Answer, Behavior, Call, as_json, page, refusal, say, schemas_of

# Pictures -------------------------------------------------------------------------------------------------------------


def _at_most_pictures(count: int, words: str) -> Lacks:
    return when(
        lambda call: len(call.pictures) > count,
        as_json({"object": "error", "message": words, "type": "BadRequestError", "param": None, "code": 400}, 400),
    )


def _shrunk(measure: Callable[[Call], float], share: float, refused: Callable[[float, float], Answer]) -> Lacks:
    """A limit that is a share of what the first review brought."""

    def lacks(call: Call) -> Answer | None:
        if not call.pictures or not call.is_review:
            return None
        most = call.memory.setdefault("most", measure(call) * share)
        size = measure(call)
        return refused(size, most) if size > most else None

    return lacks


def _bytes(call: Call) -> float:
    return sum(len(picture.data) for picture in call.pictures)


def _pixels(call: Call) -> float:
    return sum(picture.width_px * picture.height_px for picture in call.pictures)


def _longest(call: Call) -> float:
    return max(max(picture.width_px, picture.height_px) for picture in call.pictures)


def _context(size: float, most: float) -> Answer:
    asked, limit = int(size / 784) + 3000, int(most / 784) + 3000
    words = (
        f"This model's maximum context length is {limit} tokens. However, you requested {asked} tokens "
        f"({asked} in the messages). Please reduce the length of the messages or completion."
    )
    return as_json({"object": "error", "message": words, "type": "BadRequestError", "param": None, "code": 400}, 400)


def _context_openai(size: float, most: float) -> Answer:
    asked, limit = int(size / 784) + 3000, int(most / 784) + 3000
    words = (
        f"Input tokens exceed the configured limit of {limit} tokens. Your messages resulted in {asked} tokens. "
        "Please reduce the length of the messages."
    )
    return refusal(400, words, param="messages", code="context_length_exceeded")


def _context_llama(size: float, most: float) -> Answer:
    error = {
        "code": 400,
        "message": "the request exceeds the available context size, try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": int(size / 784) + 3000,
        "n_ctx": int(most / 784) + 3000,
    }
    return as_json({"error": error}, 400)


_PLACE = "messages.0.content.1.image.source.base64"


def _dimension(_size: float, most: float) -> Answer:
    words = f"{_PLACE}.data: At least one of the image dimensions exceed max allowed size: {int(most)} pixels"
    return refusal(400, words)


def _file_size(size: float, most: float) -> Answer:
    return refusal(
        400,
        f"{_PLACE}: image exceeds {int(most)} bytes maximum: {int(size)} bytes > {int(most)} bytes",
    )


PICTURES: tuple[Behavior, ...] = (
    limited(
        "at_most_one_picture",
        "vLLM takes one picture in a request.",
        _at_most_pictures(1, "At most 1 image(s) may be provided in one request."),
    ),
    limited(
        "at_most_two_pictures",
        "A newer vLLM takes two pictures in a prompt.",
        _at_most_pictures(2, "At most 2 image(s) may be provided in one prompt."),
    ),
    limited(
        "too_many_pictures",
        "A hosted endpoint takes three pictures.",
        _at_most_pictures(3, "Too many images provided. This model supports up to 3 images"),
    ),
    limited(
        "too_large_413",
        "A proxy answers 413 until the pictures are 60 % of their first bytes.",
        _shrunk(_bytes, 0.6, lambda _size, _most: page(413, "413 Request Entity Too Large")),
    ),
    limited(
        "too_large_413_json",
        "An endpoint answers 413 in JSON until the pictures are half of their first bytes.",
        _shrunk(
            _bytes, 0.5, lambda _size, _most: refusal(413, "Request exceeds the maximum size", "request_too_large")
        ),
    ),
    limited("context_length", "vLLM's context holds 60 % of the first pixels.", _shrunk(_pixels, 0.6, _context)),
    limited(
        "context_length_openai",
        "OpenAI's context holds half of the first pixels.",
        _shrunk(_pixels, 0.5, _context_openai),
    ),
    limited(
        "context_length_llama",
        "llama.cpp's context holds a third of the first pixels.",
        _shrunk(_pixels, 0.34, _context_llama),
    ),
    limited("dimension_too_large", "Sides may be 70 % of the first at most.", _shrunk(_longest, 0.7, _dimension)),
    limited(
        "picture_file_too_large",
        "The files may hold 60 % of the first bytes at most.",
        _shrunk(_bytes, 0.6, _file_size),
    ),
)


# Forms of the answer --------------------------------------------------------------------------------------------------


def _format(call: Call) -> str:
    return str((call.body.get("response_format") or {}).get("type") or "")


def _no_format(*kinds: str, refused: Answer) -> Lacks:
    return when(lambda call: _format(call) in kinds, refused)


def _no_json_object(call: Call) -> Answer | None:
    return (
        as_json({"error": "'response_format.type' must be 'json_schema' or 'text'"}, 400)
        if _format(call) == "json_object"
        else None
    )


def _word_json(call: Call) -> bool:
    return _format(call) == "json_object" and "json" not in call.text.lower()


def _holds(value: Any, keys: set[str]) -> bool:
    if isinstance(value, Mapping):
        return bool(keys & set(value)) or any(_holds(part, keys) for part in value.values())
    return isinstance(value, list) and any(_holds(part, keys) for part in value)


def _strict_schema(call: Call) -> Answer | None:
    bound = {"maxItems", "minItems", "maxLength", "minimum", "maximum"}
    if _format(call) == "json_schema" and any(_holds(schema, bound) for schema in list(schemas_of(call.body))[:1]):
        return refusal(
            400,
            "Invalid schema for response_format 'review': In context=(), 'maxItems' is not permitted.",
            param="response_format",
            code="invalid_json_schema",
        )
    return None


def _plain_only(call: Call) -> Answer | None:
    if _format(call):
        return refusal(400, "Unknown parameter: 'response_format'.", param="response_format", code="unknown_parameter")
    if call.body.get("tools"):
        return refusal(
            400,
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
            "BadRequestError",
            code=400,
        )
    return None


def _ignores_format(call: Call) -> Answer:
    return say(call, f"Sure! Here is my review.\n\n```json\n{call.good_text}\n```\n")


FORMATS: tuple[Behavior, ...] = (
    limited(
        "no_json_schema",
        "An endpoint has `json_object` and no `json_schema`.",
        _no_format("json_schema", refused=refusal(400, "This response_format type is unavailable now")),
    ),
    limited("no_json_object", "LM Studio refuses `json_object`, and its error is a string.", _no_json_object),
    limited(
        "no_response_format",
        "An endpoint refuses `response_format` of any type.",
        _no_format(
            "json_schema",
            "json_object",
            refused=refusal(400, "Unrecognized request argument supplied: response_format"),
        ),
    ),
    limited(
        "no_response_format_422",
        "A strict endpoint answers 422 to `response_format`.",
        _no_format("json_schema", "json_object", refused=extra_forbidden("response_format")),
    ),
    limited(
        "word_json_needed",
        "`json_object` needs the word JSON in the messages.",
        when(
            _word_json,
            refusal(
                400,
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            ),
        ),
    ),
    limited("schema_without_bounds", "A strict schema may hold no bounds.", _strict_schema),
    limited("plain_text_only", "A server has neither formats nor tools.", _plain_only),
    limited(
        "grammar_fails_500",
        "A server answers 500 when it cannot compile the schema.",
        _no_format(
            "json_schema",
            refused=as_json(
                {"error": {"code": 500, "message": "failed to parse grammar", "type": "server_error"}}, 500
            ),
        ),
    ),
    Behavior(
        "ignores_format",
        "capability",
        "A server takes any format and answers in prose and a fence.",
        "same_findings",
        _ignores_format,
    ),
)

SIZES: tuple[Behavior, ...] = PICTURES + FORMATS
