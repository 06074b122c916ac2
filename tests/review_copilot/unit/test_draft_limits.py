"""Every limit of drafting just under and just over, what an id is made of, and the verdict's rule by its words."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from builders import NOON, a_criterion, a_guideline, a_provenance, a_review, a_suggestion, an_image, task_key
from fake_label_studio import FakeImages
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.review import Exposure, Review
from review_copilot.domain.suggestion import Dropped, Finding, Inspection, Scope, Usage
from review_copilot.suggest.crop_features import crop_features_of
from review_copilot.suggest.drafting import (
    MAX_SUGGESTIONS,
    MERGE_IOU,
    NAMESPACE,
    ReviewHeader,
    failed,
    nothing_said,
    remarked,
    suggest,
)

HEADER = ReviewHeader(key=task_key(), provenance=a_provenance(), now=NOON)
GUIDELINE = a_guideline(a_criterion("C-01", label="Soft"), a_criterion("C-02", label="Noise"))
BOTH = frozenset({"C-01", "C-02"})


def finding(
    criterion: str = "C-01", *, severity: Severity = Severity.MINOR, score: float = 0.8, box: Box | None = None
) -> Finding:
    return Finding(criterion, severity, score, box, f"{criterion} is seen.")


def drafted(
    *findings: Finding,
    header: ReviewHeader = HEADER,
    min_score: float = 0.3,
    guideline: Guideline = GUIDELINE,
) -> Review:
    image = FakeImages().load("x.png")
    inspection = Inspection(findings, examined=BOTH)
    return suggest(inspection, image=image, guideline=guideline, header=header, min_score=min_score)


@pytest.mark.parametrize(("score", "kept"), [(0.3, 1), (0.2999, 0), (0.3001, 1)])
def test_a_finding_at_the_least_score_is_kept_and_one_below_is_not(score: float, kept: int) -> None:
    review = drafted(finding(score=score))
    assert len(review.suggestions) == kept
    assert review.dropped == (() if kept else (Dropped("C-01 at score 0.30", "below the least score of 0.3"),))


@pytest.mark.parametrize(
    ("height", "merged"),
    [(0.301, True), (0.3, False), (0.299, False)],  # 0.5 x 0.3 of 0.5 x 0.5 is an overlap of .6
)
def test_findings_of_one_criterion_are_one_above_an_overlap_of_six_tenths(height: float, *, merged: bool) -> None:
    strong = finding(score=0.9, box=Box(0.0, 0.0, 0.5, 0.5))
    review = drafted(strong, finding(score=0.5, box=Box(0.0, 0.0, 0.5, height)))
    assert len(review.suggestions) == (1 if merged else 2)
    assert review.suggestions[0].score == 0.9
    assert MERGE_IOU == 0.6


def test_findings_of_two_criteria_on_one_place_stay_two() -> None:
    box = Box(0.0, 0.0, 0.5, 0.5)
    assert len(drafted(finding(box=box), finding("C-02", box=box)).suggestions) == 2


def test_a_finding_everywhere_takes_the_place_of_the_whole_image() -> None:
    review = drafted(finding(score=0.9), finding(score=0.8, box=Box(0.0, 0.0, 1.0, 0.61)))
    assert [(s.scope, s.box) for s in review.suggestions] == [(Scope.IMAGE, Box.whole())]
    assert review.dropped == (Dropped("C-01 at score 0.80", "the same flaw as a stronger finding"),)


@pytest.mark.parametrize(("count", "dropped"), [(30, 0), (31, 1)])
def test_thirty_suggestions_are_kept_and_the_weakest_go(count: int, dropped: int) -> None:
    findings = [finding(score=0.5 + i / 100, box=Box(i / 40, 0.0, 0.01, 0.01)) for i in range(count)]
    review = drafted(*findings)
    assert (len(review.suggestions), len(review.dropped), MAX_SUGGESTIONS) == (30, dropped, 30)
    assert [d.what for d in review.dropped] == ["C-01 at score 0.50"] * dropped
    assert [d.reason for d in review.dropped] == ["more than 30 suggestions on one image"] * dropped


def test_every_reason_for_leaving_out_names_what_was_left_out() -> None:
    review = drafted(finding("X-1", score=0.75), finding(score=0.625, box=Box(1.2, 0.0, 0.1, 0.1)))
    assert review.dropped == (
        Dropped("X-1 at score 0.75", "the guideline drawn has no such criterion"),
        Dropped("C-01 at score 0.62", "its box lies outside the image"),
    )


def test_what_no_criterion_covers_is_kept_under_a_guideline_without_it() -> None:
    (suggestion,) = drafted(finding(UNCOVERED)).suggestions
    assert (suggestion.criterion_id, suggestion.label) == (UNCOVERED, "Novel pattern")


@pytest.mark.parametrize(("score", "shown"), [(1.7, 1.0), (0.123456, 0.1235), (1.0, 1.0)])
def test_a_score_is_bounded_and_rounded_to_four_digits(score: float, shown: float) -> None:
    assert drafted(finding(score=score), min_score=0.0).suggestions[0].score == shown


def test_a_score_below_nothing_is_nothing() -> None:
    assert drafted(finding(score=-0.5), min_score=-1.0).suggestions[0].score == 0.0


def test_order_is_image_wide_first_then_by_falling_score() -> None:
    box = Box(0.1, 0.1, 0.1, 0.1)
    found = drafted(
        finding("C-01", score=0.4, box=box),
        finding("C-02", score=0.6, box=box),
        finding("C-01", score=0.35),
        finding("C-02", score=0.45),
    )
    assert [(s.criterion_id, s.score) for s in found.suggestions] == [
        ("C-02", 0.45),
        ("C-01", 0.35),
        ("C-02", 0.6),
        ("C-01", 0.4),
    ]


def test_a_suggestion_carries_all_that_the_finding_says() -> None:
    said = Finding(
        "C-02", Severity.CRITICAL, 0.7, Box(0.9, 0.9, 0.2, 0.3), "Grain.", evidence={"sigma": 4.0}, source="measured"
    )
    (one,) = drafted(said).suggestions
    assert (one.criterion_id, one.label, one.severity, one.score, one.scope) == (
        "C-02",
        "Noise",
        Severity.CRITICAL,
        0.7,
        Scope.REGION,
    )
    assert (one.box, one.rationale, one.evidence, one.source) == (
        Box(0.9, 0.9, 1.0 - 0.9, 1.0 - 0.9),
        "Grain.",
        {"sigma": 4.0},
        "measured",
    )


def test_a_review_carries_all_of_its_header_and_inspection() -> None:
    image = an_image(np.full((40, 60, 3), 128, np.uint8))
    usage = Usage(prompt_tokens=5, calls=1)
    header = replace(HEADER, elapsed_s=2.5, exposure=Exposure.WITHHELD, box=Box(0.1, 0.2, 0.3, 0.4))
    inspection = Inspection(
        (finding("X-1"),), examined=BOTH, notes=("n",), dropped=(Dropped("a", "b"),), usage=usage, summary="Said."
    )
    review = suggest(inspection, image=image, guideline=GUIDELINE, header=header, min_score=0.3)
    assert (review.key, review.provenance, review.created_at) == (header.key, header.provenance, NOON)
    assert (review.elapsed_s, review.exposure, review.box) == (2.5, Exposure.WITHHELD, header.box)
    assert (review.image_width_px, review.image_height_px, review.image_sha256) == (60, 40, image.sha256)
    assert (review.notes, review.usage, review.image) == (("n",), usage, "drawn.png")
    assert (review.summary, review.image_fingerprint) == ("Said.", "")
    assert [d.what for d in review.dropped] == ["a", "X-1 at score 0.80"]


FINDING = finding(box=Box(0.1, 0.2, 0.3, 0.4))


class TestIds:
    """The same draft gives the same id in every process and version; whatever a draft is made of gives another."""

    def ids(self, *, header: ReviewHeader = HEADER, said: Finding = FINDING) -> tuple[str, str]:
        review = drafted(said, header=header)
        return review.id, review.suggestions[0].id

    def test_are_those_of_the_first_version(self) -> None:
        """Ids stand in Label Studio's database and in the log. This one may never change."""
        assert str(NAMESPACE) == "0c4b6a52-6f0e-5d0b-9d3a-5a0c7f1f9b11"
        written = (
            '["http://label-studio.test", 7, "1760000000", 1, "photo-quality r1 0a1b2c", null, '
            '"C-01", "minor", [0.1, 0.2, 0.3, 0.4], "C-01 is seen."]'
        )
        assert self.ids()[1] == str(uuid.uuid5(NAMESPACE, written)) == "7e5d01a8-feb1-54df-84d6-df4ea554911d"

    @pytest.mark.parametrize(
        "header",
        [
            replace(HEADER, key=replace(HEADER.key, task_id=2)),
            replace(HEADER, key=replace(HEADER.key, project=replace(HEADER.key.project, instance="http://b"))),
            replace(HEADER, key=replace(HEADER.key, project=replace(HEADER.key.project, project_id=8))),
            replace(HEADER, key=replace(HEADER.key, project=replace(HEADER.key.project, created="1760000001"))),
            replace(HEADER, provenance=a_provenance(rollout="photo-quality r2 d")),
            replace(HEADER, box=Box(0.0, 0.0, 0.5, 0.5)),
        ],
        ids=["task", "instance", "project", "creation stamp", "roll-out", "box"],
    )
    def test_differ_by_each_part_of_where_it_was_drafted(self, header: ReviewHeader) -> None:
        one, other = self.ids(), self.ids(header=header)
        assert one[0] != other[0]
        assert one[1] != other[1]

    @pytest.mark.parametrize("edge", range(4))
    def test_differ_by_each_edge_of_the_box_that_was_asked_for(self, edge: int) -> None:
        numbers = [0.1, 0.1, 0.5, 0.5]
        one = self.ids(header=replace(HEADER, box=Box(*numbers)))
        numbers[edge] += 0.01
        assert self.ids(header=replace(HEADER, box=Box(*numbers)))[1] != one[1]

    @pytest.mark.parametrize(
        "said",
        [
            replace(FINDING, criterion_id="C-02"),
            replace(FINDING, severity=Severity.MAJOR),
            replace(FINDING, rationale="Another."),
            *(replace(FINDING, box=Box(*box)) for box in ((0.11, 0.2, 0.3, 0.4), (0.1, 0.21, 0.3, 0.4))),
            *(replace(FINDING, box=Box(*box)) for box in ((0.1, 0.2, 0.31, 0.4), (0.1, 0.2, 0.3, 0.41))),
            replace(FINDING, box=Box(0.10001, 0.2, 0.3, 0.4)),
        ],
    )
    def test_differ_by_each_part_of_what_was_found(self, said: Finding) -> None:
        assert self.ids(said=said)[1] != self.ids()[1]

    def test_do_not_differ_by_what_a_reviewer_cannot_see(self) -> None:
        header = replace(HEADER, elapsed_s=9.0, now=NOON + timedelta(days=1))
        assert self.ids(header=header, said=replace(FINDING, score=0.9)) == self.ids()
        rounding = replace(FINDING, box=Box(0.100001, 0.2, 0.3, 0.4))
        assert self.ids(said=rounding)[1] == self.ids()[1]

    def test_of_a_review_differ_by_what_is_shown_of_it(self) -> None:
        assert self.ids(header=replace(HEADER, exposure=Exposure.WITHHELD))[0] != self.ids()[0]
        two = drafted(FINDING, finding("C-02"))
        assert two.id != self.ids()[0]


