"""Recognize who sent a webhook by its secret. Knows no Flask and no body."""

from __future__ import annotations

import hmac
import threading
import time
from dataclasses import dataclass, field

from review_copilot.flows.webhook_secrets import ProjectWebhookSecrets

FRESH_S = 5.0
"""Seconds for which a known secret is not looked up again. A replaced secret is accepted for so long."""

MOST_KNOWN = 10_000
"""Maximum secrets in memory. Only accepted ones are kept there."""


@dataclass(frozen=True)
class WebhookSender:
    """Who sent a webhook.

    Attributes:
        projects: Ids of the projects that it may report about; None for all.
        derived: The secret of earlier releases, if the webhook sent that; otherwise empty.
    """

    projects: frozenset[int] | None = None
    derived: str = field(default="", repr=False)


@dataclass
class WebhookSenders:
    """Checks the secrets of webhooks. Safe for several threads.

    Attributes:
        fixed: Secret from the settings, for all projects; empty for none.
        secrets: Random secrets of single projects; None without a database.
    """

    fixed: str = field(default="", repr=False)
    secrets: ProjectWebhookSecrets | None = None
    _known: dict[str, tuple[frozenset[int], float]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, secret: str) -> WebhookSender | None:
        """Who sends this secret; None if nobody may.

        Raises:
            StoreError: The secrets cannot be read.
        """
        if not secret:
            return None
        if self.fixed and hmac.compare_digest(secret.encode(), self.fixed.encode()):
            return WebhookSender()
        if self.secrets is None:
            return None
        if projects := self._projects(secret):
            return WebhookSender(projects)
        return WebhookSender(derived=secret) if self.secrets.is_derived(secret) and not self.fixed else None

    def may_report(self, sender: WebhookSender, project_id: int) -> bool:
        """Whether the sender may report about this project."""
        if sender.derived:
            return self.secrets is not None and self.secrets.accepts_derived(sender.derived, project_id)
        return sender.projects is None or project_id in sender.projects

    def _projects(self, secret: str) -> frozenset[int]:
        assert self.secrets is not None  # noqa: S101  # checked by the only caller
        now = time.monotonic()
        with self._lock:
            projects, at = self._known.get(secret, (frozenset[int](), 0.0))
        if projects and now - at < FRESH_S:
            return projects
        found = self.secrets.projects_of(secret)
        with self._lock:
            self._known.pop(secret, None)
            if found and len(self._known) < MOST_KNOWN:
                self._known[secret] = (found, now)
        return found
