"""Detect whether the caller of a request disconnected. Knows one socket, and not the meaning of the request."""

from __future__ import annotations

import socket
from collections.abc import Callable

from flask import Request


def disconnected(request: Request) -> Callable[[], bool]:
    """A function that tells whether the caller closed the connection. Any thread can call it repeatedly.

    Only gunicorn provides its socket. Under any other server, the function always returns False.
    """
    connection = request.environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        return lambda: False

    def is_closed() -> bool:
        try:
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    return is_closed
