"""The backend, as Label Studio reaches it. Knows no REST route."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The backend, as Label Studio reaches it.

    Attributes:
        url: Its base URL.
        username: Basic-auth username.
        password: Basic-auth password; empty if the backend runs without one.
        webhook_secret: Secret that the webhook sends in `SECRET_HEADER`; empty for none.
    """

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)

    @property
    def webhook_url(self) -> str:
        """The URL for which Label Studio itself would create a webhook for this backend."""
        return f"{self.url.rstrip('/')}/webhook"
