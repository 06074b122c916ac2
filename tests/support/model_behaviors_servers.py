"""Behaviors of servers that fail for a while: they succeed for those who wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from time import time
from typing import Any

from model_calls import (
    Answer,
    Behavior,
    Call,
    as_json,
    chat,
    events,
    google_refusal,
    page,
    refusal,
    say,
    stream,
    well,
)

Refused = Answer | Callable[[Call], Answer]


def _times(count: int, refused: Refused) -> Callable[[Call], Answer]:
    """The first `count` chats are refused."""

    def answer(call: Call) -> Answer:
        if call.nth > count:
            return well(call)
        return refused(call) if callable(refused) else refused

    return answer


def _until(seconds: float, refused: Refused) -> Callable[[Call], Answer]:
    """Chats are refused until some time has passed since the first, however often it is asked."""

    def answer(call: Call) -> Answer:
        if call.elapsed_s >= seconds:
            return well(call)
        return refused(call) if callable(refused) else refused

    return answer


def _passing(name: str, what: str, answer: Callable[[Call], Answer]) -> Behavior:
    return Behavior(name, "transient", what, "same_findings", answer)


def _with(answer: Answer, **headers: str) -> Answer:
    return replace(
        answer, headers={**answer.headers, **{key.replace("_", "-"): value for key, value in headers.items()}}
    )


def _date_in(answer: Answer, seconds: float) -> Callable[[Call], Answer]:
    return lambda _call: _with(answer, Retry_After=formatdate(time() + seconds, usegmt=True))


def _in_completion(error: dict[str, Any]) -> Callable[[Call], Answer]:
    """OpenRouter's answer when a provider fails half-way: a choice that holds an error."""

    def answer(call: Call) -> Answer:
        completion = chat(call, {"content": ""}, finish="error")
        completion["choices"][0]["error"] = error
        return as_json(completion)

    return answer


def _cut_body(call: Call) -> Answer:
    return replace(say(call, call.good_text), cut_bytes=200)


def _stream_error(call: Call) -> Answer:
    return stream(
        [{"error": {"code": 502, "message": "Upstream error"}}, *events(chat(call, {"content": ""}), pieces=1)[:1]]
    )


def _rate(message: str) -> Answer:
    return refusal(429, message, "requests", code="rate_limit_exceeded")


