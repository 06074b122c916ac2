"""What is told of a project's drafts as a whole: how many show nothing and why, and what they cost. Knows no store."""

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
        why: In one word.
        said: The error of a failed draft; empty otherwise.
        at: When the copilot last looked, UTC.
    """

    task_id: int
    why: Why
    said: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Cost:
    """What the drafts of a project cost.

    Attributes:
        drafts: Drafts whose usage is known.
        calls: Model calls for them.
        tokens: Prompt and completion tokens.
        usd: US dollars; 0 where the provider did not say, NaN where it said no number.
        kept: Suggestions that reviewers kept in the same period.
    """

    drafts: int
    calls: int
    tokens: int
    usd: float
    kept: int = 0

    @property
    def usd_per_kept(self) -> float:
        """US dollars for one kept suggestion; NaN where nothing was kept or no price is known."""
        return self.usd / self.kept if self.kept and self.usd else float("nan")


@dataclass(frozen=True, slots=True)
class Drafts:
    """What the whole-image drafts of a project, or of a period of it, come to.

    Attributes:
        tasks: Tasks that the copilot looked at.
        undrafted: How many of them show no suggestion, for each reason: their newest draft says so. A reason may be
            missing where there is none.
        cost: None where no usage is known; its `kept` is 0.
    """

    tasks: int = 0
    undrafted: Mapping[Why, int] = field(default_factory=dict)
    cost: Cost | None = None

    @property
    def without(self) -> int:
        """How many tasks show no suggestion."""
        return sum(self.undrafted.values())

    def reasons(self) -> Sequence[tuple[Why, int]]:
        """How many tasks show no suggestion for each reason that there is, in the order of `Why`."""
        return tuple((why, self.undrafted[why]) for why in Why if self.undrafted.get(why))


def why_undrafted(review: Review) -> Why | None:
    """Why a whole-image review shows no suggestion; None when it shows some, or was only offered."""
    if review.exposure is Exposure.SHOWN and not review.suggestions:
        return Why.NOTHING_FOUND
    return _WHY.get(review.exposure)


_WHY: Mapping[Exposure, Why] = {
    Exposure.FAILED: Why.FAILED,
    Exposure.NOT_READY: Why.NOT_READY,
    Exposure.WITHHELD: Why.WITHHELD,
}
