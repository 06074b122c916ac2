"""Authenticate requests: basic auth, a user of a trusted proxy, or a webhook's secret. Knows no user accounts."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import math
from dataclasses import dataclass, field

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests, Unauthorized

from review_copilot.errors import SettingsError
from review_copilot.flows.webhook_secrets import ProjectWebhookSecrets
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.settings import Settings
from review_copilot.web.proxies import TrustedProxies
from review_copilot.web.sign_in_throttle import WINDOW_S, SignInThrottle
from review_copilot.web.webhook_senders import WebhookSender, WebhookSenders

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Authenticator:
    """Checks requests.

    Attributes:
        username: Basic-auth username.
        password: Basic-auth password; empty allows every request (loopback only).
        senders: Recognizes the secrets of webhooks.
        proxies: Proxies whose headers count.
        throttle: Limits guesses of the password.
        unknown_secrets: Limits log lines about unknown webhook secrets. They block nobody: after a database was lost,
            each project's webhook sends one, and a random secret cannot be guessed.
    """

    username: str
    password: str = field(repr=False)
    senders: WebhookSenders
    proxies: TrustedProxies
    throttle: SignInThrottle = field(default_factory=SignInThrottle)
    unknown_secrets: SignInThrottle = field(default_factory=SignInThrottle)

    @classmethod
    def from_settings(cls, settings: Settings, *, secrets: ProjectWebhookSecrets | None = None) -> Authenticator:
        """Create the authenticator from the settings.

        Args:
            settings: The username, the password, and the proxies.
            secrets: Random webhook secrets of the projects.

        Raises:
            SettingsError: There is no password, and the settings do not allow that or the address is not loopback; or
                the proxies are not valid.
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
        return cls(
            username=settings.username,
            password=password,
            senders=WebhookSenders(settings.webhook_secret.get_secret_value(), secrets),
            proxies=TrustedProxies.from_settings(settings),
        )

    def check_basic(self) -> None:
        """Accept a request with the right username and password, or one that reads for a user of a trusted proxy.

        Raises:
            Unauthorized: The username or password is missing or wrong.
            TooManyRequests: This address, or this account, had too many failed sign-ins.
        """
        if not self.proxies.signed_in(request) and not self._basic_fits():
            raise Unauthorized(
                "The backend's username or password is missing or wrong.",
                www_authenticate=WWWAuthenticate("basic", {"realm": "review-copilot"}),
            )

    def check_webhook(self) -> WebhookSender:
        """Accept a request with a secret header, or with the right username and password. Does not read its body.

        Raises:
            Unauthorized: The request has neither.
            TooManyRequests: This address, or this account, had too many failed sign-ins.
            StoreError: The secrets cannot be read.
        """
        secret = request.headers.get(SECRET_HEADER, "")
        if sender := self.senders.find(secret):
            return sender
        if not self._basic_fits():
            if secret:
                self._log_failure(self.unknown_secrets, secret, "an unknown webhook secret")
            raise Unauthorized(
                f"The webhook's {SECRET_HEADER} header is missing or wrong. To renew it, run review-copilot sync."
            )
        return WebhookSender()

    def checked_project(self, sender: WebhookSender, project_id: int) -> int:
        """The project that a webhook reports about, if its sender may do that.

        Args:
            sender: Who sent the webhook.
            project_id: The project in its body; 0 if it names none, as for deleted tasks: then it is the sender's.

        Raises:
            Unauthorized: The sender's secret belongs to another project, or the project has a newer secret.
        """
        if not project_id:
            (own, *others) = sender.projects or (0,)
            return 0 if others else own
        if not self.senders.may_report(sender, project_id):
            raise Unauthorized(
                f"The webhook's {SECRET_HEADER} header is not the one of project {project_id}. To renew it, run "
                f"review-copilot sync."
            )
        return project_id

    def _basic_fits(self) -> bool:
        """Whether username and password are right. Without credentials in the request, nothing counts as a guess."""
        if not self.password:
            return True
        sent = request.authorization
        if sent is None or sent.type != "basic":
            return False
        name, password = sent.username or "", sent.password or ""
        address = self.proxies.client_address(request)
        if wait_s := self.throttle.wait_s(address, self.username):
            raise TooManyRequests(
                "There were too many failed sign-ins. Wait, then try again.", retry_after=math.ceil(wait_s)
            )
        fits = hmac.compare_digest(_bytes(name), _bytes(self.username))
        if hmac.compare_digest(_bytes(password), _bytes(self.password)) and fits:
            self.throttle.succeeded(address)
            return True
        self._log_failure(self.throttle, f"{name}\0{password}", "the known username" if fits else "an unknown username")
        return False

    def _log_failure(self, throttle: SignInThrottle, credentials: str, what: str) -> None:
        """Count a failed sign-in, and log each different one once, without what was sent: it may be a password."""
        address = self.proxies.client_address(request)
        if not throttle.failed(address, self.username, credentials):
            return
        path = request.path[:80].encode("unicode_escape").decode()
        log.warning("failed sign-in from %s with %s at %s", address, what, path)
        if throttle is self.throttle and throttle.wait_s(address, self.username):
            log.warning("sign-ins from %s are rejected for up to %.0f s", address, WINDOW_S)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
