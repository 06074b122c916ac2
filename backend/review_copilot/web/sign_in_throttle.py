"""Limit guesses of the password. Knows addresses and accounts, and no HTTP."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

GUESSES_PER_ADDRESS = 10
GUESSES_PER_ACCOUNT = 100
WINDOW_S = 300.0
"""Different wrong passwords that are checked within `WINDOW_S` seconds. The same wrong password counts once, so that a
Label Studio project with an outdated password does not block the others."""

KNOWN_FOR_S = 86_400.0
"""Seconds for which an address that signed in is exempt from the limit of the account. Otherwise, guesses from many
addresses would keep out Label Studio."""

REMEMBERED = 10_000
"""Maximum remembered addresses. The oldest are forgotten first; the limit of the account still counts their guesses."""

_Key = tuple[str, str]


@dataclass
class SignInThrottle:
    """Remembers failed sign-ins for a while. Safe for several threads.

    Attributes:
        now: Monotonic time in seconds.
    """

    now: Callable[[], float] = time.monotonic
    _guesses: OrderedDict[_Key, dict[bytes, float]] = field(default_factory=OrderedDict)
    _known: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _salt: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_s(self, address: str, account: str) -> float:
        """Seconds until the address may try this account again; 0 if it may do so now."""
        network = network_of(address)
        with self._lock:
            waits = [self._wait_s(("address", network), GUESSES_PER_ADDRESS)]
            known_at = self._known.get(network)
            if known_at is None or self.now() - known_at > KNOWN_FOR_S:
                waits.append(self._wait_s(("account", account), GUESSES_PER_ACCOUNT))
        return max(waits)

    def failed(self, address: str, account: str, credentials: str) -> bool:
        """Note wrong credentials.

        Returns:
            Whether they are a new guess of this address, within its limit. Others are not worth a line in the log.
        """
        digest = hashlib.blake2b(credentials.encode("utf-8", "surrogatepass"), key=self._salt, digest_size=16).digest()
        network = network_of(address)
        with self._lock:
            new = self._note(("address", network), digest, GUESSES_PER_ADDRESS)
            self._note(("account", account), digest, GUESSES_PER_ACCOUNT)
            while len(self._guesses) > REMEMBERED:
                self._guesses.popitem(last=False)
        return new

    def succeeded(self, address: str) -> None:
        """Note a sign-in."""
        with self._lock:
            self._known[network_of(address)] = self.now()
            self._known.move_to_end(network_of(address))
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def _note(self, key: _Key, digest: bytes, most: int) -> bool:
        recent = self._recent(key)
        new = digest not in recent and len(recent) < most
        if new:
            recent[digest] = self.now()
        self._guesses[key] = recent
        self._guesses.move_to_end(key)
        return new

    def _recent(self, key: _Key) -> dict[bytes, float]:
        since = self.now() - WINDOW_S
        return {digest: at for digest, at in self._guesses.get(key, {}).items() if at > since}

    def _wait_s(self, key: _Key, most: int) -> float:
        times = sorted(self._recent(key).values())
        return times[-most] + WINDOW_S - self.now() if len(times) >= most else 0.0


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 network of an IPv6 address, which one machine can own."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 4:  # the version of the protocol
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