def test_a_review_that_failed_carries_its_header_and_why() -> None:
    header = replace(HEADER, elapsed_s=2.5, box=Box(0.1, 0.2, 0.3, 0.4))
    review = failed(header, error="No image.", kind="ImageNotFound")
    assert (review.exposure, review.error, review.error_kind) == (Exposure.FAILED, "No image.", "ImageNotFound")
    assert (review.verdict, review.summary, review.suggestions) == (Verdict.DISCUSS, "", ())
    assert (review.key, review.provenance, review.created_at) == (header.key, header.provenance, NOON)
    assert (review.elapsed_s, review.box, review.image_width_px, review.image_height_px) == (2.5, header.box, 0, 0)
    assert failed(header, error="No image.").error_kind == ""


def test_each_failure_has_an_id_of_its_own() -> None:
    later = replace(HEADER, now=NOON + timedelta(seconds=1))
    made = [failed(HEADER, error="a"), failed(HEADER, error="b"), failed(later, error="a"), nothing_said(HEADER)]
    assert len({review.id for review in made}) == 4
    assert failed(HEADER, error="a").id == made[0].id


def test_a_place_of_which_nothing_may_be_said_keeps_its_exposure() -> None:
    review = nothing_said(replace(HEADER, exposure=Exposure.WITHHELD))
    assert (review.exposure, review.error, review.error_kind) == (Exposure.WITHHELD, "", "")


