"""The HTTP side: the ML-backend protocol, webhooks, health. The only place that knows Flask."""

from review_copilot.web.app import create_app

__all__ = ["create_app"]
