"""A new suggestion is near a known pattern, far from all that was reviewed, or neither; little data say nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import NOON, a_suggestion
from review_copilot.domain.reviewed_crops import CriterionCrops, CropFeatures, PatternCrops, ReviewedCrops
from review_copilot.domain.suggestion import LIKE, UNLIKE, Suggestion
from review_copilot.suggest.similar_reviews import familiar

DUST, STICKER, STRANGE = 0.0, 4.0, -9.0


def crops(center: float, count: int, *, seed: int = 1) -> tuple[CropFeatures, ...]:
    points = np.random.default_rng(seed).normal(center, 1.0, (count, 6))
    return tuple(tuple(point) for point in points.tolist())


def a_book(*, reviewed: int = 60, stickers: int = 14, words: tuple[str, ...] = ("sticker", "lens")) -> ReviewedCrops:
    name = " ".join(words)
    return ReviewedCrops(
        NOON,
        reviewed=(CriterionCrops("PQ-01", crops(DUST, reviewed), (True,) * reviewed),),
        patterns=(PatternCrops(name, words, stickers, (12, 48, 90), crops(STICKER, stickers, seed=2)),),
    )


def a_crop(center: float) -> Suggestion:
    return replace(a_suggestion(label="Dust"), crop_features=(center,) * 6)


def test_a_crop_among_those_of_a_pattern_is_like_it() -> None:
    assert familiar(a_book()).facts(a_crop(STICKER))[LIKE] == (
        'Like 14 regions that reviewers marked as "sticker lens" and no criterion claims: tasks 12, 48 and 90.'
    )


def test_a_pattern_without_notes_is_named_by_its_crops_alone() -> None:
    assert (
        familiar(a_book(words=()))
        .facts(a_crop(STICKER))[LIKE]
        .startswith("Like 14 regions that reviewers marked without a note and no criterion")
    )


def test_a_crop_beyond_all_reviewed_ones_is_unlike_them() -> None:
    assert familiar(a_book()).facts(a_crop(STRANGE)) == {
        UNLIKE: "Unlike the 60 suggestions last reviewed under Dust: look twice."
    }


def test_a_rationale_in_a_patterns_words_is_like_it_whatever_the_crop() -> None:
    spoken = replace(a_suggestion(rationale="A sticker covers the lens; no criterion asks for it."), crop_features=())
    assert LIKE in familiar(a_book()).facts(spoken)
    assert familiar(a_book()).facts(replace(spoken, rationale="The lens is soft.")) == {}


def test_an_ordinary_crop_and_one_that_was_not_measured_are_told_nothing() -> None:
    known = familiar(a_book())
    assert known.facts(a_crop(DUST)) == known.facts(a_suggestion()) == {}


def test_few_data_say_nothing() -> None:
    assert familiar(a_book(reviewed=49)).facts(a_crop(STRANGE)) == {}
    assert familiar(a_book(reviewed=19)).facts(a_crop(STICKER)) == {}
    assert LIKE not in familiar(a_book(stickers=4)).facts(a_crop(STICKER))
    assert familiar(ReviewedCrops(NOON)).facts(a_crop(STRANGE)) == {}


def test_what_reviewers_keep_under_the_criterion_is_no_novel_pattern() -> None:
    """Stickers that are flagged as dust and kept are the criterion's own."""
    both = (*crops(DUST, 40), *crops(STICKER, 40, seed=3))
    book = replace(a_book(), reviewed=(CriterionCrops("PQ-01", both, (True,) * 80),))
    assert familiar(book).facts(a_crop(STICKER)) == {}
    rejected = CriterionCrops("PQ-01", both, (True,) * 40 + (False,) * 40)
    assert LIKE in familiar(replace(book, reviewed=(rejected,))).facts(a_crop(STICKER))


@pytest.mark.parametrize("reviewed", [50, 200])
def test_ordinary_crops_are_seldom_called_strange(reviewed: int) -> None:
    known = familiar(a_book(reviewed=reviewed))
    fresh = [replace(a_suggestion(), crop_features=look) for look in crops(DUST, 1000, seed=5)]
    assert sum(UNLIKE in known.facts(s) for s in fresh) <= 20
    assert sum(LIKE in known.facts(s) for s in fresh) <= 20