def test_a_remark_takes_the_place_of_an_earlier_one() -> None:
    review = a_review("r1", a_suggestion("s1"), summary="One flaw.")
    later = NOON + timedelta(hours=1)
    once = remarked(review, remark="Like task 3.", evidence={"a": 1}, now=later)
    assert (once.summary, once.remark, once.created_at) == ("One flaw. Like task 3.", "Like task 3.", later)
    assert once.suggestions[0].evidence == {"edge_width_px": 4.0, "a": 1}
    assert once.suggestions[0].id == "s1"
    twice = remarked(once, remark="Like task 4.", evidence={"a": 2}, now=later)
    assert (twice.summary, twice.suggestions[0].evidence["a"]) == ("One flaw. Like task 4.", 2)
    assert len({review.id, once.id, twice.id}) == 3
    assert remarked(review, remark="Like task 3.", evidence={}, now=NOON).id == once.id
    assert remarked(replace(review, summary=""), remark="Like.", evidence={}, now=later).summary == "Like."


class TestWholeReviews:
    """What an inspection and its header make of a review as a whole."""

    IMAGE = FakeImages().load("x.png")

    def review(self, inspection: Inspection, *, header: ReviewHeader = HEADER) -> Review:
        return suggest(inspection, image=self.IMAGE, guideline=GUIDELINE, header=header, min_score=0.3)

    def test_an_image_that_was_examined_in_part_is_to_be_discussed_and_says_so(self) -> None:
        review = self.review(Inspection((), examined=frozenset({"C-01"})))
        assert (review.unexamined, review.verdict) == (("C-02",), Verdict.DISCUSS)
        assert review.summary == "Not examined: noise. No flaw found in the other 1 criterion."

    def test_a_box_that_was_asked_for_is_not_the_whole_image(self) -> None:
        header = replace(HEADER, box=Box(0.1, 0.1, 0.2, 0.2))
        review = self.review(Inspection((), examined=frozenset()), header=header)
        assert (review.unexamined, review.verdict) == ((), Verdict.PASS)

    @pytest.mark.parametrize(("sure_from", "verdict"), [(0.8, Verdict.FAIL), (0.81, Verdict.DISCUSS)])
    def test_an_inspector_says_from_which_score_it_is_sure(self, sure_from: float, verdict: Verdict) -> None:
        found = (finding(severity=Severity.CRITICAL, score=0.8),)
        assert self.review(Inspection(found, examined=BOTH, sure_from=sure_from)).verdict is verdict

    @pytest.mark.parametrize(
        ("own", "notes", "summary"),
        [
            (None, (), "Own words."),
            (Verdict.PASS, (), "Own words."),
            (
                Verdict.FAIL,
                ("The inspector's own verdict was fail; the guideline's rule gives pass.",),
                "No flaw found that the guideline asks to flag.",
            ),
        ],
    )
    def test_the_guidelines_rule_goes_before_the_inspectors_own_verdict(
        self, own: Verdict | None, notes: tuple[str, ...], summary: str
    ) -> None:
        review = self.review(Inspection((), examined=BOTH, verdict=own, summary="Own words."))
        assert (review.verdict, review.notes, review.summary) == (Verdict.PASS, notes, summary)

    def test_every_suggestion_carries_the_numbers_of_its_crop(self) -> None:
        boxes = (Box(0.1, 0.1, 0.2, 0.2), Box.whole())
        review = self.review(Inspection(tuple(finding(box=box) for box in boxes), examined=BOTH))
        pixels = self.IMAGE.feature_pixels
        assert pixels is not None
        assert {s.box: s.crop_features for s in review.suggestions} == {
            box: crop_features_of(pixels, box) for box in boxes
        }

    def test_an_image_has_a_fingerprint_and_a_box_has_none(self) -> None:
        noise = np.random.default_rng(0).integers(0, 255, (8, 8)).astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        image = an_image(np.repeat(noise[:, :, None], 3, axis=2))
        whole, part = (
            suggest(
                Inspection((), examined=BOTH),
                image=image,
                guideline=GUIDELINE,
                header=replace(HEADER, box=box),
                min_score=0.3,
            )
            for box in (None, Box(0.1, 0.1, 0.2, 0.2))
        )
        assert len(whole.image_fingerprint) == 16
        assert part.image_fingerprint == ""

    @pytest.mark.parametrize(
        ("made", "written"),
        [
            ("drafted", '"review", [], "pass", "Clear.", "shown"'),
            ("failed", '"failed", "No image.", "2026-03-02T12:00:00+00:00"'),
            ("nothing said", '"nothing said", "2026-03-02T12:00:00+00:00"'),
        ],
    )
    def test_ids_of_reviews_are_those_of_the_first_version(self, made: str, written: str) -> None:
        """Ids stand in the log. They may never change."""
        reviews = {
            "drafted": self.review(Inspection((), examined=BOTH, summary="Clear.")),
            "failed": failed(HEADER, error="No image."),
            "nothing said": nothing_said(HEADER),
        }
        where = '"http://label-studio.test", 7, "1760000000", 1, "photo-quality r1 0a1b2c", null'
        assert reviews[made].id == str(uuid.uuid5(NAMESPACE, f"[{where}, {written}]"))
