"""Context of one request, from Label Studio's request to the model call: its id and its caller. Knows neither."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that this thread works for; empty outside a request."""


@dataclass(frozen=True, slots=True)
class RequestState:
    """The caller of a request; checked just before a model call.

    Attributes:
        wanted: Returns whether anyone waits for the result.
        urgent: Returns whether a reviewer waits for the Magic tool.
        prepared: To be called when the work waits for a model from now on, and leaves the cores to others.
    """

    wanted: Callable[[], bool] = lambda: True
    urgent: Callable[[], bool] = lambda: False
    prepared: Callable[[], None] = lambda: None


REQUEST_STATE: ContextVar[RequestState] = ContextVar("waiting", default=RequestState())  # noqa: B039  # it is frozen
"""The caller that this thread works for."""
