"""Count webhooks by outcome, and detect duplicates and late ones. Knows no Flask and no store.

The counts last as long as the process. The log does not need them.
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
"""Maximum remembered events and annotations, to detect duplicates and late ones: a few minutes of a busy project."""


class WebhookOutcome(StrEnum):
    """The outcome of one request to `/webhook`."""

    QUEUED = "queued"
    """Stored, and new."""
    DUPLICATE = "duplicate"
    """Stored, but the same body arrived before. It is processed again, which changes nothing."""
    LATE = "late"
    """Stored, but a newer state of the annotation arrived before. The log is ordered by time, not by arrival."""
    IGNORED = "ignored"
    """An action that cannot change the log, or an unknown action."""
    UNREADABLE = "unreadable"
    """The body is incomplete, not JSON, or not an event."""
    TOO_LARGE = "too_large"
    """The body exceeds the limit."""
    REFUSED = "refused"
    """The secret is missing or wrong."""
    NOT_STORED = "not_stored"
    """The database could not store it. Label Studio does not send it again, but the sweep finds the change."""


@dataclass
class WebhookCounts:
    """Counts of each outcome, and the memory that detects duplicates and late events. Safe for several threads."""

    _counts: Counter[WebhookOutcome] = field(default_factory=Counter)
    _bodies: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    _newest: OrderedDict[int, datetime] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, outcome: WebhookOutcome) -> None:
        """Count one webhook with this outcome."""
        with self._lock:
            self._counts[outcome] += 1

    def record(self, event: WebhookEvent, body: bytes) -> WebhookOutcome:
        """Count a stored event, and return whether it is new, a duplicate, or late.

        Args:
            event: The event in the body.
            body: The body as received.
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
    """Store as the newest entry, and drop the oldest if there are too many."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
