"""Whether the caller of a request still listens. Knows one socket, and no request's meaning."""

from __future__ import annotations

import socket
from collections.abc import Callable

from flask import Request


def disconnected(request: Request) -> Callable[[], bool]:
    """A question that may be asked again and again, also from another thread: has the caller closed the connection?

    Only gunicorn hands its socket on; under any other server the answer is always no.
    """
    connection = request.environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        return lambda: False

    def gone() -> bool:
        try:
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    return gone
