"""What goes into the columns comes back the same."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders import a_provenance, a_review, a_suggestion
from fake_clock import FakeClock
from review_copilot.domain.geometry import Box
from review_copilot.domain.override import Override, OverrideKind, Subject, SubmittedAnnotation
from review_copilot.domain.review import Review
from review_copilot.domain.reviewed_crops import CriterionCrops, PatternCrops, ReviewedCrops
from review_copilot.domain.suggestion import Evidence, Suggestion
from review_copilot.store import codec
from review_copilot.store.schema import storable

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds
EVIDENCE: st.SearchStrategy[Evidence] = st.dictionaries(
    st.text(max_size=8), st.one_of(st.floats(allow_nan=False), st.integers(), st.text(), st.booleans()), max_size=3
)

for _type, _strategy in (
    (float, NUMBERS),
    (datetime, TIMES),
    (timedelta, st.timedeltas()),
    (Box, st.builds(Box, NUMBERS, NUMBERS, NUMBERS, NUMBERS)),
):
    st.register_type_strategy(_type, _strategy)
st.register_type_strategy(Suggestion, st.builds(Suggestion, evidence=EVIDENCE))


@given(st.builds(Review))
def test_a_review_comes_back_the_same(review: Review) -> None:
    again = codec.review_from_json(json.loads(json.dumps(codec.review_to_json(review))))
    assert again == review
    kinds = [[type(value) for value in s.evidence.values()] for s in review.suggestions]
    assert [[type(value) for value in s.evidence.values()] for s in again.suggestions] == kinds


@given(st.builds(SubmittedAnnotation))
def test_an_annotation_comes_back_the_same(annotation: SubmittedAnnotation) -> None:
    assert codec.annotation_from_json(json.loads(json.dumps(codec.annotation_to_json(annotation)))) == annotation


@given(st.builds(Override), st.booleans())
def test_an_override_comes_back_the_same(override: Override, has_provenance: bool) -> None:  # noqa: FBT001  # drawn
    """A row about a task is a skip, whatever an older release called it."""
    kind = OverrideKind.SKIPPED if override.subject is Subject.TASK else override.kind
    provenance = a_provenance() if has_provenance else None
    row = json.loads(json.dumps(codec.override_to_row(override, provenance)))
    assert codec.override_from_row(row) == replace(override, kind=kind)
    assert codec.provenance_from_row(row) == provenance


@given(st.builds(Override), st.builds(Override))
def test_the_hash_tells_rows_apart(one: Override, other: Override) -> None:
    rows = [codec.override_to_row(override, None) for override in (one, other)]
    assert codec.rows_hash(rows[:1]) == codec.rows_hash([json.loads(json.dumps(rows[0]))])
    assert (codec.rows_hash(rows[:1]) == codec.rows_hash(rows[1:])) == (rows[0] == rows[1])


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_becomes_storable_and_good_text_stays(text: str) -> None:
    kept = storable(text)
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert "\x00" not in kept
    if "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text):
        assert kept == text


def test_reviews_and_reviewed_crops_of_older_releases_are_read() -> None:
    """What a crop looks like had other names in payloads before."""
    review = a_review("r1", replace(a_suggestion(), crop_features=(0.5, 0.25)))
    written = codec.review_to_json(review)
    (suggestion,) = written["suggestions"]
    older = {**written, "suggestions": [{"look" if k == "crop_features" else k: v for k, v in suggestion.items()}]}
    assert codec.review_from_json(older) == codec.review_from_json(written) == review
    crops = ReviewedCrops(
        FakeClock().now(), reviewed=(CriterionCrops("PQ-01", ((1.0,),), (True,)),),
        patterns=(PatternCrops("sticker", ("sticker",), 3, (1,), ((2.0,),)),),
    )  # fmt: skip
    now = codec.reviewed_crops_to_json(crops)
    before = {
        **now,
        **{
            group: [{"looks" if k == "features" else k: v for k, v in entry.items()} for entry in now[group]]
            for group in ("reviewed", "patterns")
        },
    }
    assert codec.reviewed_crops_from_json(before) == codec.reviewed_crops_from_json(now) == crops
