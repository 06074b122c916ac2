"""Every store keeps what reviewed regions look like, one book for each project."""

from __future__ import annotations

from builders import NOON, PROJECT
from review_copilot.domain.review import ProjectKey
from review_copilot.domain.reviewed_crops import CriterionCrops, PatternCrops, ReviewedCrops
from review_copilot.ports import Store

BOOK = ReviewedCrops(
    NOON,
    newest_row=7,
    reviewed=(CriterionCrops("PQ-01", ((0.5, -1.25),), (True,)),),
    patterns=(PatternCrops("sticker", ("sticker",), 6, (1, 2), ((0.125, 3.0),)),),
    crops={4: (0.125, 3.0)},
)


def test_the_last_book_is_the_one_that_is_kept(store: Store) -> None:
    other = ProjectKey(PROJECT.instance, PROJECT.project_id, "made anew")
    assert store.reviewed_crops(PROJECT) is None
    store.keep_reviewed_crops(PROJECT, ReviewedCrops(NOON))
    store.keep_reviewed_crops(other, ReviewedCrops(NOON, newest_row=1))
    store.keep_reviewed_crops(PROJECT, BOOK)
    assert store.reviewed_crops(PROJECT) == BOOK
    assert store.reviewed_crops(other) == ReviewedCrops(NOON, newest_row=1)
