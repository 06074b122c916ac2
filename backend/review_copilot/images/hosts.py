"""Which hosts images may come from. Knows names and addresses, and no request."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from enum import Enum

from review_copilot.errors import ImageForbidden, ImageUnreachable


class Trust(Enum):
    """How much a host is trusted."""

    NAMED = "named"
    """Named in the settings: private addresses are allowed."""
    ANY = "any"
    """Allowed by "*", or by a link that Label Studio signed: public addresses only."""
    NONE = "none"


def trust_in(host: str, allowed_hosts: Sequence[str]) -> Trust:
    """How much the settings trust a host.

    Args:
        host: A name or address, without a port.
        allowed_hosts: "images.example.org" (that one), "*.example.org" (everything below it), "*" (any public one).
    """
    name = host.lower().rstrip(".")
    patterns = [pattern.lower().strip() for pattern in allowed_hosts]
    if any(name == p or (p.startswith("*.") and name.endswith(p[1:])) for p in patterns):
        return Trust.NAMED
    return Trust.ANY if "*" in patterns else Trust.NONE


def is_public(address: str) -> bool:
    """Whether an IP address is public; an address that contains an IPv4 address counts as that one."""
    try:
        found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        wrapped = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        found = wrapped or found
    return found.is_global and not found.is_multicast


def require_public(host: str, port: int) -> None:
    """Check that a host has only public addresses.

    Raises:
        ImageForbidden: It has a private or loopback one.
        ImageUnreachable: It has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ImageUnreachable(f"The host {host} has no address.") from error
    if not all(is_public(str(entry[4][0])) for entry in found):
        raise private_address(host)


def private_address(host: str) -> ImageForbidden:
    """The error for a host on a private network that the settings do not name."""
    return ImageForbidden(
        f"The host {host} has a private address.",
        hint="To allow images from it, add it to REVIEW_COPILOT_ALLOWED_HOSTS.",
    )
