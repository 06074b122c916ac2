"""Read what a chat endpoint sent back: body, message, usage, and the reasons why there is none. Makes no request."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from review_copilot.domain.suggestion import Usage
from review_copilot.errors import ModelCutOff, ModelMalformed, ModelRefused

_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of an endpoint.

    Attributes:
        message: The first choice's message as it came.
        usage: What it cost, as the endpoint said.
    """

    message: Mapping[str, Any]
    usage: Usage


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
    """Message and usage of a completion.

    Raises:
        ModelRefused: The model declined.
        ModelCutOff: The answer ended at its length limit.
        ModelMalformed: The body is no completion.
    """
    try:
        completion = json.loads(body)
        choice = completion["choices"][0]
        message = choice["message"]
        if not isinstance(message, Mapping):
            raise TypeError  # noqa: TRY301 - the same answer as for every other wrong shape
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ModelMalformed(
            "The endpoint's answer is no chat completion.",
            hint="Is REVIEW_COPILOT_MODEL_BASE_URL right (often it ends in /v1)?",
        ) from error
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        raise ModelRefused(f"The model declined to answer: {str(message.get('refusal') or 'content filter')[:200]}")
    if choice.get("finish_reason") == "length":
        raise ModelCutOff(
            "The model's answer ended at its length limit.", hint="Raise REVIEW_COPILOT_MODEL_MAX_TOKENS."
        )
    return Completion(message, _usage(completion.get("usage")))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that an endpoint asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date; else None."""
    for name, per_second in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / per_second)
        except (KeyError, ValueError):
            continue
    try:
        then = parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.0, then.timestamp() - time.time())


def _usage(reported: object) -> Usage:
    if not isinstance(reported, Mapping):
        return Usage(calls=1)
    details = reported.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else 0
    return Usage(
        prompt_tokens=_count(reported.get("prompt_tokens")),
        cached_tokens=_count(cached),
        completion_tokens=_count(reported.get("completion_tokens")),
        calls=1,
    )


def _count(value: object) -> int:
    return max(0, value) if isinstance(value, int) else 0
