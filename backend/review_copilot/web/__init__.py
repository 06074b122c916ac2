"""The HTTP server: the ML-backend protocol, webhooks, status, and dashboard. Only this package knows Flask."""

from review_copilot.web.app import create_app

__all__ = ["create_app"]
