"""Send HTTP requests to Label Studio: tokens, retries, errors. Knows no route except the one that refreshes tokens.

The SDK's client is not used for this: it repeats POSTs after a 5xx, which stores predictions twice, and it loses
an installation's sub-path when it refreshes a token.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit

import httpx

from review_copilot.errors import (
    LabelStudioAuthError,
    LabelStudioError,
    LabelStudioFailed,
    LabelStudioNotFound,
    LabelStudioRefusesAddress,
    LabelStudioRejected,
    LabelStudioUnreachable,
    SettingsError,
)
from review_copilot.outbound.deadline import call_limits
from review_copilot.outbound.http_client import limited_client

Query: TypeAlias = Mapping[str, str | int]
Files: TypeAlias = Sequence[tuple[str, tuple[str, bytes]]]

PRIVATE_ADDRESS_SWITCHES = ("ML_BLOCK_LOCAL_IP=false", "SSRF_PROTECTION_ENABLED=false")
"""Environment variables that let Label Studio 1.23.1 and later call loopback and private addresses."""

PRIVATE_ADDRESS_HINT = (
    "Start Label Studio with these two environment variables (the first for the backend, the second for the "
    "webhook) and connect again:\n" + "\n".join(f"    {line}" for line in PRIVATE_ADDRESS_SWITCHES)
)

ATTEMPTS = 4
"""Number of attempts for a GET."""

RETRY_STATUS = frozenset({429, 502, 503, 504})
LONGEST_PAUSE_S = 30.0
EXPIRES_EARLY_S = 20.0
"""An access token is renewed this long before it expires, so that it does not expire in transit."""

PAGE_TIMEOUT_S = 120.0
"""A busy server can take a minute for a page of tasks with all fields."""


class TokenKind(StrEnum):
    """The type of an access token."""

    NONE = "none"
    LEGACY = "legacy"
    PERSONAL = "personal"
    """A refresh JWT; it is exchanged for access tokens that are valid for a few minutes."""
    ACCESS = "access"
    """Such a short-lived access token, which cannot be used permanently."""


def token_kind(token: str) -> TokenKind:
    """Determine the type of a token by its format."""
    if not token:
        return TokenKind.NONE
    if token.count(".") != 2:
        return TokenKind.LEGACY
    return TokenKind.ACCESS if _claims(token).get("token_type") == "access" else TokenKind.PERSONAL


def normalise_url(url: str) -> str:
    """The normalized base URL: lowercase host, no default port, no trailing slash; a subpath is kept.

    Raises:
        SettingsError: It is not an http(s) URL, or contains a username and password.
    """
    try:
        parts = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise SettingsError(f"{url!r} is no URL.", hint="Give one such as http://localhost:8080.") from error
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise SettingsError(f"{url!r} is no URL.", hint="Give one such as http://localhost:8080.")
    if parts.userinfo:
        raise SettingsError(
            "The URL of Label Studio contains a username or password.",
            hint="Remove them and set REVIEW_COPILOT_LABEL_STUDIO_TOKEN instead.",
        )
    return str(parts.copy_with(query=None, fragment=None)).rstrip("/")


class LabelStudioAuth(httpx.Auth):
    """Signs requests with either type of token. Two threads may renew a token twice, which is harmless."""

    def __init__(self, url: str, token: str) -> None:
        """Store the token.

        Args:
            url: Normalized base URL.
            token: Personal access token or legacy token.

        Raises:
            LabelStudioAuthError: The token is missing, or is a short-lived access token.
        """
        self.kind = token_kind(token)
        if self.kind is TokenKind.NONE:
            raise LabelStudioAuthError(
                "No Label Studio access token is set.",
                hint="Copy one from Label Studio's Account & Settings page to REVIEW_COPILOT_LABEL_STUDIO_TOKEN.",
            )
        if self.kind is TokenKind.ACCESS:
            raise LabelStudioAuthError(
                "The token is a short-lived access token.",
                hint="Set the personal access token that it was created from.",
            )
        self._refresh_url = f"{url}/api/token/refresh/"
        self._token = token
        self._access = ""
        self._good_until = 0.0

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign a request; exchange a personal token first if needed, and again after a 401.

        Raises:
            LabelStudioAuthError: The server rejected the personal token.
        """
        if self.kind is TokenKind.LEGACY:
            request.headers["Authorization"] = f"Token {self._token}"
            yield request
            return
        if time.time() >= self._good_until:
            self._take((yield self._exchange()))
        request.headers["Authorization"] = f"Bearer {self._access}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._take((yield self._exchange()))
            request.headers["Authorization"] = f"Bearer {self._access}"
            yield request

    def _exchange(self) -> httpx.Request:
        return httpx.Request("POST", self._refresh_url, json={"refresh": self._token})

    def _take(self, response: httpx.Response) -> None:
        response.read()
        if response.status_code in RETRY_STATUS:
            raise LabelStudioUnreachable(f"The token exchange with Label Studio failed (HTTP {response.status_code}).")
        if response.status_code != httpx.codes.OK:
            raise LabelStudioAuthError(
                f"Label Studio rejected the personal access token (HTTP {response.status_code}).",
                hint="It may be revoked, expired, or from another server. Create a new one on the Account & Settings "
                "page.",
            )
        try:
            self._access = str(response.json()["access"])
        except (ValueError, KeyError, TypeError) as error:
            raise LabelStudioAuthError(
                "The token exchange with Label Studio returned no token.",
                hint="Check that REVIEW_COPILOT_LABEL_STUDIO_URL is the URL of Label Studio.",
            ) from error
        expires = _claims(self._access).get("exp")
        self._good_until = (float(expires) if isinstance(expires, int | float) else time.time()) - EXPIRES_EARLY_S


