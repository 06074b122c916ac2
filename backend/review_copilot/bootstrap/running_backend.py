"""Ask the running backend for its state, and say exactly what is wrong if it does not answer. Starts nothing."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import requests

from review_copilot.errors import SettingsError
from review_copilot.labelstudio.connect import Backend
from review_copilot.labelstudio.payloads import SECRET_HEADER

ASK_TIMEOUT_S = 10.0
CHECK_ACTION = "REVIEW_COPILOT_CHECK"
"""Name of a webhook event that Label Studio never sends, so that the backend ignores it."""


class Reach(StrEnum):
    """How far a request to the backend came."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """Nothing listens there, or the address cannot be reached."""
    SILENT = "silent"
    """It accepted the connection and did not respond in time."""
    UNAUTHORIZED = "unauthorized"
    """It rejected the username or the password."""
    FOREIGN = "foreign"
    """Something else than Review Copilot answered."""
    FAILED = "failed"
    """It answered with a server error."""


@dataclass(frozen=True, slots=True)
class BackendAnswer:
    """The backend's answer to one request.

    Attributes:
        reach: How far the request came.
        fields: The answer's JSON object; empty unless it answered.
        public: What is wrong, in one sentence; empty if it answered.
        hint: How to fix it; empty if it answered.
        elapsed_s: Seconds until the answer.
    """

    reach: Reach
    fields: Mapping[str, Any] = field(default_factory=dict)
    public: str = ""
    hint: str = ""
    elapsed_s: float = 0.0

    @property
    def required(self) -> Mapping[str, Any]:
        """The answer's fields.

        Raises:
            SettingsError: The backend did not answer.
        """
        if self.reach is not Reach.ANSWERED:
            raise SettingsError(self.public, hint=self.hint)
        return self.fields


def ask_status(backend: Backend, *, timeout_s: float = ASK_TIMEOUT_S) -> BackendAnswer:
    """The backend's `/status`, with the username and the password of the settings."""
    return _asked(
        backend,
        "GET",
        "/status",
        timeout_s=timeout_s,
        auth=(backend.username, backend.password),
        wants="version",
        secret="password",  # noqa: S106  # a word for a message
    )


def ask_webhook(backend: Backend, *, headers: Mapping[str, str], timeout_s: float = ASK_TIMEOUT_S) -> BackendAnswer:
    """Send a webhook that the backend ignores, with the headers that Label Studio would send."""
    return _asked(
        backend,
        "POST",
        "/webhook",
        timeout_s=timeout_s,
        headers=headers,
        json={"action": CHECK_ACTION},
        wants="status",
        secret="webhook secret",  # noqa: S106  # a word for a message
    )


def secret_headers(backend: Backend) -> dict[str, str]:
    """Headers that the backend accepts from a webhook, by the settings: the secret, or the username and the password.

    Only Label Studio has the random secrets of projects.
    """
    if backend.webhook_secret:
        return {SECRET_HEADER: backend.webhook_secret}
    credentials = base64.b64encode(f"{backend.username}:{backend.password}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"} if backend.password else {}


def require_same_secrets(backend: Backend) -> None:
    """Check that a running backend has the password and the webhook secret of the settings.

    A backend that cannot be reached from here is not checked: only Label Studio has to reach it.

    Raises:
        SettingsError: The running backend rejects the password or the secret.
    """
    for answer in (ask_status(backend), ask_webhook(backend, headers=secret_headers(backend))):
        if answer.reach is Reach.UNAUTHORIZED:
            raise SettingsError(f"{answer.public} Nothing was changed.", hint=answer.hint)


def _asked(
    backend: Backend, method: str, path: str, *, timeout_s: float, wants: str, secret: str, **sent: Any
) -> BackendAnswer:
    began = time.monotonic()
    where = f"The backend at {backend.url}"
    try:
        answer = requests.request(method, f"{backend.url}{path}", timeout=timeout_s, allow_redirects=False, **sent)
    except requests.ReadTimeout:
        return BackendAnswer(
            Reach.SILENT,
            public=f"{where} did not respond within {timeout_s:g} s.",
            hint="Look at its log, and restart it: review-copilot serve",
        )
    except requests.RequestException:
        return BackendAnswer(
            Reach.REFUSED,
            public=f"{where} cannot be reached: nothing listens there.",
            hint="Start it: review-copilot serve. If it is running, set REVIEW_COPILOT_PUBLIC_URL to its address.",
        )
    elapsed_s = time.monotonic() - began
    if answer.status_code == requests.codes.unauthorized:
        return BackendAnswer(
            Reach.UNAUTHORIZED,
            public=f"{where} rejects the {secret} in your settings: it was started with another one.",
            hint=f"Set REVIEW_COPILOT_USERNAME and REVIEW_COPILOT_{secret.upper().replace(' ', '_')} to the values "
            "that the backend was started with, or restart it with yours.",
            elapsed_s=elapsed_s,
        )
    fields = _object(answer)
    if answer.status_code >= requests.codes.server_error and "error" in fields:
        return BackendAnswer(
            Reach.FAILED,
            public=f"{where} failed (HTTP {answer.status_code}): {fields['error']}",
            hint="Look at its log.",
            elapsed_s=elapsed_s,
        )
    if not answer.ok or wants not in fields:
        return BackendAnswer(
            Reach.FOREIGN,
            public=f"{where} is not Review Copilot: something else answered (HTTP {answer.status_code}).",
            hint="Set REVIEW_COPILOT_PUBLIC_URL to the backend's address, or REVIEW_COPILOT_PORT to a free port.",
            elapsed_s=elapsed_s,
        )
    return BackendAnswer(Reach.ANSWERED, fields=fields, elapsed_s=elapsed_s)


def _object(answer: requests.Response) -> Mapping[str, Any]:
    """The JSON object in a response; empty if it is none."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
