"""A draft that is owed to Label Studio. Knows no queue and no wire format."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.domain.review import ReviewTask


@dataclass(frozen=True, slots=True)
class PendingDraft:
    """One task that was asked for and whose draft Label Studio may not hold yet.

    Attributes:
        id: Number in the backlog.
        task: What to draft, as the request described it.
        rollout: Label under which the draft is wanted.
        attempts: How often drafting it has failed so far.
    """

    id: int
    task: ReviewTask
    rollout: str
    attempts: int = 0
