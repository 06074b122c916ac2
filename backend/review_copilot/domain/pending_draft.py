"""A draft that is owed to Label Studio. Knows no queue and no wire format."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.domain.review import TaskKey


@dataclass(frozen=True, slots=True)
class PendingDraft:
    """One task that was asked for and whose draft Label Studio may not hold yet.

    Attributes:
        id: Number in the backlog.
        key: Which task. Its data is read from Label Studio again: what the request held may carry signatures.
        rollout: Label under which the draft is wanted.
        attempts: How often drafting it has failed so far.
    """

    id: int
    key: TaskKey
    rollout: str
    attempts: int = 0
