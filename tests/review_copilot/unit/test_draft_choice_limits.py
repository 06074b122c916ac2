"""Limits of the choice of the draft that an annotation is compared with, each from both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import a_provenance, a_review, a_suggestion, an_annotation, at
from review_copilot.compare import compare
from review_copilot.compare.choose_review import began_at, choose_review
from review_copilot.compare.magic import offers
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.override import (
    OverrideKind,
    Reason,
    SubmittedRegion,
)
from review_copilot.domain.review import Exposure
from review_copilot.ports import StoredPrediction


class TestWhichDraft:
    """Of several drafts on one task, which is compared. Times are seconds after noon."""

    OLD = a_review("old", a_suggestion("o1"), created_at=at(0), provenance=a_provenance(rollout="v1"))
    NEW = a_review("new", a_suggestion("n1"), created_at=at(30), provenance=a_provenance(rollout="v2"))

    def chosen(
        self, *, created_s: float | None, lead_s: float | None = 0.0, regions: tuple[str, ...] = (), parent: int = 0
    ) -> str | None:
        annotation = replace(
            an_annotation(*(SubmittedRegion(id=name, box=Box.whole()) for name in regions)),
            created_at=None if created_s is None else at(created_s),
            lead_time_s=lead_s,
            parent_prediction=parent or None,
        )
        predictions = [StoredPrediction(5, 1, "v1", ("o1",)), StoredPrediction(6, 1, "v1", ())]
        found = choose_review(annotation, [self.NEW, self.OLD], predictions)
        return found.id if found else None

    @pytest.mark.parametrize(
        ("created_s", "lead_s", "review"),
        [
            (30.0, 0.0, "new"),  # made the very second in which the work began
            (29.999, 0.0, "old"),
            (30.5, None, "new"),  # no lead time is none, and no second
            (0.0, 1.0, "old"),  # the old one came the very second of submission
            (-0.001, 1.0, None),
        ],
    )
    def test_the_newest_that_was_there_when_work_began(
        self, created_s: float, lead_s: float | None, review: str | None
    ) -> None:
        assert self.chosen(created_s=created_s, lead_s=lead_s) == review

    def test_of_those_made_meanwhile_the_oldest(self) -> None:
        assert self.chosen(created_s=60.0, lead_s=100.0) == "old"

    def test_the_newest_where_no_time_is_known_and_none_where_there_is_none(self) -> None:
        assert self.chosen(created_s=None) == "new"
        assert choose_review(replace(an_annotation(), created_at=None), [], ()) is None

    def test_of_three_without_a_time_the_last(self) -> None:
        middle = replace(self.NEW, id="middle", created_at=at(10))
        found = choose_review(replace(an_annotation(), created_at=None), [middle, self.NEW, self.OLD], ())
        assert found is self.NEW

    def test_the_one_that_shares_most_region_ids_the_newest_of_equals(self) -> None:
        assert self.chosen(created_s=60.0, regions=("o1",)) == "old"
        assert self.chosen(created_s=10.0, regions=("o1", "n1")) == "new"

    def test_the_prediction_it_began_from_by_region_ids_else_by_rollout(self) -> None:
        assert self.chosen(created_s=60.0, regions=("n1",), parent=5) == "old"
        assert self.chosen(created_s=60.0, regions=("n1",), parent=6) == "old"
        assert self.chosen(created_s=60.0, regions=("n1",), parent=7) == "new"

    def test_a_magic_box_is_never_what_was_drafted(self) -> None:
        magic = replace(self.NEW, box=Box.whole())
        assert choose_review(an_annotation(), [magic], ()) is None

    def test_work_began_the_lead_time_before_submission(self) -> None:
        assert began_at(replace(an_annotation(), created_at=at(90), lead_time_s=30.0)) == at(60)
        assert began_at(replace(an_annotation(), created_at=at(90), lead_time_s=None)) == at(90)
        assert began_at(replace(an_annotation(), created_at=None)) is None


class TestOffers:
    """Which Magic offers belong to an annotation that was begun at 60 s, submitted at 120 s and changed at 180 s."""

    OFFER = a_review(
        "m1", a_suggestion("m-s1"), exposure=Exposure.OFFERED, box=Box(0.4, 0.4, 0.2, 0.2), created_at=at(90)
    )

    @pytest.mark.parametrize(
        ("offered_s", "updated_s", "belongs"),
        [
            (59.999, 180.0, False),
            (60.0, 180.0, True),
            (180.0, 180.0, True),
            (180.001, 180.0, False),
            (150.0, 180.0, True),
            (120.0, None, True),
            (120.001, None, False),
        ],
    )
    def test_those_made_while_it_was_worked_on(
        self, offered_s: float, updated_s: float | None, *, belongs: bool
    ) -> None:
        annotation = an_annotation(updated_at=None if updated_s is None else at(updated_s))
        found = offers(annotation, [replace(self.OFFER, created_at=at(offered_s))])
        assert bool(found) is belongs

    def test_those_of_which_it_holds_a_region_whenever_they_were_made(self) -> None:
        late = replace(self.OFFER, created_at=at(999))
        assert offers(an_annotation(SubmittedRegion(id="m-s1", box=Box.whole())), [late]) == (late,)

    def test_only_boxes_that_were_answered_oldest_first(self) -> None:
        withheld = replace(self.OFFER, id="m0", exposure=Exposure.WITHHELD)
        earlier = replace(self.OFFER, id="m9", created_at=at(80))
        failed = replace(self.OFFER, id="m2", exposure=Exposure.FAILED)
        drafted = replace(self.OFFER, id="m3", box=None)
        found = offers(an_annotation(), [self.OFFER, failed, drafted, withheld, earlier])
        assert [review.id for review in found] == ["m9", "m0", "m1"]

    @pytest.mark.parametrize(
        "filled",
        [
            {"severity": Severity.MINOR},
            {"rationale": "Grain."},
            {"reasons": (Reason.NOT_COVERED,)},
            {"note": "?"},
        ],
    )
    def test_a_box_that_somebody_filled_in_in_any_way_is_no_left_over(self, filled: dict[str, object]) -> None:
        drawn = SubmittedRegion(id="drawn", box=Box(0.4, 0.4, 0.2, 0.2))
        (left,) = (r for r in compare(an_annotation(drawn), [self.OFFER]).overrides if r.region_id == "drawn")
        assert (left.kind, left.review_id) == (OverrideKind.LEFT_OVER, "m1")
        own = replace(drawn, **filled)  # type: ignore[arg-type]  # fields of the list above
        (added,) = (r for r in compare(an_annotation(own), [self.OFFER]).overrides if r.region_id == "drawn")
        assert (added.kind, added.review_id) == (OverrideKind.ADDED, "")

    def test_a_box_elsewhere_was_not_drawn_to_ask(self) -> None:
        elsewhere = SubmittedRegion(id="drawn", box=Box(0.7, 0.7, 0.2, 0.2))
        (added,) = (r for r in compare(an_annotation(elsewhere), [self.OFFER]).overrides if r.region_id == "drawn")
        assert added.kind is OverrideKind.ADDED
