"""One HTTP road to Label Studio: tokens, retries, errors. Knows no route but the one that refreshes tokens.

The SDK's own client is not used for this: it repeats POSTs after a 5xx, which stores predictions twice, and it loses
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
    LabelStudioNotFound,
    LabelStudioRefusesAddress,
    LabelStudioUnreachable,
    SettingsError,
)

Query: TypeAlias = Mapping[str, str | int]
Files: TypeAlias = Sequence[tuple[str, tuple[str, bytes]]]

PRIVATE_ADDRESS_SWITCHES = ("ML_BLOCK_LOCAL_IP=false", "SSRF_PROTECTION_ENABLED=false")
"""Environment lines of Label Studio 1.23.1 and newer that let it call loopback and private addresses."""

PRIVATE_ADDRESS_HINT = (
    "Start Label Studio with these two lines in its environment (the first for the backend, the second for the "
    "webhook) and connect again:\n" + "\n".join(f"    {line}" for line in PRIVATE_ADDRESS_SWITCHES)
)

ATTEMPTS = 4
"""How often a GET is tried."""

RETRY_STATUS = frozenset({429, 502, 503, 504})
LONGEST_PAUSE_S = 30.0
EXPIRES_EARLY_S = 20.0
"""An access token is renewed this long before it ends, so that it does not end on its way."""

PAGE_TIMEOUT_S = 120.0
"""A page of tasks with all fields may take a busy server a minute."""


class TokenKind(StrEnum):
    """What kind of token was given."""

    NONE = "none"
    LEGACY = "legacy"
    PERSONAL = "personal"
    """A refresh JWT; it is exchanged for access tokens of a few minutes."""
    ACCESS = "access"
    """Such an access token itself, which is of no lasting use."""


def token_kind(token: str) -> TokenKind:
    """Tell the kind of a token by its form."""
    if not token:
        return TokenKind.NONE
    if token.count(".") != 2:
        return TokenKind.LEGACY
    return TokenKind.ACCESS if _claims(token).get("token_type") == "access" else TokenKind.PERSONAL


def normalise_url(url: str) -> str:
    """The base URL in one spelling: lower-case host, no default port, no slash at the end; a sub-path stays.

    Raises:
        SettingsError: It is no http(s) URL, or carries a name and password.
    """
    try:
        parts = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise SettingsError(f"{url!r} is no URL.", hint="Give one such as http://localhost:8080.") from error
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise SettingsError(f"{url!r} is no URL.", hint="Give one such as http://localhost:8080.")
    if parts.userinfo:
        raise SettingsError("The URL of Label Studio carries a name and password.", hint="Leave them out.")
    return str(parts.copy_with(query=None, fragment=None)).rstrip("/")


class LabelStudioAuth(httpx.Auth):
    """Signs requests with either kind of token. Two threads at once may renew a token twice, which does no harm."""

    def __init__(self, url: str, token: str) -> None:
        """Keep the token.

        Args:
            url: Normalised base URL.
            token: Personal access token or legacy token.

        Raises:
            LabelStudioAuthError: There is none, or it is a short-lived access token.
        """
        self.kind = token_kind(token)
        if self.kind is TokenKind.NONE:
            raise LabelStudioAuthError(
                "No access token of Label Studio is set.",
                hint="Copy one from Label Studio's Account & Settings page into REVIEW_COPILOT_LABEL_STUDIO_TOKEN.",
            )
        if self.kind is TokenKind.ACCESS:
            raise LabelStudioAuthError(
                "The token is a short-lived access token.", hint="Give the personal access token that it was made from."
            )
        self._refresh_url = f"{url}/api/token/refresh/"
        self._token = token
        self._access = ""
        self._good_until = 0.0

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign a request; with a personal token, exchange it first where needed, and once more after a 401.

        Raises:
            LabelStudioAuthError: The personal token was refused.
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
            raise LabelStudioUnreachable(f"Label Studio answered HTTP {response.status_code} to the token exchange.")
        if response.status_code != httpx.codes.OK:
            raise LabelStudioAuthError(
                f"Label Studio did not exchange the personal access token (HTTP {response.status_code}).",
                hint="It may be revoked, expired, or of another server: make a new one on the Account & Settings page.",
            )
        try:
            self._access = str(response.json()["access"])
        except (ValueError, KeyError, TypeError) as error:
            raise LabelStudioAuthError(
                "The token exchange gave no token.", hint="Is this the URL of Label Studio?"
            ) from error
        expires = _claims(self._access).get("exp")
        self._good_until = (float(expires) if isinstance(expires, int | float) else time.time()) - EXPIRES_EARLY_S


class Transport:
    """Sends requests to one Label Studio. Safe to use from several threads."""

    def __init__(self, url: str, token: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Open no connection yet.

        Args:
            url: Base URL, with a sub-path where Label Studio has one.
            token: Personal access token or legacy token.
            sleep: Waits between attempts.

        Raises:
            SettingsError: The URL is wrong.
            LabelStudioAuthError: There is no usable token.
        """
        self.url = normalise_url(url)
        self._auth = LabelStudioAuth(self.url, token)
        self._token = token
        self._sleep = sleep
        self._client = httpx.Client(auth=self._auth, timeout=httpx.Timeout(PAGE_TIMEOUT_S, connect=10.0))

    @property
    def kind(self) -> TokenKind:
        """Which kind of token is in use."""
        return self._auth.kind

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, *, params: Query | None = None) -> Any:
        """GET a path below the base URL, again when the server is busy or out of reach.

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
        """The server's time, to the second, as the Date header of its answers has it; None when they have none.

        Raises:
            LabelStudioUnreachable: It does not answer.
        """
        try:
            return parsedate_to_datetime(self._send("GET", "/health").headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return None

    def send(self, method: str, path: str, *, body: object = None, files: Files | None = None) -> Any:
        """Send a request that changes something, once.

        Raises:
            LabelStudioError: It was refused.
        """
        return self._read(self._send(method, path, body=body, files=files))

    def _send(
        self, method: str, path: str, *, params: Query | None = None, body: object = None, files: Files | None = None
    ) -> httpx.Response:
        try:
            return self._client.request(method, f"{self.url}{path}", params=params, json=body, files=files)
        except httpx.TimeoutException as error:
            raise LabelStudioUnreachable(f"Label Studio at {self.url} did not answer in time.") from error
        except httpx.TransportError as error:
            raise LabelStudioUnreachable(
                f"Label Studio at {self.url} cannot be reached.",
                hint="Is it running, and is the URL the one that works from this machine or container?",
            ) from error

    def _read(self, response: httpx.Response) -> Any:
        if response.is_redirect:
            raise LabelStudioError(
                f"Label Studio at {self.url} answers with a redirect to {_origin(response)}.",
                hint="Give the address that it redirects to, or sign-in pages keep the API from being reached.",
            )
        if response.is_error:
            raise refusal(response, secret=self._token)
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError as error:
            raise LabelStudioError(
                f"{self.url} answers with something other than Label Studio's API.",
                hint="Is the URL right, including a sub-path?",
            ) from error


def refusal(response: httpx.Response, *, secret: str) -> LabelStudioError:
    """The error that stands for a response of status 400 or above.

    Args:
        response: Read to its end.
        secret: Is cut out of whatever the server says.
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
        return LabelStudioAuthError(f"Label Studio does not permit this: {said}.")
    if status == httpx.codes.NOT_FOUND:
        return LabelStudioNotFound(f"Label Studio has no {response.request.url.path}: {said}.")
    if status in RETRY_STATUS:
        return LabelStudioUnreachable(f"Label Studio is busy or restarting (HTTP {status}).")
    return LabelStudioError(f"Label Studio refused {response.request.url.path} (HTTP {status}): {said}.")


