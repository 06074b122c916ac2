"""What a server means by an error: its own words, how long to wait, and which typed error it is. Makes no request.

Servers word the same trouble in many ways; the status decides first, then the code, then the words. The words
always reach the person.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

_MOST_LETTERS = 300
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_MARKUP = re.compile(r"<[^>]+>")
_UNIT_S: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_STEP = re.compile(
    r"(\d+(?:\.\d+)?)\s*(ms|milliseconds?|hours?|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])", re.IGNORECASE
)
_AGAIN = re.compile(r"(?:try|retry|again|wait)\D{0,30}?((?:\d+(?:\.\d+)?\s*[a-z]+\s*){1,3})", re.IGNORECASE)
_RESET_HEADERS = ("x-ratelimit-reset-tokens", "x-ratelimit-reset-requests", "x-ratelimit-reset")
_LONGEST_RESET_S = 86400.0

_CODES: Mapping[str, int] = {
    "rate_limit_exceeded": 429,
    "resource_exhausted": 429,
    "overloaded_error": 503,
    "unavailable": 503,
    "server_error": 502,
    "internal": 502,
    "internal_error": 502,
    "invalid_api_key": 401,
    "unauthenticated": 401,
    "permission_denied": 403,
}


class Trouble(StrEnum):
    """What is wrong, by what can be done about it."""

    KEY = "key"
    MONEY = "money"
    MODEL = "model"
    """No such model or address, or a model that takes no pictures."""
    REFUSED = "refused"
    RATE = "rate"
    LOADING = "loading"
    """Passes by waiting."""
    PASSING = "passing"
    """May pass by asking again."""
    SIZE = "size"
    """Fewer or smaller pictures may be taken."""
    FORM = "form"
    """The request's form is not liked."""


