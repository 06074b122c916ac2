"""Comparing a submission with its review."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import a_provenance, a_review, a_suggestion, an_annotation, as_submitted, at, untouched
from review_copilot.compare import compare
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.override import (
    Asked,
    Aspect,
    Comparison,
    Feedback,
    Override,
    OverrideKind,
    Reason,
    Shape,
    Subject,
    SubmittedRegion,
)
from review_copilot.domain.review import Exposure
from review_copilot.ports import StoredPrediction

SUGGESTION = a_suggestion("s1")
REVIEW = a_review("r1", SUGGESTION)
AS_DRAFTED = as_submitted(SUGGESTION)
OWN = SubmittedRegion(id="own", box=Box(0.6, 0.6, 0.2, 0.2), labels=("Noise",), criterion_id="PQ-06")


def only_region_row(comparison: Comparison) -> Override:
    (row,) = (row for row in comparison.overrides if row.subject is Subject.REGION)
    return row


def region_row(region: SubmittedRegion, *, asked: Asked | None = None) -> Override:
    annotation = replace(an_annotation(region), asked=asked or Asked())
    return only_region_row(compare(annotation, [REVIEW]))


def kinds(comparison: Comparison) -> list[tuple[Subject, OverrideKind]]:
    return [(row.subject, row.kind) for row in comparison.overrides]


def test_a_review_left_as_it_is_gives_only_untouched() -> None:
    comparison = compare(untouched(REVIEW), [REVIEW])
    assert kinds(comparison) == [
        (Subject.REGION, OverrideKind.UNTOUCHED),
        (Subject.VERDICT, OverrideKind.UNTOUCHED),
        (Subject.SUMMARY, OverrideKind.UNTOUCHED),
    ]
    assert (comparison.exposure, comparison.review_ids, comparison.provenance) == ("shown", ("r1",), a_provenance())


def test_agreeing_confirms() -> None:
    assert region_row(replace(AS_DRAFTED, reasons=(Reason.AGREE,))).kind is OverrideKind.CONFIRMED


def test_a_deleted_suggestion_is_rejected() -> None:
    row = only_region_row(compare(an_annotation(), [REVIEW]))
    assert (row.kind, row.suggestion_id, row.region_id, row.iou) == (OverrideKind.REJECTED, "s1", "", None)
    assert (row.text_from, row.score, row.box_from) == (SUGGESTION.rationale, 0.8, SUGGESTION.box)


def test_a_suggestion_marked_not_a_defect_is_rejected_whatever_else_was_ticked() -> None:
    row = region_row(replace(AS_DRAFTED, reasons=(Reason.AGREE, Reason.NOT_A_DEFECT)))
    assert (row.kind, row.reasons, row.region_id) == (OverrideKind.REJECTED, ("agree", "not_a_defect"), "s1")


@pytest.mark.parametrize(
    ("change", "aspect"),
    [
        ({"box": Box(0.15, 0.1, 0.2, 0.2)}, Aspect.PLACE),
        ({"rotation_deg": 12.0}, Aspect.PLACE),
        ({"shape": Shape.POLYGON}, Aspect.PLACE),
        ({"criterion_id": "PQ-02", "labels": ("Motion blur",)}, Aspect.CRITERION),
        ({"criterion_id": None, "labels": ()}, Aspect.CRITERION),
        ({"severity": Severity.MINOR}, Aspect.SEVERITY),
        ({"severity": None, "reasons": (Reason.WRONG_SEVERITY,)}, Aspect.SEVERITY),
        ({"rationale": "The left third is sharp."}, Aspect.RATIONALE),
    ],
)
def test_a_change_is_an_edit_of_its_aspect(change: dict[str, object], aspect: Aspect) -> None:
    row = region_row(replace(AS_DRAFTED, **change))  # type: ignore[arg-type]  # fields of the table above
    assert (row.kind, row.edits) == (OverrideKind.EDITED, (aspect,))


def test_a_cleared_severity_without_a_reason_is_no_edit() -> None:
    """Pressing the key of a chosen severity once more clears it."""
    row = region_row(replace(AS_DRAFTED, severity=None))
    assert (row.kind, row.edits, row.severity_to) == (OverrideKind.UNTOUCHED, (), "")


def test_an_edit_says_from_what_to_what() -> None:
    row = region_row(
        replace(AS_DRAFTED, criterion_id="PQ-02", severity=Severity.MINOR, box=Box(0.1, 0.1, 0.2, 0.1), note="no")
    )
    assert (row.criterion_from, row.criterion_to) == ("PQ-01", "PQ-02")
    assert (row.severity_from, row.severity_to) == ("major", "minor")
    assert row.iou == pytest.approx(0.5)
    assert row.note == "no"


def test_the_kept_share_counts_words_and_the_distance_characters() -> None:
    suggestion = a_suggestion("s1", rationale="A soft edge")
    region = replace(as_submitted(suggestion), rationale="A hard edge")
    row = only_region_row(compare(an_annotation(region), [a_review("r1", suggestion)]))
    assert (row.text_similarity, row.text_distance) == (2 / 3, 4)


@pytest.mark.parametrize("rationale", ["", "The left\r\n third is soft;  edges are 4 px wide.\n"])
def test_white_space_is_no_edit_and_an_emptied_text_is(rationale: str) -> None:
    row = region_row(replace(AS_DRAFTED, rationale=rationale))
    assert (row.kind is OverrideKind.UNTOUCHED, row.text_similarity) == ((True, 1.0) if rationale else (False, 0.0))


@pytest.mark.parametrize(
    ("box", "rotation_deg", "kind"),
    [
        (Box(0.1004, 0.0996, 0.2, 0.2), 0.0, OverrideKind.UNTOUCHED),
        (Box(0.1, 0.1, 0.2, 0.2), 360.0, OverrideKind.UNTOUCHED),
        (Box(0.1006, 0.1, 0.2, 0.2), 0.0, OverrideKind.EDITED),
        (Box(0.1, 0.1, 0.2006, 0.2), 0.0, OverrideKind.EDITED),
    ],
)
def test_rounding_is_no_move(box: Box, rotation_deg: float, kind: OverrideKind) -> None:
    assert region_row(replace(AS_DRAFTED, box=box, rotation_deg=rotation_deg)).kind is kind


def test_what_lies_outside_the_image_does_not_count() -> None:
    """An editor lets a box past the edge; the suggestion it began from ends there."""
    suggestion = a_suggestion("s1", box=Box(0.8, 0.8, 0.2, 0.2))
    region = replace(as_submitted(suggestion), box=Box(0.8, 0.8, 0.5, 0.3))
    row = only_region_row(compare(an_annotation(region), [a_review("r1", suggestion)]))
    assert row.kind is OverrideKind.UNTOUCHED
    assert row.iou == pytest.approx(1.0)


@pytest.mark.parametrize("reason", [Reason.WRONG_CRITERION, Reason.GUIDELINE_UNCLEAR, Reason.NOT_COVERED])
def test_an_objection_in_words_only_is_an_edit_without_an_aspect(reason: Reason) -> None:
    row = region_row(replace(AS_DRAFTED, reasons=(reason,)))
    assert (row.kind, row.edits, row.reasons) == (OverrideKind.EDITED, (), (reason.value,))


def test_a_note_alone_is_a_word_too() -> None:
    assert region_row(replace(AS_DRAFTED, note="hm")).kind is OverrideKind.EDITED


def test_fields_that_the_label_config_lacks_are_not_compared() -> None:
    bare = replace(AS_DRAFTED, severity=None, rationale="")
    assert region_row(bare, asked=Asked(severity=frozenset(), rationale=False)).kind is OverrideKind.UNTOUCHED
    annotation = an_annotation(AS_DRAFTED, verdict=None, summary="")
    comparison = compare(replace(annotation, asked=Asked(verdict=frozenset(), summary=False)), [REVIEW])
    assert kinds(comparison) == [(Subject.REGION, OverrideKind.UNTOUCHED)]


def test_a_suggestion_whose_criterion_has_no_label_was_never_shown() -> None:
    """Somebody's own label config may lack a criterion; nobody rejected what nobody saw."""
    noise = a_suggestion("s2", criterion_id="PQ-06", label="Noise")
    annotation = replace(an_annotation(AS_DRAFTED), asked=Asked(criteria=frozenset({"PQ-01"})))
    assert only_region_row(compare(annotation, [a_review("r1", SUGGESTION, noise)])).suggestion_id == "s1"


