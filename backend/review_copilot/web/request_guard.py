"""Rules for every route: which URLs are accepted, how bodies are decoded, and which headers answers carry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response

from review_copilot.errors import BadRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_NO_URL = re.compile(r"\x00|[0-9]{19}")
"""Neither database stores NUL, and no id has 19 digits. Flask's routing fails on numbers with 5,000 digits."""
_NO_QUERY = re.compile(r"%00|\x00", re.IGNORECASE)

MAX_BODY_BYTES = 256 * 1024 * 1024
"""Maximum request body. Label Studio posts all selected tasks in one body, about 2 KB per task: 100,000 tasks fit."""

CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For answers that are not pages. A page sets its own policy."""


def guard(app: Flask) -> None:
    """Reject URLs that no route can match, and add security headers to all answers."""
    app.wsgi_app = _UrlGuard(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way to wrap it
    app.after_request(_guarded)


def decoded(body: bytes) -> object:
    """Decode the JSON of a request's body.

    Raises:
        BadRequest: The body is not JSON in UTF-8, or it is nested too deeply.
    """
    try:
        value: object = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.", hint="Only Label Studio sends requests to this address.") from error
    return value


def _guarded(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cache-Control", "no-store")
    return response


class _UrlGuard:
    def __init__(self, inner: WSGIApplication) -> None:
        self._inner = inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        if not _NO_URL.search(path) and not _NO_QUERY.search(query):
            return self._inner(environ, start_response)
        body = json.dumps({"error": "The URL cannot be read.", "hint": ""}).encode()
        response = _guarded(Response(body, HTTPStatus.BAD_REQUEST, mimetype="application/json"))
        return response(environ, start_response)
