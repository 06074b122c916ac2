"""Create random webhook secrets for projects, and recognize them by their hashes. Knows no HTTP."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from review_copilot.ports import WebhookSecretStore

SECRET_BYTES = 32
"""Random bytes in a secret. A plain SHA-256 of so many cannot be reversed by guessing, unlike one of a password."""


def derived_secret(password: str) -> str:
    """The secret that earlier releases derived from the password; empty without a password.

    Label Studio shows it to every member of its organization, who can use it to guess the password offline.
    """
    return hmac.new(password.encode(), b"review-copilot webhook", hashlib.sha256).hexdigest() if password else ""


@dataclass(frozen=True)
class ProjectWebhookSecrets:
    """The webhook secrets of one Label Studio's projects. Only their hashes are stored.

    Attributes:
        store: The hashes.
        instance: Name of the Label Studio in the log.
        derived: The secret of earlier releases. A project's webhook may use it until the project has one of its own.
    """

    store: WebhookSecretStore
    instance: str
    derived: str = field(default="", repr=False)

    def create(self, project_id: int) -> str:
        """A new secret, accepted from now on, together with those that the project's webhooks already use."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        self.store.add_webhook_secret(self.instance, project_id, _hash(secret))
        return secret

    def is_current(self, project_id: int, secret: str) -> bool:
        """Whether this is a random secret of the project."""
        return not self.is_derived(secret) and self._is_stored(project_id, secret)

    def keep(self, project_id: int, used: Iterable[str]) -> None:
        """Forget all secrets of the project, except those that its webhooks use.

        Args:
            project_id: The project.
            used: Secrets in its webhooks' headers. Unknown ones, such as those of other software, are not accepted.
        """
        known = {_hash(secret) for secret in used if self.is_derived(secret) or self._is_stored(project_id, secret)}
        self.store.keep_webhook_secrets(self.instance, project_id, known)

    def projects_of(self, secret: str) -> frozenset[int]:
        """The projects whose webhooks may send this secret; empty if it is unknown or only derived."""
        return self.store.webhook_secret_projects(self.instance, _hash(secret))

    def accepts_derived(self, secret: str, project_id: int) -> bool:
        """Whether this is the secret of earlier releases, and the project's webhook may still use it."""
        return self.is_derived(secret) and not self.store.has_webhook_secret(self.instance, project_id)

    def is_derived(self, secret: str) -> bool:
        """Whether this is the secret of earlier releases."""
        sent = secret.encode("utf-8", "surrogatepass")
        return bool(self.derived) and hmac.compare_digest(sent, self.derived.encode())

    def _is_stored(self, project_id: int, secret: str) -> bool:
        return bool(secret) and project_id in self.store.webhook_secret_projects(self.instance, _hash(secret))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