def test_a_region_of_the_reviewers_own_is_added_with_or_without_criterion() -> None:
    unlabelled = SubmittedRegion(id="bare", box=Box(0.8, 0.1, 0.1, 0.1))
    comparison = compare(an_annotation(AS_DRAFTED, OWN, unlabelled), [REVIEW])
    added = {r.region_id: r.criterion_to for r in comparison.overrides if r.kind is OverrideKind.ADDED}
    assert added == {"own": "PQ-06", "bare": ""}


def test_a_region_drawn_anew_over_a_deleted_suggestion_is_paired_by_place() -> None:
    drawn = replace(AS_DRAFTED, id="drawn", box=Box(0.1, 0.1, 0.2, 0.16))
    row = only_region_row(compare(an_annotation(drawn), [REVIEW]))
    assert (row.kind, row.suggestion_id, row.region_id) == (OverrideKind.EDITED, "s1", "drawn")


def test_fields_that_only_some_labels_have_are_compared_for_those() -> None:
    suggestion = a_suggestion()
    bare = replace(as_submitted(suggestion), severity=None, rationale="")
    asked = Asked(without_severity=frozenset({"PQ-01"}), without_rationale=frozenset({"PQ-01"}))
    assert region_row(bare, asked=asked).kind is OverrideKind.UNTOUCHED
    other = Asked(without_severity=frozenset({"PQ-06"}), without_rationale=frozenset({"PQ-06"}))
    said = replace(bare, reasons=(Reason.WRONG_SEVERITY,))
    assert region_row(said, asked=other).edits == (Aspect.SEVERITY, Aspect.RATIONALE)