def _unauthorized(said: str) -> LabelStudioAuthError:
    """The error for a token that the server does not accept."""
    if "legacy token" in said:
        return LabelStudioAuthError(
            "Label Studio has legacy tokens switched off, and this is one.",
            hint="Make a personal access token on the Account & Settings page and give that one; or switch legacy "
            "tokens on under Organization > API Tokens Settings.",
        )
    return LabelStudioAuthError(
        "Label Studio does not accept the token.",
        hint="Copy it again from Account & Settings, and check that it belongs to this server.",
    )


def _detail(response: httpx.Response) -> str:
    """What the server said, in a line, without HTML."""
    try:
        body = response.json()
    except ValueError:
        return "no reason given"
    if not isinstance(body, dict):
        return str(body)[:300]
    wrong = body.get("validation_errors")
    said = "; ".join(_flat(wrong)) if wrong else str(body.get("detail") or "no reason given")
    return re.sub(r"<[^>]+>", "", said)[:600].rstrip(". ")


def _flat(value: object) -> list[str]:
    """Texts of nested lists and objects, each with the name it stands under."""
    if isinstance(value, dict):
        return [
            text if name == "non_field_errors" else f"{name}: {text}" for name, v in value.items() for text in _flat(v)
        ]
    if isinstance(value, list):
        return [text for item in value for text in _flat(item)]
    return [str(value)]


def _claims(token: str) -> Mapping[str, object]:
    """What a JWT says of itself, unchecked; empty when it is none."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, IndexError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _retry_after_s(response: httpx.Response) -> float:
    """Seconds that the server asks to wait, at most `LONGEST_PAUSE_S`; 0 when it asks for none."""
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_PAUSE_S) if asked.isdigit() else 0.0


def _origin(response: httpx.Response) -> str:
    target = urlsplit(response.headers.get("Location", ""))
    return f"{target.scheme}://{target.netloc}" if target.netloc else target.path
