"""A gunicorn worker that reads whole requests before a thread gets them. Knows no route.

gunicorn's own threaded worker reads a request in the thread that answers it, so that as many half-open connections as
there are threads block everything. Here, one loop of waitress reads all connections and passes complete requests to
threads (https://docs.pylonsproject.org/projects/waitress/). gunicorn still supervises the process and restarts it.
"""

from __future__ import annotations

import logging
import os
import resource
import socket
import time
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from review_copilot.web.request_guard import MAX_BODY_BYTES

HEADER_TIMEOUT_S = 10.0
"""Seconds from a request's first byte, or from the connection, until its headers are complete."""

BODY_TIMEOUT_S = 120.0
"""Seconds until a request is complete: 256 MiB at 2 MB per second."""

IDLE_TIMEOUT_S = 60.0
"""Seconds for which an idle connection stays open between two requests."""

BUFFERED_BYTES = 1024**3
"""Maximum size of all requests that are being received. The connection that exceeds it is closed."""

MAX_CONNECTIONS = 4000
RESERVED_FILES = 200
"""Files that are not connections: database, images, libraries. The limit of the process leaves these free."""

SPILL_BYTES = 1024**2
"""Size in bytes from which a body waits in a temporary file instead of in memory."""


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress ships no types
    """One connection, with the time at which its current request began."""

    begun_at: float | None = None
    request_bytes = 0

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.begun_at, self.request_bytes = time.monotonic(), 0
        self.request_bytes += len(data)
        if self.request_bytes > SPILL_BYTES:
            total = sum(channel.request_bytes for channel in self.server.active_channels.values())
            if total > BUFFERED_BYTES:
                self.server.logger.warning("closed a connection: requests of %d bytes are being received", total)
                self.will_close = True
                return False
        taken: bool = super().received(data)
        if self.request is None:
            self.begun_at = None
        return taken

    def expired(self, now: float) -> bool:
        """Whether the connection should be closed, because its request does not become complete."""
        if self.requests or self.begun_at is None:
            return False
        headers = self.request is not None and self.request.headers_finished
        return now - self.begun_at > (BODY_TIMEOUT_S if headers else HEADER_TIMEOUT_S)


class _Server(TcpWSGIServer):  # type: ignore[misc]  # waitress ships no types
    """Waitress on a socket that gunicorn opened."""

    channel_class = _Channel

    def maintenance(self, now: float) -> None:
        """Close connections that are idle or do not complete a request."""
        super().maintenance(now)
        monotonic = time.monotonic()
        for channel in self.active_channels.values():
            if channel.expired(monotonic):
                channel.will_close = True

    def handle_accept(self) -> None:
        """Accept waiting connections, at most as many as fit: a turn of the loop costs more than a connection."""
        for _ in range(64):
            before = len(self._map)
            super().handle_accept()
            if len(self._map) == before or len(self._map) >= self.adj.connection_limit:
                return

    @property
    def busy(self) -> bool:
        """Whether a request is being answered or an answer is being sent."""
        return any(channel.requests or channel.total_outbufs_len for channel in self.active_channels.values())


class BufferingWorker(Worker):  # type: ignore[misc]  # gunicorn ships no types
    """Runs the application on `threads` threads of waitress."""

    def run(self) -> None:
        """Answer requests until gunicorn stops this process. Requests in progress get `graceful_timeout` seconds."""
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of each request that waits for a thread
        connections: dict[int, Any] = {}
        servers = [self._server(listener.sock, connections) for listener in self.sockets]
        notified = 0.0
        while self.alive and self.ppid == os.getppid():
            if time.monotonic() - notified > 1:
                self.notify()
                notified = time.monotonic()
            wasyncore.loop(timeout=1.0, use_poll=True, map=connections, count=1)
        for server in servers:
            wasyncore.dispatcher.close(server)  # the listening socket only
        ends_at = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < ends_at and any(server.busy for server in servers):
            self.notify()
            wasyncore.loop(timeout=0.1, use_poll=True, map=connections, count=1)

    def _server(self, listening: socket.socket, connections: dict[int, Any]) -> _Server:
        adjustments = Adjustments(
            threads=self.cfg.threads,
            sockets=[listening],
            connection_limit=_connection_limit(),
            cleanup_interval=1,
            channel_timeout=IDLE_TIMEOUT_S,
            max_request_body_size=MAX_BODY_BYTES,
            inbuf_overflow=SPILL_BYTES,
            channel_request_lookahead=1,  # reads on during a request, and so notices that the client disconnected
            clear_untrusted_proxy_headers=False,  # `TrustedProxies` decides
            ident=None,
            log_socket_errors=False,  # a traceback for each client that disconnects
        )
        return _Server(
            self.wsgi,
            map=connections,
            _sock=listening,
            adj=adjustments,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
            bind_socket=False,
        )


def _connection_limit() -> int:
    """How many connections fit into the process's limit of open files, which is raised as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(min(MAX_CONNECTIONS, soft - RESERVED_FILES), 50)
