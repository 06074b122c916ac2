"""Authenticate requests with basic auth or the webhook's secret header. Knows no user accounts."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from review_copilot.errors import SettingsError
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.settings import Settings


@dataclass(frozen=True)
class Authenticator:
    """Checks requests.

    Attributes:
        username: Basic-auth username.
        password: Basic-auth password; empty allows every request (loopback only).
        webhook_secret: Required value of the secret header; empty allows only basic auth.
    """

    username: str
    password: str
    webhook_secret: str

    @classmethod
    def from_settings(cls, settings: Settings, *, webhook_secret: str) -> Authenticator:
        """Create the authenticator from the settings.

        Raises:
            SettingsError: There is no password, and the settings do not allow that or the address is not loopback.
        """
        password = settings.password.get_secret_value()
        if not password:
            if not settings.allow_anonymous:
                raise SettingsError(
                    "The backend has no password.",
                    hint="Set REVIEW_COPILOT_PASSWORD, or REVIEW_COPILOT_ALLOW_ANONYMOUS=true on a loopback address.",
                )
            if not _is_loopback(settings.host):
                raise SettingsError(
                    f"Without a password, the backend runs on a loopback address only, not on {settings.host}.",
                    hint="Set REVIEW_COPILOT_PASSWORD, or REVIEW_COPILOT_HOST=127.0.0.1.",
                )
        return cls(username=settings.username, password=password, webhook_secret=webhook_secret)

    def check_basic(self) -> None:
        """Accept a request with the right username and password.

        Raises:
            Unauthorized: The username or password is missing or wrong.
        """
        if not self._basic_fits():
            raise Unauthorized(
                "The backend's username or password is missing or wrong.",
                www_authenticate=WWWAuthenticate("basic", {"realm": "review-copilot"}),
            )

    def check_webhook(self) -> None:
        """Accept a request with the secret header, or with the right username and password.

        Raises:
            Unauthorized: The request has neither.
        """
        sent = request.headers.get(SECRET_HEADER, "")
        if self.webhook_secret and hmac.compare_digest(sent.encode(), self.webhook_secret.encode()):
            return
        if not self._basic_fits():
            raise Unauthorized(f"The webhook's {SECRET_HEADER} header is missing or wrong.")

    def _basic_fits(self) -> bool:
        if not self.password:
            return True
        sent = request.authorization
        name = (sent.username if sent else None) or ""
        password = (sent.password if sent else None) or ""
        fits = hmac.compare_digest(name.encode(), self.username.encode())
        return hmac.compare_digest(password.encode(), self.password.encode()) and fits


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
