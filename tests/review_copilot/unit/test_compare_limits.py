"""Every limit of the comparison just under and just over, and every column of its rows. Numbers are worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import a_review, a_suggestion, an_annotation, as_submitted, untouched
from review_copilot.compare import compare
from review_copilot.compare.annotation import _in_reading_order
from review_copilot.compare.matching import MIN_IOU, SAME_CRITERION, assign
from review_copilot.compare.override_rows import MOVED, ROTATED_DEG, lost_row, own_row, pair_row, same_place, visible
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.override import (
    Asked,
    Comparison,
    Feedback,
    Override,
    OverrideKind,
    Reason,
    Subject,
    SubmittedRegion,
)

SUGGESTION = a_suggestion("s1", box=Box(0.0, 0.0, 0.5, 0.5))
REVIEW = a_review("r1", SUGGESTION)
AS_DRAFTED = as_submitted(SUGGESTION)


def region_kinds(comparison: Comparison) -> list[OverrideKind]:
    return [row.kind for row in comparison.overrides if row.subject is Subject.REGION]


def row_of(comparison: Comparison, subject: Subject) -> Override:
    (row,) = (row for row in comparison.overrides if row.subject is subject)
    return row


@pytest.mark.parametrize(
    ("height", "paired"),
    [(0.25, True), (0.249, False), (0.251, True)],  # 0.5 x 0.25 of 0.5 x 0.5 is an overlap of exactly one half
)
def test_a_box_is_paired_from_an_overlap_of_one_half(height: float, *, paired: bool) -> None:
    drawn = replace(AS_DRAFTED, id="drawn", box=Box(0.0, 0.0, 0.5, height))
    expected = [OverrideKind.EDITED] if paired else [OverrideKind.REJECTED, OverrideKind.ADDED]
    assert region_kinds(compare(an_annotation(drawn), [REVIEW])) == expected
    assert MIN_IOU == 0.5


def test_a_common_criterion_is_worth_one_whole_overlap() -> None:
    """Two suggestions on one place: overlap 1.0 of another criterion against 0.52 of the same one, which wins."""
    other = a_suggestion("other", box=Box(0.0, 0.0, 0.5, 0.5), criterion_id="PQ-06", label="Noise")
    same = a_suggestion("same", box=Box(0.0, 0.0, 0.5, 0.26))
    drawn = replace(AS_DRAFTED, id="drawn")
    rows = compare(an_annotation(drawn), [a_review("r1", other, same)]).overrides
    assert {r.suggestion_id: r.kind for r in rows if r.suggestion_id} == {
        "other": OverrideKind.REJECTED,
        "same": OverrideKind.EDITED,
    }
    assert SAME_CRITERION == 1.0


def test_the_best_overlap_wins_within_a_criterion_whatever_the_ids() -> None:
    """One region, two suggestions of its criterion: overlaps .8 and .6."""
    loose = a_suggestion("a", box=Box(0.0, 0.0, 0.5, 0.3))
    tight = a_suggestion("b", box=Box(0.0, 0.0, 0.5, 0.4))
    rows = compare(an_annotation(replace(AS_DRAFTED, id="drawn")), [a_review("r1", loose, tight)]).overrides
    assert {r.suggestion_id: r.region_id for r in rows if r.suggestion_id} == {"a": "", "b": "drawn"}


def test_flaws_of_the_whole_image_are_paired_with_their_own_criterion() -> None:
    everywhere = a_suggestion("s1", box=Box.whole())
    drawn = replace(as_submitted(everywhere), id="drawn")
    assert region_kinds(compare(an_annotation(drawn), [a_review("r1", everywhere)])) == [OverrideKind.UNTOUCHED]


@pytest.mark.parametrize(
    ("rotation_deg", "turned"),
    [
        (0.0499, False),
        (0.0501, True),
        (-0.0499, False),
        (-0.0501, True),
        (359.96, False),
        (359.94, True),
        (180.0, True),
        (90.0, True),
    ],
)
def test_a_box_counts_as_turned_from_a_twentieth_of_a_degree(rotation_deg: float, *, turned: bool) -> None:
    row = row_of(compare(an_annotation(replace(AS_DRAFTED, rotation_deg=rotation_deg)), [REVIEW]), Subject.REGION)
    assert (row.kind is OverrideKind.EDITED) is turned
    assert ROTATED_DEG == 0.05


@pytest.mark.parametrize(
    "moved",
    [(0.00051, 0, 0, 0), (0, 0.00051, 0, 0), (0, 0, 0.00051, 0), (0, 0, 0, 0.00051), (0.00051, 0, -0.00051, 0)],
)
def test_each_edge_counts_as_moved_by_itself(moved: tuple[float, float, float, float]) -> None:
    one = Box(0.2, 0.2, 0.2, 0.2)
    far = Box(*(edge + by for edge, by in zip((0.2, 0.2, 0.2, 0.2), moved, strict=True)))
    near = Box(*(edge + by * 0.49 / 0.51 for edge, by in zip((0.2, 0.2, 0.2, 0.2), moved, strict=True)))
    assert not same_place(one, far)
    assert same_place(one, near)


def test_an_edge_at_the_very_limit_has_not_moved() -> None:
    assert MOVED == 0.0005
    assert same_place(Box(0.0, 0.0, 0.5, 0.5), Box(MOVED, 0.0, 0.5 - MOVED, 0.5))


def test_of_a_box_outside_the_image_nothing_is_visible() -> None:
    assert visible(Box(1.5, -2.0, 0.2, 0.3)) == Box(1.5, -2.0, 0.0, 0.0)
    assert visible(Box(0.9, 0.9, 0.5, 0.5)).right == 1.0


class TestColumns:
    """What a row of each kind says; nothing is left out and nothing is made up."""

    REGION = SubmittedRegion(
        id="own",
        box=Box(0.1, 0.2, 0.3, 0.4),
        labels=("Noise",),
        criterion_id="PQ-06",
        severity=Severity.MINOR,
        rationale="Grain on the wall.",
        reasons=(Reason.WRONG_CRITERION, Reason.GUIDELINE_UNCLEAR),
        note="see p. 3",
    )

    def test_of_a_pair(self) -> None:
        suggestion = a_suggestion("s1", box=Box(0.1, 0.2, 0.3, 0.2), rationale="Grain on a wall.", score=0.7)
        found = pair_row(suggestion, self.REGION, review_id="r9", asked=Asked())
        assert found == Override(
            subject=Subject.REGION,
            kind=OverrideKind.EDITED,
            suggestion_id="s1",
            region_id="own",
            criterion_from="PQ-01",
            criterion_to="PQ-06",
            severity_from="major",
            severity_to="minor",
            text_from="Grain on a wall.",
            text_to="Grain on the wall.",
            edits=found.edits,
            iou=found.iou,
            text_similarity=0.75,  # three of four words still stand
            text_distance=3,  # "a" becomes "the"
            reasons=("wrong_criterion", "guideline_unclear"),
            note="see p. 3",
            score=0.7,
            box_from=Box(0.1, 0.2, 0.3, 0.2),
            box_to=Box(0.1, 0.2, 0.3, 0.4),
            review_id="r9",
        )
        assert [edit.value for edit in found.edits] == ["place", "criterion", "severity", "rationale"]
        assert found.iou == pytest.approx(0.5)

    def test_of_a_pair_whose_region_says_little(self) -> None:
        bare = SubmittedRegion(id="own", box=Box(0.1, 0.2, 0.3, 0.4))
        found = pair_row(a_suggestion("s1"), bare, review_id="r9", asked=Asked(rationale=False))
        assert (found.criterion_to, found.severity_to, found.text_to) == ("", "", "")
        assert (found.text_similarity, found.text_distance) == (None, None)

    def test_of_a_lost_suggestion(self) -> None:
        suggestion = a_suggestion("s1", score=0.7)
        assert lost_row(suggestion, OverrideKind.NOT_TAKEN, review_id="r9") == Override(
            subject=Subject.REGION,
            kind=OverrideKind.NOT_TAKEN,
            suggestion_id="s1",
            criterion_from="PQ-01",
            severity_from="major",
            text_from=suggestion.rationale,
            score=0.7,
            box_from=suggestion.box,
            review_id="r9",
        )

    def test_of_a_region_of_ones_own(self) -> None:
        assert own_row(self.REGION, OverrideKind.LEFT_OVER, review_id="r9") == Override(
            subject=Subject.REGION,
            kind=OverrideKind.LEFT_OVER,
            region_id="own",
            criterion_to="PQ-06",
            severity_to="minor",
            text_to="Grain on the wall.",
            reasons=("wrong_criterion", "guideline_unclear"),
            note="see p. 3",
            box_to=Box(0.1, 0.2, 0.3, 0.4),
            review_id="r9",
        )

    def test_of_a_region_of_ones_own_that_says_nothing(self) -> None:
        found = own_row(SubmittedRegion(id="own", box=Box.whole()), OverrideKind.ADDED)
        assert found == Override(
            subject=Subject.REGION, kind=OverrideKind.ADDED, region_id="own", box_to=Box.whole(), text_to=""
        )

    def test_of_verdict_and_summary(self) -> None:
        review = a_review("r9", verdict=Verdict.FAIL, summary="Soft and noisy.")
        found = compare(an_annotation(verdict=Verdict.PASS, summary="Soft and clear."), [review])
        assert row_of(found, Subject.VERDICT) == Override(
            subject=Subject.VERDICT,
            kind=OverrideKind.EDITED,
            severity_from="fail",
            severity_to="pass",
            review_id="r9",
        )
        assert row_of(found, Subject.SUMMARY) == Override(
            subject=Subject.SUMMARY,
            kind=OverrideKind.EDITED,
            text_from="Soft and noisy.",
            text_to="Soft and clear.",
            text_similarity=pytest.approx(2 / 3),  # type: ignore[arg-type]  # two of three words still stand
            text_distance=5,  # "noisy" becomes "clear", of which no letter stands in its place
            review_id="r9",
        )

    def test_without_a_review_no_row_names_one(self) -> None:
        found = compare(an_annotation(self.REGION), [])
        assert {row.review_id for row in found.overrides} == {""}
        assert row_of(found, Subject.SUMMARY).text_similarity is None
        assert row_of(found, Subject.SUMMARY).text_distance is None

    def test_every_row_names_the_review_that_it_is_compared_with(self) -> None:
        found = compare(an_annotation(AS_DRAFTED), [a_review("r1", SUGGESTION, a_suggestion("s2", box=Box.whole()))])
        assert [(row.kind.value, row.review_id) for row in found.overrides[:2]] == [
            ("untouched", "r1"),
            ("rejected", "r1"),
        ]

    @pytest.mark.parametrize(("reviews", "named"), [([REVIEW], "r1"), ([], "")])
    def test_a_skipped_task_names_the_review_too(self, reviews: list[object], named: str) -> None:
        annotation = replace(untouched(REVIEW), skipped=True)
        found = compare(annotation, [REVIEW] if reviews else [])
        assert [row.review_id for row in found.overrides] == [named]

    def test_the_comparison_carries_its_annotation_and_is_confirmed_unless_told_otherwise(self) -> None:
        annotation = untouched(REVIEW)
        assert compare(annotation, [REVIEW]).annotation is annotation
        assert compare(annotation, [REVIEW]).confirmed
        assert not compare(annotation, [REVIEW], confirmed=False).confirmed


@pytest.mark.parametrize(
    ("feedback", "note", "rows"),
    [((), "", 0), ((Feedback.CONFLICT,), "", 1), ((), "1 against 2", 1), ((Feedback.CONFLICT,), "1 against 2", 1)],
)
def test_feedback_is_a_row_by_a_tick_or_by_a_note(feedback: tuple[Feedback, ...], note: str, rows: int) -> None:
    annotation = replace(untouched(REVIEW), feedback=feedback, feedback_note=note)
    found = [row for row in compare(annotation, [REVIEW]).overrides if row.subject is Subject.FEEDBACK]
    expected = Override(
        subject=Subject.FEEDBACK, kind=OverrideKind.ADDED, reasons=tuple(f.value for f in feedback), note=note
    )
    assert found == [expected] * rows


@pytest.mark.parametrize("open_field", ["severity", "verdict"])
def test_what_a_review_left_open_is_not_compared(open_field: str) -> None:
    """Somebody else's prediction drafted no severity, or no verdict: what stands there is a stand-in."""
    review = replace(REVIEW, **{f"names_{open_field}": False})  # type: ignore[arg-type]  # a field of the list above
    annotation = replace(
        an_annotation(replace(AS_DRAFTED, severity=None if open_field == "severity" else Severity.MAJOR)),
        verdict=None if open_field == "verdict" else Verdict.FAIL,
    )
    assert {row.kind for row in compare(annotation, [review]).overrides} == {OverrideKind.UNTOUCHED}