_LIMIT = "Rate limit reached for fake-vlm on tokens per min (TPM): Limit 30000, Used 29600, Requested 900."
_SLOW = _rate(_LIMIT)
_LOADING = as_json({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, 503)
_RETRY_INFO = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}]
_EXHAUSTED = google_refusal(
    429, "Resource exhausted. Please retry in 1.05s.", "RESOURCE_EXHAUSTED", details=_RETRY_INFO
)
_AZURE = (
    "Requests to the ChatCompletions_Create Operation have exceeded the token rate limit. Please retry after 1 second."
)
_UPSTREAM = "fake-vlm is temporarily rate-limited upstream. Please retry shortly."
_PROVIDER = {"code": 429, "message": "Provider returned error", "metadata": {"raw": _UPSTREAM, "provider_name": "Fake"}}
_BUSY = refusal(503, "server busy, please try again.  maximum pending requests exceeded", "api_error")
_OVERLOADED = as_json({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, 529)

PASSING: tuple[Behavior, ...] = (
    _passing("loading_503", "llama.cpp loads its model for more than a second.", _until(1.5, _LOADING)),
    _passing(
        "loading_503_estimate",
        "A hosted endpoint loads its model and says how long.",
        _until(1.0, as_json({"error": "Model fake-vlm is currently loading", "estimated_time": 1.0}, 503)),
    ),
    _passing("busy_503", "Ollama's queue is full twice.", _times(2, _BUSY)),
    _passing(
        "unavailable_503_page",
        "A proxy answers 503 with a page, twice.",
        _times(2, page(503, "503 Service Temporarily Unavailable")),
    ),
    _passing(
        "rate_words_seconds",
        "429 says `try again in 1.2s` in its words only.",
        _until(1.2, _rate(f"{_LIMIT} Please try again in 1.2s.")),
    ),
    _passing(
        "rate_words_milliseconds",
        "429 says `try again in 600ms` in its words only.",
        _until(0.6, _rate(f"{_LIMIT} Please try again in 600ms.")),
    ),
    _passing(
        "rate_words_minutes",
        "429 says `try again in 0m1.1s` in its words only.",
        _until(1.1, _rate(f"{_LIMIT} Please try again in 0m1.1s.")),
    ),
    _passing("rate_without_hint", "429 says nothing about when, twice.", _times(2, _SLOW)),
    _passing("rate_retry_after", "429 says `Retry-After: 1`.", _until(1.0, _with(_SLOW, Retry_After="1"))),
    _passing(
        "rate_retry_after_zero",
        "429 says `Retry-After: 0` for more than a second.",
        _until(1.2, _with(_SLOW, Retry_After="0")),
    ),
    _passing(
        "rate_retry_after_negative",
        "429 says `Retry-After: -3` for a second.",
        _until(1.0, _with(_SLOW, Retry_After="-3")),
    ),
    _passing(
        "rate_retry_after_past",
        "429 names a date in the past for more than a second.",
        _until(1.2, _date_in(_SLOW, -3600)),
    ),
    _passing("rate_retry_after_date", "429 names a date two seconds from now.", _until(1.0, _date_in(_SLOW, 2))),
    _passing(
        "rate_retry_after_word", "429 says `Retry-After: soon`, twice.", _times(2, _with(_SLOW, Retry_After="soon"))
    ),
    _passing(
        "rate_retry_after_ms",
        "429 tells milliseconds in a header of its own.",
        _until(0.7, _with(_SLOW, retry_after_ms="700")),
    ),
    _passing(
        "rate_reset_header",
        "429 tells the reset in `x-ratelimit-reset-tokens`.",
        _until(1.0, _with(_SLOW, x_ratelimit_reset_tokens="1s", x_ratelimit_remaining_tokens="0")),
    ),
    _passing(
        "rate_azure",
        "Azure says when in words and header.",
        _until(1.0, _with(refusal(429, _AZURE, code="429"), Retry_After="1")),
    ),
    _passing("rate_gemini", "Gemini's error is a list with a delay in its details.", _until(1.05, _EXHAUSTED)),
    _passing(
        "rate_in_200", "OpenRouter answers 200 with a 429 inside, once.", _times(1, as_json({"error": _PROVIDER}))
    ),
    _passing(
        "provider_502_in_200",
        "OpenRouter answers 200 with a 502 inside, once.",
        _times(1, as_json({"error": {"code": 502, "message": "Upstream error"}})),
    ),
    _passing(
        "error_in_choice",
        "A choice holds an error of the provider, once.",
        _times(1, _in_completion({"code": 502, "message": "Provider returned error"})),
    ),
    _passing(
        "server_error_500",
        "The server answers 500, once.",
        _times(1, refusal(500, "The server had an error while processing your request.", "server_error")),
    ),
    _passing("bad_gateway_502", "A proxy answers 502 with a page, once.", _times(1, page(502, "502 Bad Gateway"))),
    _passing(
        "gateway_timeout_504", "A proxy answers 504 with a page, once.", _times(1, page(504, "504 Gateway Time-out"))
    ),
    _passing("overloaded_529", "Anthropic's endpoint is overloaded, twice.", _times(2, _OVERLOADED)),
    _passing(
        "origin_down_520",
        "A content network answers 520, once.",
        _times(1, page(520, "520: Web server is returning an unknown error")),
    ),
    _passing(
        "request_timeout_408", "The server answers 408, once.", _times(1, refusal(408, "Request timeout", "timeout"))
    ),
    _passing("hangs_up", "The server hangs up without an answer, once.", _times(1, Answer(hang_up=True))),
    _passing("body_cut", "The connection ends in the middle of the body, once.", _times(1, _cut_body)),
    _passing("empty_answer_once", "The model answers with nothing, once.", _times(1, lambda call: say(call, ""))),
    _passing("stream_error_once", "A stream that nobody asked for holds an error, once.", _times(1, _stream_error)),
)
