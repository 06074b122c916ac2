"""What holds for every review and every submission."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builders import a_review, a_suggestion, an_annotation, untouched
from review_copilot.compare import compare
from review_copilot.compare.matching import assign
from review_copilot.domain.box_overlap import corners, pairwise_iou
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.override import OverrideKind, Reason, Subject, SubmittedRegion
from review_copilot.domain.suggestion import Suggestion

EDGES = st.integers(0, 8).map(lambda n: n / 10)
BOXES = st.builds(Box, EDGES, EDGES, st.integers(1, 5).map(lambda n: n / 10), st.integers(1, 5).map(lambda n: n / 10))
INSIDE = BOXES.map(lambda box: box.clipped() or Box.whole())
CRITERIA = st.sampled_from([("PQ-01", "Out of focus"), ("PQ-06", "Noise"), ("uncovered", "Novel pattern")])
TEXTS = st.sampled_from(["", "Soft in the corner.", "Soft  in the corner", "Grain on the wall, 3.1 %."])


@st.composite
def suggestions(draw: st.DrawFn) -> list[Suggestion]:
    made = []
    for number in range(draw(st.integers(0, 5))):
        criterion_id, label = draw(CRITERIA)
        made.append(
            a_suggestion(
                f"s{number}",
                box=draw(st.one_of(INSIDE, st.just(Box.whole()))),
                criterion_id=criterion_id,
                label=label,
                severity=draw(st.sampled_from(Severity)),
                rationale=draw(TEXTS),
            )
        )
    return made


@st.composite
def regions(draw: st.DrawFn) -> list[SubmittedRegion]:
    """Regions of which some carry the id of a suggestion and some do not."""
    names = draw(st.lists(st.sampled_from([f"s{n}" for n in range(5)] + ["a", "b", "c"]), unique=True, max_size=6))
    made = []
    for name in names:
        criterion_id, label = draw(CRITERIA)
        made.append(
            SubmittedRegion(
                id=name,
                box=draw(BOXES),
                labels=(label,),
                criterion_id=criterion_id,
                severity=draw(st.one_of(st.none(), st.sampled_from(Severity))),
                rationale=draw(TEXTS),
                reasons=tuple(draw(st.lists(st.sampled_from(Reason), unique=True, max_size=2))),
            )
        )
    return made


@given(suggestions())
def test_a_review_compared_with_itself_gives_only_untouched(drafted: list[Suggestion]) -> None:
    review = a_review("r1", *drafted)
    assert {row.kind for row in compare(untouched(review), [review]).overrides} == {OverrideKind.UNTOUCHED}


@given(suggestions(), regions(), st.randoms(use_true_random=False))
def test_any_order_of_regions_suggestions_and_reviews_gives_the_same(
    drafted: list[Suggestion], submitted: list[SubmittedRegion], random: Random
) -> None:
    reviews = [a_review("r1", *drafted), a_review("r2")]
    first = compare(an_annotation(*submitted), reviews)
    shuffled = list(submitted)
    random.shuffle(shuffled)
    assert compare(an_annotation(*shuffled), reviews[::-1]).overrides == first.overrides
    turned = [replace(reviews[0], suggestions=tuple(drafted[::-1])), reviews[1]]
    assert Counter(compare(an_annotation(*submitted), turned).overrides) == Counter(first.overrides)


@given(suggestions(), regions())
def test_every_suggestion_and_every_region_has_exactly_one_row(
    drafted: list[Suggestion], submitted: list[SubmittedRegion]
) -> None:
    comparison = compare(an_annotation(*submitted), [a_review("r1", *drafted)])
    rows = [r for r in comparison.overrides if r.subject is Subject.REGION]
    assert sorted(r.suggestion_id for r in rows if r.suggestion_id) == sorted(s.id for s in drafted)
    assert sorted(r.region_id for r in rows if r.region_id) == sorted(r.id for r in submitted)
    assert all((r.iou is None) == (r.box_from is None or r.box_to is None) for r in rows)


@given(st.lists(BOXES, max_size=4), st.lists(BOXES, max_size=4))
def test_overlaps_are_the_boxes_own_iou(ours: list[Box], theirs: list[Box]) -> None:
    expected = np.array([[a.iou(b) for b in theirs] for a in ours]).reshape(len(ours), len(theirs))
    np.testing.assert_allclose(pairwise_iou(corners(ours), corners(theirs)), expected, atol=1e-12)


@given(st.integers(0, 4), st.integers(0, 4), st.data())
def test_the_assignment_is_as_good_as_the_best_of_all(n: int, m: int, data: st.DataObject) -> None:
    """Tried against every way to pair that there is."""
    worths = st.sampled_from([0.0, 0.0, 0.5, 0.6, 0.75, 1.0, 1.5, 1.9])
    cells = data.draw(st.lists(worths, min_size=n * m, max_size=n * m))
    worth = np.array(cells, dtype=np.float64).reshape(n, m)
    (partner,) = assign(worth[None])
    made = [(i, int(j)) for i, j in enumerate(partner) if j >= 0]
    assert all(worth[i, j] > 0 for i, j in made)
    assert len({j for _, j in made}) == len(made)
    padded = np.zeros((max(n, m), max(n, m)))
    padded[:n, :m] = worth
    size = range(len(padded))
    best = max(sum(padded[i, j] for i, j in zip(size, p, strict=True)) for p in itertools.permutations(size))
    assert np.isclose(sum(worth[i, j] for i, j in made), best)