def test_a_region_that_overlaps_by_less_than_half_is_another_one() -> None:
    drawn = replace(AS_DRAFTED, id="drawn", box=Box(0.1, 0.1, 0.2, 0.09))
    assert [kind for _, kind in kinds(compare(an_annotation(drawn), [REVIEW]))[:2]] == [
        OverrideKind.REJECTED,
        OverrideKind.ADDED,
    ]


def test_of_two_candidates_the_one_of_the_same_criterion_wins() -> None:
    blur = a_suggestion("blur", box=Box(0.1, 0.1, 0.2, 0.2))
    noise = a_suggestion("noise", box=Box(0.1, 0.1, 0.2, 0.19), criterion_id="PQ-06", label="Noise")
    drawn = replace(OWN, box=Box(0.1, 0.1, 0.2, 0.2))
    comparison = compare(an_annotation(drawn), [a_review("r1", blur, noise)])
    assert {r.suggestion_id: r.kind for r in comparison.overrides if r.suggestion_id} == {
        "blur": OverrideKind.REJECTED,
        "noise": OverrideKind.EDITED,
    }


def test_flaws_of_the_whole_image_are_paired_by_criterion_only() -> None:
    everywhere = a_suggestion("s1", box=Box.whole())
    drawn = replace(OWN, box=Box.whole())
    comparison = compare(an_annotation(drawn), [a_review("r1", everywhere)])
    assert [kind for _, kind in kinds(comparison)[:2]] == [OverrideKind.REJECTED, OverrideKind.ADDED]


def test_a_label_that_the_guideline_no_longer_knows_is_compared_by_name() -> None:
    row = region_row(replace(AS_DRAFTED, criterion_id=None, labels=("OUT OF FOCUS",)))
    assert (row.kind, row.criterion_to) == (OverrideKind.UNTOUCHED, "PQ-01")


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        (Verdict.FAIL, OverrideKind.UNTOUCHED),
        (Verdict.PASS, OverrideKind.EDITED),
    ],
)
def test_the_verdict_is_compared(verdict: Verdict, kind: OverrideKind) -> None:
    comparison = compare(an_annotation(AS_DRAFTED, verdict=verdict), [REVIEW])
    (row,) = (row for row in comparison.overrides if row.subject is Subject.VERDICT)
    assert (row.kind, row.severity_from, row.severity_to) == (kind, "fail", verdict.value)


def test_a_cleared_verdict_is_rejected_only_with_feedback() -> None:
    """Pressing the key of a chosen verdict once more clears it."""
    silent = an_annotation(AS_DRAFTED, verdict=None)
    said = replace(silent, feedback=(Feedback.UNCLEAR,))
    kinds = [
        [row.kind for row in compare(annotation, [REVIEW]).overrides if row.subject is Subject.VERDICT]
        for annotation in (silent, said)
    ]
    assert kinds == [[], [OverrideKind.REJECTED]]


def test_feedback_on_the_guideline_is_a_row() -> None:
    annotation = replace(an_annotation(AS_DRAFTED), feedback=(Feedback.CONFLICT,), feedback_note="1 against 2")
    (row,) = (row for row in compare(annotation, [REVIEW]).overrides if row.subject is Subject.FEEDBACK)
    assert (row.reasons, row.note) == (("conflict",), "1 against 2")


