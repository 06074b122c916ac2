"""Read what a trusted proxy says about a request: the client's address, and the user who signed in there."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self

from flask import Request

from review_copilot.errors import SettingsError
from review_copilot.settings import Settings

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class TrustedProxies:
    """The proxies whose headers count. Without any, no header counts.

    Attributes:
        networks: Their addresses.
        user_header: Header with the name of the user whom a proxy signed in; empty if proxies sign in nobody.
    """

    networks: tuple[_Network, ...] = ()
    user_header: str = ""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Read the proxies from the settings.

        Raises:
            SettingsError: An address is invalid or contains all addresses, or there is a header but no proxy.
        """
        networks = tuple(_network(text) for text in settings.trusted_proxies)
        if settings.user_header and not networks:
            raise SettingsError(
                "REVIEW_COPILOT_USER_HEADER is set, but no proxy is trusted to send it.",
                hint='Set REVIEW_COPILOT_TRUSTED_PROXIES to the proxy\'s address, such as ["127.0.0.1"].',
            )
        return cls(networks, settings.user_header)

    def client_address(self, request: Request) -> str:
        """The address that sent the request: the last one in X-Forwarded-For that is no trusted proxy.

        Without a trusted proxy, and if the header is missing or unreadable, it is the address of the connection.
        """
        address = request.remote_addr or ""
        forwarded = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
        while forwarded and self._trusts(address):
            entry = forwarded.pop().strip()
            if not _is_address(entry):
                break
            address = entry
        return address

    def signed_in(self, request: Request) -> bool:
        """Whether a trusted proxy names a user. This counts for reading only: Label Studio sends the password."""
        if not self.user_header or request.method not in {"GET", "HEAD"}:
            return False
        return bool(request.headers.get(self.user_header, "").strip()) and self._trusts(request.remote_addr or "")

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(mapped in network for network in self.networks)


def _network(text: str) -> _Network:
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise SettingsError(
            f"REVIEW_COPILOT_TRUSTED_PROXIES contains {text!r}, which is not an address or network.",
            hint='Give a JSON list of addresses or networks, such as ["10.0.0.5", "10.1.0.0/24"].',
        ) from error
    if network.prefixlen == 0:
        raise SettingsError(
            f"REVIEW_COPILOT_TRUSTED_PROXIES contains {text!r}, which is every address.",
            hint="Anyone could name a user in a header. Give the proxy's own address.",
        )
    return network


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
