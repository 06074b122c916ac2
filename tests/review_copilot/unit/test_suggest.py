"""Findings become suggestions: thresholds, merging, order, ids, verdict and summary."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fake_clock import FakeClock
from fake_label_studio import FakeImages
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.review import Exposure, ProjectKey, Provenance, Review, TaskKey
from review_copilot.domain.suggestion import Finding, Inspection, Scope
from review_copilot.library import load_guideline
from review_copilot.suggest.drafting import MAX_SUGGESTIONS, ReviewHeader, failed, suggest

KEY = TaskKey(ProjectKey("http://ls", 1, "1732360000"), 7)
PROVENANCE = Provenance("fake", "abc", "photo-quality r1 abc", "photo-quality", "0123")
HEADER = ReviewHeader(key=KEY, provenance=PROVENANCE, now=FakeClock().now())


@pytest.fixture(scope="module")
def guideline() -> Guideline:
    return load_guideline("photo-quality")


def finding(
    criterion: str = "PQ-06", *, severity: Severity = Severity.MINOR, score: float = 0.8, box: Box | None = None
) -> Finding:
    return Finding(criterion, severity, score, box, f"{criterion} is seen here.")


def review_of(guideline: Guideline, *findings: Finding, header: ReviewHeader = HEADER) -> Review:
    image = FakeImages().load("x.png")
    examined = frozenset(criterion.id for criterion in guideline.criteria)
    return suggest(
        Inspection(findings, examined=examined), image=image, guideline=guideline, header=header, min_score=0.3
    )


def test_nothing_found_is_a_review_with_verdict_and_summary(guideline: Guideline) -> None:
    review = review_of(guideline)
    assert review.suggestions == ()
    assert review.verdict is Verdict.PASS
    assert review.summary == "No flaw found that the guideline asks to flag."


def test_image_wide_comes_first_and_the_rest_by_falling_score(guideline: Guideline) -> None:
    review = review_of(
        guideline,
        finding("PQ-14", score=0.5, box=Box(0.1, 0.1, 0.1, 0.1)),
        finding("PQ-05", score=0.9, box=Box(0.5, 0.5, 0.2, 0.2)),
        finding("PQ-06", score=0.4),
    )
    assert [s.criterion_id for s in review.suggestions] == ["PQ-06", "PQ-05", "PQ-14"]
    assert review.suggestions[0].scope is Scope.IMAGE
    assert review.suggestions[0].box == Box.whole()


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [
        (finding(score=0.2), "below the least score"),
        (finding("XX-99"), "no such criterion"),
        (finding(box=Box(1.2, 0.1, 0.1, 0.1)), "outside the image"),
        (finding("PQ-05", score=0.5, box=Box(0.11, 0.1, 0.3, 0.3)), "the same flaw"),
    ],
)
def test_what_is_left_out_is_said(guideline: Guideline, left_out: Finding, reason: str) -> None:
    kept = finding("PQ-05", score=0.9, box=Box(0.1, 0.1, 0.3, 0.3))
    review = review_of(guideline, kept, left_out)
    assert [s.criterion_id for s in review.suggestions] == ["PQ-05"]
    assert [reason in d.reason for d in review.dropped] == [True]


def test_more_than_a_person_reviews_is_cut_and_counted(guideline: Guideline) -> None:
    boxes = [Box(0.02 * i, 0.0, 0.01, 0.01) for i in range(MAX_SUGGESTIONS + 5)]
    review = review_of(guideline, *(finding("PQ-14", box=box) for box in boxes))
    assert len(review.suggestions) == MAX_SUGGESTIONS
    assert len(review.dropped) == 5


def test_a_box_over_the_edge_is_clipped(guideline: Guideline) -> None:
    review = review_of(guideline, finding(box=Box(0.8, 0.8, 0.4, 0.4)))
    box = review.suggestions[0].box
    assert (box.right, box.bottom) == (1.0, 1.0)


def test_ids_are_the_same_for_the_same_draft_and_no_other(guideline: Guideline) -> None:
    one = review_of(guideline, finding())
    again = review_of(guideline, finding(), header=replace(HEADER, elapsed_s=9.0))
    other_task = review_of(guideline, finding(), header=replace(HEADER, key=replace(KEY, task_id=8)))
    other_server = review_of(
        guideline, finding(), header=replace(HEADER, key=replace(KEY, project=replace(KEY.project, instance="b")))
    )
    other_rollout = review_of(
        guideline, finding(), header=replace(HEADER, provenance=replace(PROVENANCE, rollout="photo-quality r2 d"))
    )
    assert one.id == again.id
    assert one.suggestions[0].id == again.suggestions[0].id
    assert len({r.suggestions[0].id for r in (one, other_task, other_server, other_rollout)}) == 4
    assert len({r.id for r in (one, other_task, other_server, other_rollout)}) == 4


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ((finding(severity=Severity.CRITICAL),), Verdict.FAIL),
        ((finding("PQ-06", severity=Severity.MAJOR), finding("PQ-07", severity=Severity.MAJOR)), Verdict.FAIL),
        ((finding(severity=Severity.MAJOR),), Verdict.DISCUSS),
        ((finding("PQ-06"), finding("PQ-07"), finding("PQ-08")), Verdict.DISCUSS),
        ((finding(UNCOVERED),), Verdict.DISCUSS),
        ((finding("PQ-06"), finding("PQ-07")), Verdict.PASS),
    ],
)
def test_the_verdict_follows_the_guidelines_rule(
    guideline: Guideline, findings: tuple[Finding, ...], verdict: Verdict
) -> None:
    assert review_of(guideline, *findings).verdict is verdict


def test_the_summary_names_the_worst_first_and_counts_places(guideline: Guideline) -> None:
    review = review_of(
        guideline,
        finding("PQ-14", score=0.9, box=Box(0.1, 0.1, 0.1, 0.1)),
        finding("PQ-14", score=0.9, box=Box(0.6, 0.6, 0.1, 0.1)),
        finding("PQ-01", severity=Severity.CRITICAL, score=0.5),
    )
    assert review.summary == "Not usable because of out of focus (critical) and dust or scratch (minor, 2 places)."


def test_a_failed_review_says_why_and_suggests_nothing() -> None:
    review = failed(HEADER, error="x.png is no image.")
    assert review.exposure is Exposure.FAILED
    assert review.error == "x.png is no image."
    assert review.suggestions == ()