class Transport:
    """Sends requests to one Label Studio. Safe to use from several threads."""

    def __init__(
        self, url: str, token: str, *, sleep: Callable[[float], None] = time.sleep, timeout_s: float = PAGE_TIMEOUT_S
    ) -> None:
        """Configure the transport; the first request opens a connection.

        Args:
            url: Base URL, including a subpath if Label Studio has one.
            token: Personal access token or legacy token.
            sleep: Called to wait between attempts.
            timeout_s: Seconds for one attempt: connecting, a token exchange, headers and body.

        Raises:
            SettingsError: The URL is invalid.
            LabelStudioAuthError: There is no usable token.
        """
        self.url = normalise_url(url)
        self._auth = LabelStudioAuth(self.url, token)
        self._token = token
        self._sleep = sleep
        self._timeout_s = timeout_s
        self._client = limited_client(auth=self._auth, proxy_for=self.url)

    @property
    def kind(self) -> TokenKind:
        """The type of token in use."""
        return self._auth.kind

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, *, params: Query | None = None) -> Any:
        """GET a path below the base URL; retry if the server is busy or unreachable.

        Raises:
            LabelStudioError: It was refused.
        """
        for attempt in range(1, ATTEMPTS):
            pause_s = min(0.5 * 2 ** (attempt - 1), LONGEST_PAUSE_S)
            try:
                response = self._send("GET", path, params=params)
            except LabelStudioUnreachable:
                self._sleep(pause_s)
                continue
            if response.status_code not in RETRY_STATUS:
                return self._read(response)
            self._sleep(_retry_after_s(response) or pause_s)
        return self._read(self._send("GET", path, params=params))

    def now(self) -> datetime | None:
        """The server's time, to the second, from the Date header of its responses; None if there is no such header.

        Raises:
            LabelStudioUnreachable: The server does not respond.
        """
        try:
            return parsedate_to_datetime(self._send("GET", "/health").headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return None

    def send(self, method: str, path: str, *, body: object = None, files: Files | None = None) -> Any:
        """Send a request that changes something, without retries.

        Raises:
            LabelStudioError: It was refused.
        """
        return self._read(self._send(method, path, body=body, files=files))

    def _send(
        self, method: str, path: str, *, params: Query | None = None, body: object = None, files: Files | None = None
    ) -> httpx.Response:
        try:
            with call_limits(until=time.monotonic() + self._timeout_s):
                return self._client.request(method, f"{self.url}{path}", params=params, json=body, files=files)
        except httpx.TimeoutException as error:
            raise LabelStudioUnreachable(f"Label Studio at {self.url} did not respond in time.") from error
        except httpx.TransportError as error:
            raise LabelStudioUnreachable(
                f"Cannot reach Label Studio at {self.url}.",
                hint="Check that it is running and that this machine or container can reach the URL.",
            ) from error

    def _read(self, response: httpx.Response) -> Any:
        if response.is_redirect:
            raise LabelStudioError(
                f"Label Studio at {self.url} redirects to {_origin(response)}.",
                hint="Set REVIEW_COPILOT_LABEL_STUDIO_URL to the address that it redirects to, and check that no "
                "sign-in page "
                "protects the API.",
            )
        if response.is_error:
            raise refusal(response, secret=self._token)
        if not response.content:
            return None
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            raise LabelStudioError(
                f"The server at {self.url} did not respond like Label Studio's API.",
                hint="Check the URL, including a subpath if Label Studio has one.",
            ) from error


def refusal(response: httpx.Response, *, secret: str) -> LabelStudioError:
    """The error for a response with a status of 400 or above.

    Args:
        response: A response that was read completely.
        secret: Text that is removed from the server's message.
    """
    said = _detail(response).replace(secret, "***") if secret else _detail(response)
    status = response.status_code
    if "reserved network address" in said:
        return LabelStudioRefusesAddress(
            f"Label Studio refuses to call a private or loopback address: {said}.", hint=PRIVATE_ADDRESS_HINT
        )
    if status == httpx.codes.UNAUTHORIZED:
        return _unauthorized(said)
    if status == httpx.codes.FORBIDDEN:
        return LabelStudioAuthError(f"Label Studio denied permission: {said}.")
    if status == httpx.codes.NOT_FOUND:
        return LabelStudioNotFound(f"Label Studio did not find {response.request.url.path}: {said}.")
    if status in RETRY_STATUS:
        return LabelStudioUnreachable(f"Label Studio is busy or restarting (HTTP {status}).")
    failed = status >= httpx.codes.INTERNAL_SERVER_ERROR
    rejected = LabelStudioRejected if status == httpx.codes.BAD_REQUEST else LabelStudioError
    kind, verb = (LabelStudioFailed, "failed on") if failed else (rejected, "rejected")
    return kind(f"Label Studio {verb} the request to {response.request.url.path} (HTTP {status}): {said}.")


def _unauthorized(said: str) -> LabelStudioAuthError:
    """The error for a token that the server does not accept."""
    if "legacy token" in said:
        return LabelStudioAuthError(
            "The token is a legacy token, and legacy tokens are disabled in this Label Studio.",
            hint="Create a personal access token on the Account & Settings page and use it, or enable legacy "
            "tokens under Organization > API Tokens Settings.",
        )
    return LabelStudioAuthError(
        "Label Studio rejected the token.",
        hint="Copy it again from Account & Settings, and check that it belongs to this server.",
    )


def _detail(response: httpx.Response) -> str:
    """The server's message on one line, without HTML."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return "no reason given"
    if not isinstance(body, dict):
        return str(body)[:300]
    wrong = body.get("validation_errors")
    said = "; ".join(_flat(wrong)) if wrong else str(body.get("detail") or "no reason given")
    return re.sub(r"<[^>]+>", "", said)[:600].rstrip(". ")


def _flat(value: object) -> list[str]:
    """Texts of nested lists and objects, each with its key."""
    if isinstance(value, dict):
        return [
            text if name == "non_field_errors" else f"{name}: {text}" for name, v in value.items() for text in _flat(v)
        ]
    if isinstance(value, list):
        return [text for item in value for text in _flat(item)]
    return [str(value)]


def _claims(token: str) -> Mapping[str, object]:
    """The claims of a JWT, unverified; empty if the text is not a JWT."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, IndexError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _retry_after_s(response: httpx.Response) -> float:
    """Seconds that the server asks to wait, at most `LONGEST_PAUSE_S`; 0 if it does not ask."""
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_PAUSE_S) if asked.isdigit() else 0.0


def _origin(response: httpx.Response) -> str:
    target = urlsplit(response.headers.get("Location", ""))
    return f"{target.scheme}://{target.netloc}" if target.netloc else target.path
