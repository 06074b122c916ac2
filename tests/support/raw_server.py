"""A server on loopback that sends whatever bytes a test says, as slowly as it says. Knows nothing of the product."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Talk = Callable[[socket.socket, threading.Event], None]
"""What is done with a connection; the event is set when the test is over."""


@dataclass
class RawServer:
    """A running server.

    Attributes:
        port: Where it listens on 127.0.0.1.
        heard: The first bytes of each connection so far.
    """

    port: int
    heard: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def raw_server(talk: Talk, *, reads_first: bool = True) -> Iterator[RawServer]:
    """A server that does `talk` with each connection, in a thread of its own.

    Args:
        talk: What it does.
        reads_first: Whether a request is read before; False for talk below HTTP.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = RawServer(listener.getsockname()[1])
    over = threading.Event()
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if reads_first:
                server.heard.append(connection.recv(65536))
            talk(connection, over)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in connections:
            connection.close()


def dripping(first: bytes, rest: bytes, *, every_s: float) -> Talk:
    """Send `first` at once and then one byte of `rest` after the other, over and over."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(first)
        place = 0
        while not over.wait(every_s):
            connection.sendall(rest[place : place + 1])
            place = (place + 1) % len(rest)

    return talk


def sending(answer: bytes) -> Talk:
    """Send an answer and close."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(answer)

    return talk


def silent(connection: socket.socket, over: threading.Event) -> None:
    """Keep the connection open and say nothing."""
    over.wait()