def test_a_skipped_task_judges_nothing() -> None:
    comparison = compare(replace(untouched(REVIEW), skipped=True), [REVIEW])
    assert kinds(comparison) == [(Subject.TASK, OverrideKind.SKIPPED)]


@pytest.mark.parametrize("exposure", [Exposure.FAILED, Exposure.NOT_READY])
def test_without_a_draft_everything_is_added(exposure: Exposure) -> None:
    comparison = compare(an_annotation(OWN), [a_review("r1", exposure=exposure)])
    assert {kind for _, kind in kinds(comparison)} == {OverrideKind.ADDED}
    assert comparison.exposure == exposure.value


def test_without_a_review_everything_is_added() -> None:
    comparison = compare(an_annotation(OWN), [])
    assert {kind for _, kind in kinds(comparison)} == {OverrideKind.ADDED}
    assert (comparison.exposure, comparison.provenance, comparison.review_ids) == ("", None, ())


class TestWhichReview:
    """Several versions on one task are kept apart."""

    OLD = a_review("old", a_suggestion("o1"), created_at=at(0), provenance=a_provenance(rollout="v1"))
    NEW = a_review("new", a_suggestion("n1"), created_at=at(30), provenance=a_provenance(rollout="v2"))

    @pytest.mark.parametrize("held", [("o1",), ()])
    def test_the_prediction_that_it_began_from(self, held: tuple[str, ...]) -> None:
        predictions = [StoredPrediction(5, 1, "v1", held), StoredPrediction(6, 1, "v2", ("n1",))]
        annotation = replace(an_annotation(), parent_prediction=5)
        assert compare(annotation, [self.NEW, self.OLD], predictions=predictions).review_ids == ("old",)

    def test_the_region_ids_when_the_prediction_is_unknown(self) -> None:
        annotation = replace(an_annotation(as_submitted(self.OLD.suggestions[0]), OWN), parent_prediction=99)
        assert compare(annotation, [self.OLD, self.NEW]).review_ids == ("old",)

    @pytest.mark.parametrize(
        ("created_s", "lead_s", "chosen"),
        [
            (120.0, 60.0, ("new",)),  # began at 60: both were there
            (120.0, 100.0, ("old",)),  # began at 20: the new one came later
            (120.0, None, ("new",)),
            (10.0, 20.0, ("old",)),  # began before all; the old one came meanwhile
            (-10.0, 5.0, ()),  # older than both
        ],
    )
    def test_the_newest_before_it_began(self, created_s: float, lead_s: float | None, chosen: tuple[str, ...]) -> None:
        annotation = replace(an_annotation(OWN), created_at=at(created_s), lead_time_s=lead_s)
        assert compare(annotation, [self.OLD, self.NEW]).review_ids == chosen

    def test_the_newest_when_nothing_says_when(self) -> None:
        annotation = replace(an_annotation(OWN), created_at=None)
        assert compare(annotation, [self.NEW, self.OLD]).review_ids == ("new",)

    def test_a_withheld_review_is_compared_and_said_to_be_withheld(self) -> None:
        withheld = a_review("w", SUGGESTION, exposure=Exposure.WITHHELD)
        comparison = compare(an_annotation(replace(AS_DRAFTED, id="drawn")), [withheld])
        assert comparison.exposure == "withheld"
        assert only_region_row(comparison).suggestion_id == "s1"


