"""What follows one piece of work from Label Studio's request to the model's: its id, and who waits. Knows neither."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that this thread works for; empty outside of any."""


@dataclass(frozen=True, slots=True)
class RequestState:
    """Who waits for a piece of work; asked just before a model is.

    Attributes:
        wanted: Whether anybody does.
        urgent: Whether it is a person with the Magic tool in hand.
        prepared: To be called when the work waits for a model from now on, and leaves the cores to others.
    """

    wanted: Callable[[], bool] = lambda: True
    urgent: Callable[[], bool] = lambda: False
    prepared: Callable[[], None] = lambda: None


REQUEST_STATE: ContextVar[RequestState] = ContextVar("waiting", default=RequestState())  # noqa: B039  # it is frozen
"""Who waits for what this thread does."""
