"""Connections that obey `deadline.CallLimits` in every wait: name lookup, connect, TLS, each read and each write."""

from __future__ import annotations

import ssl
from collections.abc import Iterable

import httpcore
from httpcore import NetworkBackend, NetworkStream

from review_copilot.outbound.addresses import addresses_to_call
from review_copilot.outbound.deadline import current_limits

_WRITE_BYTES = 16 * 1024


class LimitedBackend(NetworkBackend):
    """Opens connections to the very addresses that were checked, so no second name lookup can lead elsewhere."""

    def __init__(self) -> None:
        """Open no connection yet."""
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        """Connect to the first address of the host that answers.

        Raises:
            httpcore.ConnectTimeout: None answered in time.
            httpcore.ConnectError: None lets us in.
            HostUnknown: The name has no address.
            AddressForbidden: Only public addresses may be called, and it has another one.
        """
        limits = current_limits()
        try:
            found = addresses_to_call(host, port, public_only=limits.public_only, left_s=_left_s(timeout))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        failure: Exception = httpcore.ConnectError()
        for place, address in enumerate(found):
            share_s = _left_s(timeout) / (len(found) - place)
            if share_s <= 0:
                raise httpcore.ConnectTimeout
            try:
                stream = self._sockets.connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return LimitedStream(stream)
        raise failure


class LimitedStream(NetworkStream):
    """A connection on which no wait lasts longer than the deadline."""

    def __init__(self, stream: NetworkStream) -> None:
        """Wrap a stream of httpcore's own."""
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to `max_bytes` bytes, as soon as there are any.

        Raises:
            httpcore.ReadTimeout: The time is over.
        """
        left_s = _left_s(timeout)
        if left_s <= 0:
            raise httpcore.ReadTimeout
        return self._stream.read(max_bytes, left_s)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything.

        Raises:
            httpcore.WriteTimeout: The time is over.
        """
        # httpcore sends piece by piece and restarts its time limit with each, so it gets one small piece at a time.
        for start in range(0, len(buffer), _WRITE_BYTES):
            left_s = _left_s(timeout)
            if left_s <= 0:
                raise httpcore.WriteTimeout
            self._stream.write(buffer[start : start + _WRITE_BYTES], left_s)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        """The same connection, encrypted. Python's handshake holds one limit over all of its messages.

        Raises:
            httpcore.ConnectTimeout: The handshake did not end in time.
        """
        left_s = _left_s(timeout)
        if left_s <= 0:
            raise httpcore.ConnectTimeout
        return LimitedStream(self._stream.start_tls(ssl_context, server_hostname, left_s))

    def get_extra_info(self, info: str) -> object:
        """What httpcore asks of a stream: its socket, whether it can be read."""
        return self._stream.get_extra_info(info)


def _left_s(timeout_s: float | None) -> float:
    left_s = current_limits().left_s
    return left_s if timeout_s is None else min(left_s, timeout_s)