class TestMagic:
    """What was offered on request is told apart from what was drafted."""

    OFFER = a_review(
        "m1",
        a_suggestion("m-s1", box=Box(0.5, 0.5, 0.1, 0.1)),
        exposure=Exposure.OFFERED,
        box=Box(0.45, 0.45, 0.2, 0.2),
        created_at=at(90),
    )
    DRAWN = SubmittedRegion(id="drawn", box=Box(0.45, 0.45, 0.2, 0.2), labels=("Noise",), criterion_id="PQ-06")

    def magic_rows(self, *regions: SubmittedRegion) -> list[tuple[OverrideKind, str, str]]:
        comparison = compare(an_annotation(AS_DRAFTED, *regions), [REVIEW, self.OFFER])
        rows = [r for r in comparison.overrides if r.subject is Subject.REGION]
        assert (rows[0].kind, comparison.review_ids) == (OverrideKind.UNTOUCHED, ("r1", "m1"))
        return [(r.kind, r.region_id, r.review_id) for r in rows[1:]]

    def test_taken(self) -> None:
        (row,) = self.magic_rows(as_submitted(self.OFFER.suggestions[0]))
        assert row == (OverrideKind.TAKEN, "m-s1", "m1")

    def test_taken_and_changed_says_what_was_changed(self) -> None:
        region = replace(as_submitted(self.OFFER.suggestions[0]), severity=Severity.MINOR)
        row = compare(an_annotation(AS_DRAFTED, region), [REVIEW, self.OFFER]).overrides[1]
        assert (row.kind, row.edits) == (OverrideKind.TAKEN, (Aspect.SEVERITY,))

    def test_not_taken(self) -> None:
        assert self.magic_rows() == [(OverrideKind.NOT_TAKEN, "", "m1")]

    def test_a_left_over_box_is_marked_as_such(self) -> None:
        assert self.magic_rows(self.DRAWN)[1] == (OverrideKind.LEFT_OVER, "drawn", "m1")

    def test_a_left_over_box_that_was_filled_in_is_a_region_of_the_reviewers_own(self) -> None:
        rows = self.magic_rows(replace(self.DRAWN, rationale="Grain on the wall."))
        assert (OverrideKind.ADDED, "drawn", "") in rows

    @pytest.mark.parametrize("asked_s", [30, 200])
    def test_an_offer_to_somebody_else_is_not_held_against_this_annotation(self, asked_s: int) -> None:
        """Made before this annotation was begun, or after its last change."""
        offer = replace(self.OFFER, created_at=at(asked_s))
        assert compare(an_annotation(AS_DRAFTED), [REVIEW, offer]).review_ids == ("r1",)

    def test_an_offer_alone_is_what_the_reviewer_saw(self) -> None:
        comparison = compare(an_annotation(), [self.OFFER])
        assert (comparison.exposure, comparison.provenance) == ("offered", self.OFFER.provenance)


class TestAwkwardSubmissions:
    """What real annotators do with the tools at hand."""

    @pytest.mark.parametrize("shape", [Shape.POLYGON, Shape.BRUSH, Shape.ELLIPSE])
    def test_another_shape_over_a_suggestion_is_paired_by_its_bounding_box(self, shape: Shape) -> None:
        drawn = replace(AS_DRAFTED, id="drawn", shape=shape, box=Box(0.11, 0.1, 0.19, 0.2))
        row = only_region_row(compare(an_annotation(drawn), [REVIEW]))
        assert (row.kind, row.suggestion_id, row.edits) == (OverrideKind.EDITED, "s1", (Aspect.PLACE,))

    def test_a_box_far_outside_is_added_and_breaks_nothing(self) -> None:
        lost = replace(OWN, box=Box(1.5, -2.0, 0.2, 0.0))
        rows = compare(an_annotation(lost), [REVIEW]).overrides
        assert [(r.kind, r.iou) for r in rows[:2]] == [(OverrideKind.REJECTED, None), (OverrideKind.ADDED, None)]

    def test_an_annotation_begun_from_another_is_compared_with_its_own_regions(self) -> None:
        """The copy keeps some region ids and gets new ones for others."""
        second = a_suggestion("s2", box=Box(0.6, 0.6, 0.2, 0.2))
        review = a_review("r1", SUGGESTION, second)
        copied = replace(as_submitted(second), id="copied")
        annotation = replace(an_annotation(AS_DRAFTED, copied), parent_annotation=10)
        rows = compare(annotation, [review]).overrides[:2]
        assert [(r.kind, r.suggestion_id, r.region_id) for r in rows] == [
            (OverrideKind.UNTOUCHED, "s1", "s1"),
            (OverrideKind.UNTOUCHED, "s2", "copied"),
        ]

    def test_two_annotations_of_one_task_are_judged_apart(self) -> None:
        one, other = an_annotation(AS_DRAFTED, annotation_id=11), an_annotation(annotation_id=12)
        found = [only_region_row(compare(annotation, [REVIEW])).kind for annotation in (one, other)]
        assert found == [OverrideKind.UNTOUCHED, OverrideKind.REJECTED]

    def test_regions_that_share_an_id_are_both_there(self) -> None:
        """A broken export may hold one id twice; the second is a region of its own."""
        rows = compare(an_annotation(AS_DRAFTED, replace(OWN, id="s1")), [REVIEW]).overrides
        assert sorted(r.kind for r in rows if r.subject is Subject.REGION) == [
            OverrideKind.ADDED,
            OverrideKind.UNTOUCHED,
        ]
