"""Outcome of suggestions offered through the Magic tool. Knows no drafted ones.

Label Studio reports little: an accepted suggestion arrives as a region with our id, a declined one leaves no trace, and
the box that the reviewer drew is submitted as a region if it was neither accepted nor declined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from review_copilot.compare.choose_review import began_at
from review_copilot.compare.override_rows import lost_row, own_row, pair_row, same_place, showable
from review_copilot.domain.override import Asked, Override, OverrideKind, SubmittedAnnotation, SubmittedRegion
from review_copilot.domain.review import Exposure, Review


def offers(annotation: SubmittedAnnotation, reviews: Sequence[Review]) -> tuple[Review, ...]:
    """The Magic reviews that were offered during work on this annotation, oldest first.

    An offer has no user. It belongs to every annotation that contains one of its regions, and to every annotation that
    was in work when it was made, from its start to its last change. Two people on one task at the same time cannot be
    distinguished.
    """
    began, ended = began_at(annotation), annotation.updated_at or annotation.created_at
    region_ids = {region.id for region in annotation.regions}

    def belongs(review: Review) -> bool:
        in_time = (began is None or began <= review.created_at) and (ended is None or review.created_at <= ended)
        return in_time or any(s.id in region_ids for s in review.suggestions)

    made = (r for r in reviews if r.box is not None and r.exposure in {Exposure.OFFERED, Exposure.WITHHELD})
    return tuple(sorted((r for r in made if belongs(r)), key=lambda r: (r.created_at, r.id)))


def offer_rows(
    offered: Sequence[Review], regions: Sequence[SubmittedRegion], *, asked: Asked
) -> tuple[tuple[Override, ...], tuple[SubmittedRegion, ...]]:
    """Rows of all offers, and the regions that belong to no offer."""
    rest = list(regions)
    rows: list[Override] = []
    for review in offered:
        for suggestion in showable(review, asked):
            if region := take(rest, suggestion.id):
                row = pair_row(suggestion, region, review_id=review.id, asked=asked)
                rows.append(replace(row, kind=OverrideKind.TAKEN))
            else:
                rows.append(lost_row(suggestion, OverrideKind.NOT_TAKEN, review_id=review.id))
    asked_with = [(region, _asked_with(region, offered)) for region in rest]
    rows += [own_row(region, OverrideKind.LEFT_OVER, review_id=found) for region, found in asked_with if found]
    return tuple(rows), tuple(region for region, found in asked_with if not found)


def take(regions: list[SubmittedRegion], region_id: str) -> SubmittedRegion | None:
    """Remove the first region with that id from a list; None if there is none. Invalid files contain an id twice."""
    found = next((number for number, region in enumerate(regions) if region.id == region_id), None)
    return None if found is None else regions.pop(found)


def _asked_with(region: SubmittedRegion, offered: Sequence[Review]) -> str | None:
    """The review that was requested with exactly this box; None for a region that a reviewer filled in."""
    if region.severity or region.rationale or region.reasons or region.note:
        return None
    return next((r.id for r in offered if r.box is not None and same_place(region.box, r.box)), None)
