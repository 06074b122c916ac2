"""An httpx client whose calls obey `deadline.CallLimits`. Knows no route."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from review_copilot.outbound.network import LimitedBackend

MOST_CONNECTIONS = 100
MOST_KEPT_ALIVE = 20
KEPT_ALIVE_S = 5.0

CONNECT_S = 10.0
"""Most seconds of a call's time for its connection."""

_AS_HTTPX: Mapping[type[Exception], type[httpx.TransportError]] = MappingProxyType({
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.TimeoutException: httpx.TimeoutException,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.NetworkError: httpx.NetworkError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.ProtocolError: httpx.ProtocolError,
})  # fmt: skip
"""httpcore's errors in httpx's words, the narrowest first."""

WIRE_LOGGERS = ("httpx", "httpcore", "httpx2", "httpcore2", "openai", "urllib3")
"""Loggers that write whole URLs at INFO, and headers and bodies at DEBUG: tokens, signatures, images."""


def limited_client(
    *, auth: httpx.Auth | None = None, headers: Mapping[str, str] | None = None, proxy_for: str = ""
) -> httpx.Client:
    """A client whose calls obey the limits of the thread that makes them; safe to use from several threads.

    Args:
        auth: Signs requests.
        headers: Sent with each request.
        proxy_for: URL of the only server that is called, whose proxy the environment may name. Without it no proxy is
            used: behind one, the address that is really called could not be checked.
    """
    silence_wire_loggers()
    transport = _LimitedTransport(proxy=_proxy_from_environment(proxy_for) if proxy_for else "")
    timeout = httpx.Timeout(None, connect=CONNECT_S)
    return httpx.Client(transport=transport, auth=auth, headers=headers, timeout=timeout, trust_env=False)


def silence_wire_loggers() -> None:
    """Keep secrets out of the log: nothing below WARNING comes from libraries that log what goes over the wire."""
    for name in WIRE_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


class _LimitedTransport(httpx.BaseTransport):
    """Hands requests to a pool of connections of `network.LimitedBackend`."""

    def __init__(self, *, proxy: str) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            proxy=_proxy(proxy) if proxy else None,
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_KEPT_ALIVE,
            keepalive_expiry=KEPT_ALIVE_S,
            network_backend=LimitedBackend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)  # noqa: S101  # a client that is not async makes no other
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _httpx_errors():
            got = self._pool.handle_request(sent)
        return httpx.Response(status_code=got.status, headers=got.headers, stream=_Body(got), extensions=got.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """A response's body on its way."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


@contextmanager
def _httpx_errors() -> Iterator[None]:
    try:
        yield
    except tuple(_AS_HTTPX) as error:
        kind = next(theirs for ours, theirs in _AS_HTTPX.items() if isinstance(error, ours))
        raise kind(str(error)) from error


def _proxy_from_environment(url: str) -> str:
    """The proxy that the environment names for a server, such as HTTPS_PROXY; empty for none."""
    parts = httpx.URL(url)
    proxies = getproxies()
    if proxy_bypass(parts.host):
        return ""
    return proxies.get(parts.scheme) or proxies.get("all", "")


def _proxy(url: str) -> httpcore.Proxy:
    parts = httpx.URL(url if "://" in url else f"http://{url}")
    auth = (parts.username, parts.password) if parts.username else None
    return httpcore.Proxy(str(parts.copy_with(username=None, password=None)), auth=auth)
