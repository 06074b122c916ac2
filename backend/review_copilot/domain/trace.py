"""The id that follows one request from Label Studio to the model. Knows neither."""

from __future__ import annotations

from contextvars import ContextVar

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that this thread works for; empty outside of any."""