def test_a_review_that_was_read_back_reached_the_reviewer_whatever_the_labels() -> None:
    annotation = replace(an_annotation(AS_DRAFTED), asked=Asked(criteria=frozenset()))
    assert region_kinds(compare(annotation, [REVIEW])) == [OverrideKind.ADDED]
    assert region_kinds(compare(annotation, [replace(REVIEW, read_back=True)])) == [OverrideKind.UNTOUCHED]


def test_reading_order_is_down_then_across_then_by_size_criterion_and_id() -> None:
    def region(name: str, box: Box, criterion_id: str | None = "PQ-06") -> SubmittedRegion:
        return SubmittedRegion(id=name, box=box, criterion_id=criterion_id)

    one = Box(0.5, 0.1, 0.2, 0.2)
    ordered = [
        region("z", one, None),
        region("y", one, "PQ-01"),
        region("a", one),
        region("b", one),
        region("wider", Box(0.5, 0.1, 0.3, 0.2)),
        region("taller", Box(0.5, 0.1, 0.1, 0.3)),
        region("right", Box(0.6, 0.1, 0.1, 0.1)),
        region("below", Box(0.1, 0.2, 0.1, 0.1)),
    ]
    assert [r.id for r in _in_reading_order(ordered[::-1])] == [r.id for r in ordered]