_WORDS: tuple[tuple[Trouble, re.Pattern[str]], ...] = tuple(
    (trouble, re.compile(pattern, re.IGNORECASE))
    for trouble, pattern in (
        (
            Trouble.REFUSED,
            r"content.?(?:filter|policy|management)|responsibleai|safety (?:system|filter)|moderation|flagged",
        ),
        (
            Trouble.MONEY,
            (
                r"insufficient.?(?:quota|credit|balance|fund)|credit balance|billing|arrear|good standing|limit: 0\b"
                r"|out of credits|payment required|balance (?:is )?(?:too low|insufficient)|spending limit|top.?up"
            ),
        ),
        (
            Trouble.KEY,
            (
                r"api.?key|unauthori[sz]ed|authenticat|invalid.{0,10}token|(?:region|country|territory|location)[^.]{0,40}"
                r"(?:not supported|unsupported|not available)|(?:not supported|unsupported|not available)[^.]{0,30}"
                r"(?:region|country|territory|location)|unsupported_country"
            ),
        ),
        (
            Trouble.MODEL,
            (
                r"no models? (?:is |are )?loaded|not a multimodal model|image input is not supported"
                r"|support image input"
                r"|only supported by certain models|does not support (?:image|vision)|(?:model|deployment)\S* .{0,40}"
                r"(?:does not exist|not found|not exist)|has been (?:deprecated|retired|shut down)|mmproj"
                r"|no endpoints found|enable_thinking"
            ),
        ),
        (
            Trouble.SIZE,
            (
                r"at most \d+ image|too many images|images? (?:per|in one) (?:request|prompt)|up to \d+ images"
                r"|context.{0,12}(?:length|size|window)|too large|too long"
                r"|exceed\w* .{0,60}"
                r"(?:maximum|limit|allowed|size|tokens)|reduce the length|payload|entity too"
            ),
        ),
        (Trouble.LOADING, r"loading|warming up|starting up|overloaded|busy|at capacity|try again|temporarily"),
    )
)
_ABOUT_FORM = re.compile(
    r"grammar|schema|jinja|template|\brole|response_format|\btool|unsupported|parameter", re.IGNORECASE
)
_LENGTH_LIMIT = re.compile(r"max(?:imum)?_?(?:completion_|output_|new_)?tokens", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error of a server, read.

    Attributes:
        status: HTTP status, or the one named in a body that came with 200.
        words: What the server says, on one line.
        trouble: What is wrong.
        wait_s: Seconds after which it asks to be asked again; None where it does not say.
    """

    status: int
    words: str
    trouble: Trouble
    wait_s: float | None = None


def read_error(status: int, body: bytes, headers: Mapping[str, str]) -> ServerError:
    """Read an error answer.

    Args:
        status: HTTP status.
        body: As it came: JSON of any form, a page or plain text.
        headers: Of the answer; names in small letters, or found without regard to case.
    """
    text = body.decode("utf-8", errors="replace").strip()
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        payload = None
    if payload is None:
        words = _plain(text)
        return ServerError(status, words, _trouble(status, words, code=""), _wait_s(None, words, headers))
    return error_of(payload, status=status, headers=headers)


def error_of(payload: Any, *, status: int, headers: Mapping[str, str] | None = None) -> ServerError:
    """Read the error in a JSON body; one that came with 200 names its own status."""
    inner = _error_object(payload)
    code = ""
    if isinstance(inner, Mapping):
        code = " ".join(str(inner.get(name) or "") for name in ("code", "type", "status"))
        if status < 400:
            status = _status_named(inner)
    words = _shortened(" ".join(dict.fromkeys(_words_of(inner))))
    return ServerError(status, words, _trouble(status, words, code=code), _wait_s(payload, words, headers or {}))


def _error_object(payload: Any) -> Any:
    if isinstance(payload, list) and payload:
        return _error_object(payload[0])
    if isinstance(payload, Mapping):
        for name in ("error", "detail", "errors"):
            if payload.get(name):
                inner = payload[name]
                return inner[0] if isinstance(inner, list) and inner and name == "errors" else inner
    return payload


def _words_of(inner: Any) -> list[str]:
    """All that is meant for people in an error, the message first."""
    if isinstance(inner, str):
        return [inner]
    if isinstance(inner, list):
        return [word for item in inner[:3] for word in _words_of(item)]
    if not isinstance(inner, Mapping):
        return []
    found = [word for name in ("message", "msg", "detail", "error", "raw") for word in _words_of(inner.get(name))]
    if isinstance(inner.get("loc"), list):
        found.append("at " + ".".join(map(str, inner["loc"])))
    return [*found, *(_words_of(inner["metadata"]) if isinstance(inner.get("metadata"), Mapping) else [])]


def _status_named(inner: Mapping[str, Any]) -> int:
    """The status that an error in a body names; 502 where it names none."""
    for name in ("code", "status", "status_code", "type"):
        value = inner.get(name)
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if isinstance(value, int) and 400 <= value < 600:
            return value
        if isinstance(value, str) and value.lower() in _CODES:
            return _CODES[value.lower()]
    return 502


_BY_STATUS: Mapping[int, Trouble] = {
    **dict.fromkeys((401, 403), Trouble.KEY),
    402: Trouble.MONEY,
    **dict.fromkeys((404, 405, 410), Trouble.MODEL),
    413: Trouble.SIZE,
    **dict.fromkeys((503, 529), Trouble.LOADING),
    **dict.fromkeys((408, 409, 425), Trouble.PASSING),
}


def _trouble(status: int, words: str, *, code: str) -> Trouble:
    said = f"{code} {words}"
    by_words = next((trouble for trouble, pattern in _WORDS if pattern.search(said)), None)
    if status == 429:
        return _rate_trouble(words, code=code, by_words=by_words)
    if status == 403 and by_words is Trouble.REFUSED:
        return Trouble.REFUSED
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return _failure_trouble(status, said, by_words)
    too_long_an_answer = by_words is Trouble.SIZE and _LENGTH_LIMIT.search(said) and "context" not in said.lower()
    return Trouble.FORM if too_long_an_answer or by_words in {None, Trouble.LOADING} else by_words or Trouble.FORM


def _rate_trouble(words: str, *, code: str, by_words: Trouble | None) -> Trouble:
    """Whether 429 means a pause, or that nothing is left: a quota that comes back names the seconds."""
    none_left = "insufficient_quota" in code or (by_words is Trouble.MONEY and "limit: 0" in words)
    exhausted = none_left or ("billing" in words.lower() and _seconds_in(words) is None)
    return Trouble.MONEY if exhausted else Trouble.RATE


def _failure_trouble(status: int, said: str, by_words: Trouble | None) -> Trouble:
    """What a 5xx means: servers answer 500 to a form that they cannot take, too."""
    if status == 500 and by_words is Trouble.MODEL:
        return Trouble.MODEL
    return Trouble.FORM if status == 500 and _ABOUT_FORM.search(said) else Trouble.PASSING


def _wait_s(payload: Any, words: str, headers: Mapping[str, str]) -> float | None:
    """Seconds to wait; None where none are named, or they are none."""
    named = _header_wait_s(headers)
    for seconds in (named, _payload_wait_s(payload), _seconds_in(words), _reset_wait_s(headers)):
        if seconds is not None and seconds > 0:
            return seconds
    return None


def _header_wait_s(headers: Mapping[str, str]) -> float | None:
    """`retry-after-ms`, or `retry-after` in seconds or as a date; None where there is neither."""
    for name, per_second in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return float(headers[name]) / per_second
        except (KeyError, ValueError):
            continue
    try:
        return parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time()
    except (KeyError, ValueError, TypeError):
        return None


def _payload_wait_s(payload: Any) -> float | None:
    """Google's `retryDelay` and Hugging Face's `estimated_time`, wherever they stand in a body."""
    if isinstance(payload, Mapping):
        for name in ("retryDelay", "retry_after", "estimated_time"):
            if name in payload:
                return _seconds_of(payload[name])
    inner = list(payload.values()) if isinstance(payload, Mapping) else payload if isinstance(payload, list) else []
    return next((found for value in inner if (found := _payload_wait_s(value)) is not None), None)


def _seconds_of(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    steps = _STEP.findall(value)
    if not steps:
        return float(value) if re.fullmatch(r"\d+(?:\.\d+)?", value.strip()) else None
    return sum(
        float(number) * _UNIT_S["ms" if unit.lower().startswith("mil") else _unit(unit)] for number, unit in steps
    )


def _unit(written: str) -> str:
    lower = written.lower()
    return "ms" if lower == "ms" else lower[0]


def _seconds_in(words: str) -> float | None:
    found = _AGAIN.search(words)
    return _seconds_of(found.group(1)) if found and _STEP.search(found.group(1)) else None


def _reset_wait_s(headers: Mapping[str, str]) -> float | None:
    waits = [_seconds_of(headers[name]) for name in _RESET_HEADERS if name in headers]
    known = [seconds for seconds in waits if seconds is not None and seconds < _LONGEST_RESET_S]
    return max(known, default=None)


def _plain(text: str) -> str:
    """A page's title, or the text itself."""
    title = _TITLE.search(text)
    return _shortened(title.group(1) if title else _MARKUP.sub(" ", text))


def _shortened(words: str) -> str:
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return line[:_MOST_LETTERS] + ("…" if len(line) > _MOST_LETTERS else "")
