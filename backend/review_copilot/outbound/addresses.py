"""From a host's name to the addresses that may be called. Knows names and addresses, and no request."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future

import httpx

MOST_LOOKUPS = 32
"""Name lookups at once. The system's resolver cannot be interrupted, so one that hangs keeps its thread for a while."""

MOST_ADDRESSES = 4
"""Addresses of one host that are tried."""

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 that is given out for public use (RFC 4291). Python 3.11 calls more of it global."""

_TRANSLATION = ipaddress.ip_network("64:ff9b::/96")

_SPECIAL = tuple(ipaddress.ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20"))
"""Reserved networks (RFC 6890, RFC 7526, RFC 9637) that Python 3.11 calls global."""

_lookups = threading.BoundedSemaphore(MOST_LOOKUPS)


class HostUnknown(httpx.ConnectError):
    """The name has no address."""


class AddressForbidden(httpx.ConnectError):
    """The host has an address that is not public, and only public ones may be called."""


def is_public(address: str) -> bool:
    """Whether an IP address is reachable by everyone; addresses that wrap an IPv4 address count as that one."""
    try:
        found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        wrapped = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        found = wrapped or _translated(found) or found
    if isinstance(found, ipaddress.IPv6Address) and found not in _GLOBAL_UNICAST:
        return False
    special = any(found in network for network in _SPECIAL if network.version == found.version)
    return found.is_global and not found.is_multicast and not special


def addresses_to_call(host: str, port: int, *, public_only: bool, left_s: float) -> Sequence[str]:
    """The addresses of a host, in the resolver's order, at most `MOST_ADDRESSES`.

    Args:
        host: A name or an address.
        port: The port, for the resolver.
        public_only: Refuse a host that has any other address.
        left_s: Most seconds to wait for the resolver.

    Raises:
        HostUnknown: It has none.
        AddressForbidden: It has one that is not public.
        TimeoutError: The resolver did not answer in time.
    """
    try:
        found = list(dict.fromkeys(_look_up(host, port, left_s=left_s)))
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        raise HostUnknown(f"The host {host} is not known.") from error
    if public_only and not all(is_public(address) for address in found):
        raise AddressForbidden(f"The host {host} has a private address.")
    return found[:MOST_ADDRESSES]


def _look_up(host: str, port: int, *, left_s: float) -> Sequence[str]:
    """Ask the system's resolver from a thread of its own, which may be left behind."""
    if not _lookups.acquire(timeout=max(0.0, left_s)):
        raise TimeoutError
    answer: Future[list[str]] = Future()

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.set_result([str(entry[4][0]) for entry in entries])
        except BaseException as error:  # noqa: BLE001  # raised in the thread that waits
            answer.set_exception(error)
        finally:
            _lookups.release()

    threading.Thread(target=ask, name="name-lookup", daemon=True).start()
    return answer.result(timeout=max(0.0, left_s))


def _translated(found: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address behind a translation prefix (RFC 6052); None for other addresses."""
    return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in _TRANSLATION else None
