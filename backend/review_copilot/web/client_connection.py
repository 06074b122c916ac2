"""Detect whether the caller of a request disconnected. Does not know the meaning of the request."""

from __future__ import annotations

from collections.abc import Callable

from flask import Request


def disconnected(request: Request) -> Callable[[], bool]:
    """A function that tells whether the caller closed the connection. Any thread can call it repeatedly.

    Only waitress can tell, which `BufferingWorker` uses. Under any other server, the function always returns False.
    """
    ask = request.environ.get("waitress.client_disconnected")
    return lambda: bool(ask and ask())
