"""The environment variables that let Label Studio call one private network. Knows no server and no request."""

from __future__ import annotations

import ipaddress
import socket
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

BANNED_NETWORKS = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
    "2001::/32", "2001:20::/28", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8",
)  # fmt: skip
"""The networks that Label Studio 1.23.2 refuses to call by default."""


def lines_that_admit(host: str) -> tuple[str, ...]:
    """The environment variables of Label Studio that admit only the network of a host, with all protection left on.

    The network is 127.0.0.0/8 for a loopback address, and the /16 around any other private IPv4 address.

    Args:
        host: A name or an address. A name is resolved on this machine.

    Returns:
        Two lines `NAME=VALUE`; none if the host has no IPv4 address or a public one.
    """
    admitted = _network_of(host)
    if admitted is None:
        return ()
    kept: list[Network] = []
    for text in BANNED_NETWORKS:
        network = ipaddress.ip_network(text)
        if isinstance(network, ipaddress.IPv4Network) and admitted.subnet_of(network):
            kept.extend(sorted(network.address_exclude(admitted)))
        else:
            kept.append(network)
    return (
        "USE_DEFAULT_BANNED_SUBNETS=false",
        f"USER_ADDITIONAL_BANNED_SUBNETS={','.join(str(network) for network in kept)}",
    )


def _network_of(host: str) -> ipaddress.IPv4Network | None:
    try:
        address = ipaddress.ip_address(socket.gethostbyname(host))
    except (OSError, ValueError, UnicodeError):
        return None
    if not isinstance(address, ipaddress.IPv4Address) or not address.is_private:
        return None
    return ipaddress.IPv4Network("127.0.0.0/8" if address.is_loopback else (int(address), 16), strict=False)
