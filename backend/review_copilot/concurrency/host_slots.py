"""Limit the simultaneous calls to each host, so that one stuck host leaves slots for others. Knows no protocol."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class HostStuck(Exception):
    """All slots of the host are in use, and none of its calls has succeeded for a while."""


@dataclass
class _Host:
    taken: int = 0
    waiting: int = 0
    moved_at: float = 0.0


class HostSlots:
    """Slots for each host. Safe to use from several threads."""

    def __init__(self, *, most: int, patience_s: float) -> None:
        """Create the slots.

        Args:
            most: Maximum number of simultaneous calls to one host, at least 1.
            patience_s: Seconds without a successful call to a host, after which waiting for a slot fails.
        """
        self._most = most
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def slot(self, host: str, *, until: float) -> Iterator[None]:
        """Hold a slot during the block. Waits for a slot as long as calls to the host succeed.

        Args:
            host: Host name.
            until: Latest time by `time.monotonic`.

        Raises:
            HostStuck: No slot became free in time.
        """
        self._take(host, until=until)
        succeeded = False
        try:
            yield
            succeeded = True
        finally:
            with self._changed:
                state = self._hosts[host]
                state.taken -= 1
                if succeeded:
                    state.moved_at = time.monotonic()
                self._forget(host)
                self._changed.notify_all()

    def _take(self, host: str, *, until: float) -> None:
        with self._changed:
            state = self._hosts.setdefault(host, _Host(moved_at=time.monotonic()))
            state.waiting += 1
            try:
                while state.taken >= self._most:
                    wait_s = min(until, state.moved_at + self._patience_s) - time.monotonic()
                    if wait_s <= 0:
                        raise HostStuck
                    self._changed.wait(wait_s)
                state.taken += 1
            finally:
                state.waiting -= 1
                self._forget(host)

    def _forget(self, host: str) -> None:
        state = self._hosts[host]
        if not state.taken and not state.waiting:
            del self._hosts[host]
