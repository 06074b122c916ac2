"""Totals of a project's drafts: how many show no suggestions and why, and their cost. Knows no store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from review_copilot.domain.review import Exposure, Review


class Why(StrEnum):
    """Why a task shows no suggestion."""

    NOTHING_FOUND = "nothing_found"
    FAILED = "failed"
    NOT_READY = "not_ready"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Undrafted:
    """A task that shows no suggestion.

    Attributes:
        task_id: Label Studio's task id.
        why: The reason.
        said: The error of a failed draft; otherwise empty.
        at: Time of the latest draft, UTC.
    """

    task_id: int
    why: Why
    said: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a project's drafts.

    Attributes:
        drafts: Drafts with known usage.
        calls: Model calls for them.
        tokens: Prompt and completion tokens.
        usd: US dollars; 0 if the provider did not report it, NaN if it reported no number.
        kept: Suggestions that reviewers kept in the same period.
    """

    drafts: int
    calls: int
    tokens: int
    usd: float
    kept: int = 0

    @property
    def usd_per_kept(self) -> float:
        """US dollars per kept suggestion; NaN if none was kept or no price is known."""
        return self.usd / self.kept if self.kept and self.usd else float("nan")


@dataclass(frozen=True, slots=True)
class Drafts:
    """Totals of a project's whole-image drafts, or of those in a period.

    Attributes:
        tasks: Tasks that were inspected.
        undrafted: Number of them without suggestions, by reason, according to their newest draft. A reason may be
            missing if its number is 0.
        cost: None if no usage is known; its `kept` is 0.
        unexamined: Criterion id to the number of tasks whose newest draft did not examine it; at least 1. Tasks without
            any inspection are not among them.
    """

    tasks: int = 0
    undrafted: Mapping[Why, int] = field(default_factory=dict)
    cost: Cost | None = None
    unexamined: Mapping[str, int] = field(default_factory=dict)

    @property
    def without(self) -> int:
        """Number of tasks without suggestions."""
        return sum(self.undrafted.values())

    def reasons(self) -> Sequence[tuple[Why, int]]:
        """Number of tasks without suggestions for each reason, in the order of `Why`."""
        return tuple((why, self.undrafted[why]) for why in Why if self.undrafted.get(why))


def why_undrafted(review: Review) -> Why | None:
    """Why a whole-image review shows no suggestions; None if it shows some, or was only offered."""
    if review.exposure is Exposure.SHOWN and not review.suggestions:
        return Why.NOTHING_FOUND
    return _WHY.get(review.exposure)


_WHY: Mapping[Exposure, Why] = {
    Exposure.FAILED: Why.FAILED,
    Exposure.NOT_READY: Why.NOT_READY,
    Exposure.WITHHELD: Why.WITHHELD,
}