class TestAssignment:
    """The best assignment of several small problems at once, worked by hand."""

    def test_each_problem_is_solved_by_itself(self) -> None:
        worth = np.array(
            [
                [[0.9, 0.0], [0.0, 0.5]],  # nothing competes
                [[0.9, 0.8], [0.7, 0.0]],  # 0.8 + 0.7 is more than 0.9
                [[0.6, 0.0], [0.7, 0.0]],  # two want the same one
                [[0.0, 0.0], [0.0, 0.1]],  # the first has no candidate
            ]
        )
        assert assign(worth).tolist() == [[0, 1], [1, 0], [-1, 0], [-1, 1]]

    def test_a_row_with_two_candidates_takes_the_better_one(self) -> None:
        assert assign(np.array([[[0.5, 0.6]]])).tolist() == [[1]]

    def test_a_row_with_a_candidate_and_nothing_is_paired_however_little_it_is_worth(self) -> None:
        assert assign(np.array([[[0.0, 0.001]]])).tolist() == [[1]]

    @pytest.mark.parametrize(("n", "m"), [(2, 0), (0, 2), (0, 0)])
    def test_without_boxes_nobody_has_a_partner(self, n: int, m: int) -> None:
        found = assign(np.zeros((3, n, m)))
        assert found.tolist() == [[-1] * n] * 3
        assert found.dtype == np.intp
