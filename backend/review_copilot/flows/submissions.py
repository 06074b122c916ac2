"""Read whole annotations from the log, each with the review that it was compared with. Knows ports only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from review_copilot.domain.override import Comparison, OverrideKind, Reason, SubmittedRegion
from review_copilot.domain.review import ProjectKey, Review
from review_copilot.ports import Store

_SAID = frozenset(
    {
        OverrideKind.CONFIRMED,
        OverrideKind.EDITED,
        OverrideKind.REJECTED,
        OverrideKind.ADDED,
        OverrideKind.TAKEN,
        OverrideKind.SKIPPED,
    }
)


@dataclass(frozen=True, slots=True)
class Submission:
    """One annotation in its current state.

    Attributes:
        comparison: What was submitted, and the differences from what was suggested.
        review: The review that it was compared with, or else the newest whole-image review of the task; None if there
            is none. Contains the image's location and size.
    """

    comparison: Comparison
    review: Review | None

    @property
    def judged(self) -> bool:
        """Whether a reviewer confirmed, changed, rejected, or added something."""
        return any(row.kind in _SAID for row in self.comparison.overrides)

    @property
    def image_size_px(self) -> tuple[int, int] | None:
        """Upright width and height, from the review or else from the editor; None if unknown."""
        for known in (self.review, self.comparison.annotation):
            if known is not None and known.image_width_px and known.image_height_px:
                return known.image_width_px, known.image_height_px
        return None

    @property
    def regions(self) -> tuple[SubmittedRegion, ...]:
        """The final regions: without those marked "not a defect" and without left-over Magic boxes."""
        left_over = {row.region_id for row in self.comparison.overrides if row.kind is OverrideKind.LEFT_OVER}
        return tuple(
            region
            for region in self.comparison.annotation.regions
            if Reason.NOT_A_DEFECT not in region.reasons and region.id not in left_over
        )


def submissions(
    store: Store, *, project: ProjectKey | None = None, since: datetime | None = None
) -> Iterator[Submission]:
    """The current annotations of the log, in the order of writing.

    Args:
        store: The log.
        project: Only this project.
        since: Only annotations logged at that time or later.
    """
    for comparison in store.comparisons(project=project, since=since):
        reviews = store.recall(comparison.annotation.key)
        compared = (review for review in reviews if review.id == next(iter(comparison.review_ids), ""))
        newest = (review for review in reversed(reviews) if review.box is None and review.image_width_px)
        yield Submission(comparison, next(compared, None) or next(newest, None))
