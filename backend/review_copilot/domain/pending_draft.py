"""A draft that Label Studio requested and does not have yet. Knows no queue and no Label Studio format."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.domain.review import TaskKey


@dataclass(frozen=True, slots=True)
class PendingDraft:
    """One requested task whose draft Label Studio may not have yet.

    Attributes:
        id: Number of the pending draft.
        key: Which task. Its data is read from Label Studio again: what the request held may carry signatures.
        rollout: Label for the draft.
        attempts: Number of failed attempts so far.
    """

    id: int
    key: TaskKey
    rollout: str
    attempts: int = 0
