"""How many calls one host may have open at once: one that is stuck leaves slots for others. Knows no protocol."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class HostStuck(Exception):
    """All slots of the host are taken, and none of its calls came to an end for a while."""


@dataclass
class _Host:
    taken: int = 0
    waiting: int = 0
    moved_at: float = 0.0


class HostSlots:
    """Slots for each host. Safe to use from several threads."""

    def __init__(self, *, most: int, patience_s: float) -> None:
        """Make the slots.

        Args:
            most: Most calls to one host at once, at least 1.
            patience_s: Whoever waits for a slot gives up when no call to that host succeeded for so long.
        """
        self._most = most
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def slot(self, host: str, *, until: float) -> Iterator[None]:
        """Hold a slot during the block, waiting for it while calls to the host go on coming to an end.

        Args:
            host: Its name.
            until: Latest time by `time.monotonic`.

        Raises:
            HostStuck: None became free.
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
