"""Count webhooks by outcome, and tell duplicates and late ones. Knows no Flask and no store.

The counts live as long as the process; the log itself needs none of them.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from review_copilot.labelstudio.payloads import WebhookEvent

_K = TypeVar("_K")
_V = TypeVar("_V")

REMEMBERED = 10_000
"""Events and annotations that are remembered to tell duplicates and late ones: a few minutes of a busy project."""


class WebhookOutcome(StrEnum):
    """The outcome of one request to `/webhook`."""

    QUEUED = "queued"
    """Stored, and never seen before."""
    DUPLICATE = "duplicate"
    """Stored, but the same body came before. It is looked at again, which changes nothing."""
    LATE = "late"
    """Stored, but a newer state of the annotation was heard of before. The log orders by time, not by arrival."""
    IGNORED = "ignored"
    """An action after which the log need not change, or one that is not known."""
    UNREADABLE = "unreadable"
    """Half a body, no JSON, or no event."""
    TOO_LARGE = "too_large"
    """Over the limit on a body's bytes."""
    REFUSED = "refused"
    """Without the secret, or with a wrong one."""
    NOT_STORED = "not_stored"
    """The database could not take it: Label Studio will not send it again, the sweep finds what it spoke of."""


@dataclass
class WebhookCounts:
    """How often each outcome came up, and what tells them apart. Safe to use from several threads."""

    _counts: Counter[WebhookOutcome] = field(default_factory=Counter)
    _bodies: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    _newest: OrderedDict[int, datetime] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, outcome: WebhookOutcome) -> None:
        """One more of them."""
        with self._lock:
            self._counts[outcome] += 1

    def record(self, event: WebhookEvent, body: bytes) -> WebhookOutcome:
        """Count an event that was stored, and tell whether it is new.

        Args:
            event: What the body says.
            body: The body as it came.
        """
        digest = hashlib.blake2b(body, digest_size=16).digest()
        with self._lock:
            late = any(self._newest.get(number, at) > at for number, at in event.stamps)
            outcome = (
                WebhookOutcome.DUPLICATE
                if digest in self._bodies
                else WebhookOutcome.LATE
                if late
                else WebhookOutcome.QUEUED
            )
            self._counts[outcome] += 1
            _keep(self._bodies, digest, None)
            for number, at in event.stamps:
                _keep(self._newest, number, max(at, self._newest.get(number, at)))
        return outcome

    def snapshot(self) -> Mapping[WebhookOutcome, int]:
        """Every outcome with its count, zeros included."""
        with self._lock:
            return {outcome: self._counts[outcome] for outcome in WebhookOutcome}


def _keep(memory: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    """Remember as the newest entry; the oldest goes when there are too many."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
