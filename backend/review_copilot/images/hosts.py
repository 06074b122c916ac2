"""Which hosts images may come from. Knows names and ports, and no request."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class Trust(Enum):
    """How much a host is trusted."""

    NAMED = "named"
    """Named in the settings: private addresses are allowed."""
    ANY = "any"
    """Allowed by "*", or by a link that Label Studio signed: public addresses only."""
    NONE = "none"


def trust_in(host: str, allowed_hosts: Sequence[str], *, port: int) -> Trust:
    """How much the settings trust a host.

    Args:
        host: A name or address, without a port.
        allowed_hosts: "images.example.org" (that one), "*.example.org" (everything below it), "*" (any public one).
            With ":8443" at the end, an entry holds for that port alone. IPv6 addresses with a port need brackets.
        port: The port that would be called.
    """
    name = host.lower().strip("[]").rstrip(".")
    entries = [_split(entry) for entry in allowed_hosts]
    patterns = [pattern for pattern, only_port in entries if only_port in {None, port}]
    if any(name == p or (p.startswith("*.") and name.endswith(p[1:])) for p in patterns):
        return Trust.NAMED
    return Trust.ANY if "*" in patterns else Trust.NONE


def _split(entry: str) -> tuple[str, int | None]:
    """An entry as its pattern and its port; None where it names no port."""
    text = entry.lower().strip()
    before, colon, port = text.rpartition(":")
    is_address = before.count(":") > 0 and not before.endswith("]")
    if colon and port.isascii() and port.isdigit() and not is_address:
        return before.strip("[]").rstrip("."), int(port[:6])
    return text.strip("[]").rstrip("."), None
