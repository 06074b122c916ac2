"""Read what a chat endpoint sent back: body, message, usage, and the reasons why there is none. Makes no request."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from review_copilot.domain.suggestion import Usage
from review_copilot.errors import ModelMalformed, ModelRefused
from review_copilot.inspectors.event_stream import BrokenStream, is_event_stream, joined
from review_copilot.inspectors.server_errors import ServerError, error_of, read_error

_MOST_BYTES = 8 * 1024 * 1024
_CUT_OFF = frozenset({"length", "max_tokens", "maxtokens", "max_output_tokens", "model_length", "token_limit"})


class ErrorInside(Exception):
    """A body that came with 200 holds an error."""

    def __init__(self, error: ServerError) -> None:
        super().__init__(error.words)
        self.error = error


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of an endpoint.

    Attributes:
        message: The first choice's message as it came.
        usage: What it cost, as the endpoint said; None where it did not say.
        cut_off: Whether it ended at its length limit.
    """

    message: Mapping[str, Any]
    usage: Usage | None
    cut_off: bool = False


def read_body(chunks: Iterable[bytes], *, deadline: float) -> bytes:
    """All bytes of a body; a server that drips past the deadline is cut off, which a socket's time-out would not do.

    Args:
        chunks: The body as it comes.
        deadline: Latest time by `time.monotonic`.

    Raises:
        TimeoutError: The deadline passed.
        ModelMalformed: The body is absurdly long.
    """
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if time.monotonic() > deadline:
            raise TimeoutError
        if len(body) > _MOST_BYTES:
            raise ModelMalformed("The model's endpoint answered with more than 8 MiB.")
    return bytes(body)


def read_completion(body: bytes) -> Completion:
    """Message and usage of a completion, sent at once or as a stream.

    Raises:
        ErrorInside: It holds an error instead.
        ModelRefused: The model declined.
        ModelMalformed: The body is no completion.
        BrokenStream: A stream ended before its answer did.
    """
    text = body.decode("utf-8", errors="replace").strip().removeprefix("\ufeff")
    completion = joined(text) if is_event_stream(text) else _parsed(text)
    if isinstance(completion, Mapping) and completion.get("error") and not completion.get("choices"):
        raise ErrorInside(error_of(completion, status=200))
    try:
        choice = completion["choices"][0]
        message = choice["message"] if "message" in choice else {"content": choice["text"]}  # of the older API
        if not isinstance(message, Mapping):
            raise TypeError  # noqa: TRY301 - the same answer as for every other wrong shape
    except (KeyError, IndexError, TypeError) as error:
        said = read_error(200, text[:4000].encode(), {}).words if not isinstance(completion, Mapping) else ""
        raise _no_completion(said) from error
    if choice.get("error"):
        raise ErrorInside(error_of(choice, status=200))
    finish = str(choice.get("finish_reason") or "").lower()
    if message.get("refusal") or finish == "content_filter":
        raise ModelRefused(f"The model declined to answer: {str(message.get('refusal') or 'content filter')[:200]}")
    return Completion(message, _usage(completion.get("usage")), cut_off=finish in _CUT_OFF)


def _no_completion(said: str) -> ModelMalformed:
    words = f" It says: {said}" if said else ""
    return ModelMalformed(
        f"The endpoint's answer is no chat completion.{words}",
        hint="Is REVIEW_COPILOT_MODEL_BASE_URL right (often it ends in /v1)?",
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _usage(reported: object) -> Usage | None:
    """What a provider says that a call took; None where it says nothing.

    Reasoning counts as completion, wherever it is reported: in the completion's tokens, apart, or in the total only.
    """
    if not isinstance(reported, Mapping):
        return None
    prompt, completion = _count(reported.get("prompt_tokens")), _count(reported.get("completion_tokens"))
    total = _count(reported.get("total_tokens"))
    completion = max(completion, total - prompt if prompt else completion)
    if completion <= _count(reported.get("completion_tokens")):
        reasoning = _count(_details(reported, "completion_tokens_details").get("reasoning_tokens"))
        completion = reasoning + completion if reasoning > completion else completion
    if not prompt and not completion:
        return None
    cached = _count(_details(reported, "prompt_tokens_details").get("cached_tokens"))
    return Usage(prompt_tokens=prompt, cached_tokens=min(cached, prompt), completion_tokens=completion, calls=1)


def _details(reported: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    details = reported.get(name)
    return details if isinstance(details, Mapping) else {}


def _count(value: object) -> int:
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


__all__ = ["BrokenStream", "Completion", "ErrorInside", "read_body", "read_completion"]
