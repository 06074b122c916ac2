"""An image passes only where everything was examined, and only sure findings decide."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import a_criterion, a_guideline, a_suggestion
from fake_clock import FakeClock
from fake_label_studio import FakeImages
from review_copilot.domain.guideline import Guideline, Severity, Verdict, VerdictRule
from review_copilot.domain.review import ProjectKey, Provenance, Review, TaskKey
from review_copilot.domain.suggestion import SURE_FROM, Finding, Inspection, Suggestion
from review_copilot.suggest.drafting import ReviewHeader, suggest
from review_copilot.suggest.verdict import MOST_NAMED, decide

HEADER = ReviewHeader(
    key=TaskKey(ProjectKey("http://ls", 1, "1732360000"), 7),
    provenance=Provenance("fake", "abc", "g r1 abc", "g", "0123"),
    now=FakeClock().now(),
)
LABELS = ("Noise", "Background", "Wrong product")


@pytest.fixture
def guideline() -> Guideline:
    made = a_guideline(*(a_criterion(f"C-{n}", label=label) for n, label in enumerate(LABELS, start=1)))
    rule = VerdictRule("One critical flaw fails; one major flaw is discussed.", {"critical": 1}, {"major": 1})
    return replace(made, verdict=rule)


def found(severity: Severity, score: float) -> Suggestion:
    return replace(a_suggestion(), severity=severity, score=score)


def drafted(guideline: Guideline, inspection: Inspection) -> Review:
    return suggest(inspection, image=FakeImages().load("x.png"), guideline=guideline, header=HEADER, min_score=0.0)


def finding(severity: Severity = Severity.MINOR, score: float = 0.8) -> Finding:
    return Finding("C-1", severity, score, None, "Whole image: grain.")


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(SURE_FROM, Verdict.FAIL), (SURE_FROM - 0.0001, Verdict.DISCUSS)],
)
def test_a_finding_decides_from_the_score_that_is_sure(guideline: Guideline, score: float, verdict: Verdict) -> None:
    assert decide([found(Severity.CRITICAL, score)], guideline, sure_from=SURE_FROM) is verdict


def test_an_unsure_finding_that_changes_nothing_leaves_the_verdict(guideline: Guideline) -> None:
    sure, doubted = found(Severity.CRITICAL, 0.9), found(Severity.CRITICAL, 0.2)
    assert decide([sure, doubted], guideline, sure_from=SURE_FROM) is Verdict.FAIL
    assert decide([found(Severity.MINOR, 0.2)], guideline, sure_from=SURE_FROM) is Verdict.PASS


def test_a_discussed_image_is_not_failed_by_doubt(guideline: Guideline) -> None:
    verdict = decide([found(Severity.MAJOR, 0.9), found(Severity.CRITICAL, 0.3)], guideline, sure_from=SURE_FROM)
    assert verdict is Verdict.DISCUSS


@pytest.mark.parametrize(
    ("severity", "verdict"),
    [(Severity.CRITICAL, Verdict.FAIL), (Severity.MAJOR, Verdict.DISCUSS), (Severity.MINOR, Verdict.DISCUSS)],
)
def test_pass_needs_everything_examined_and_a_found_flaw_does_not(
    guideline: Guideline, severity: Severity, verdict: Verdict
) -> None:
    assert decide([found(severity, 0.9)], guideline, sure_from=SURE_FROM, complete=False) is verdict


def test_what_nobody_examined_opens_the_summary_and_is_no_pass(guideline: Guideline) -> None:
    review = drafted(guideline, Inspection((), examined=frozenset({"C-1"})))
    assert review.verdict is Verdict.DISCUSS
    assert review.unexamined == ("C-2", "C-3")
    assert review.summary == "Not examined: background, wrong product. No flaw found in the other 1 criterion."


def test_an_inspector_that_examined_nothing_passes_nothing(guideline: Guideline) -> None:
    review = drafted(guideline, Inspection((), verdict=Verdict.PASS, summary="A fine image."))
    assert review.verdict is Verdict.DISCUSS
    assert review.summary == "Not examined: all 3 criteria."
    assert review.notes == ("The inspector's own verdict was pass; the guideline's rule gives discuss.",)


def test_a_flaw_is_summarized_behind_what_was_not_examined(guideline: Guideline) -> None:
    review = drafted(guideline, Inspection((finding(Severity.CRITICAL),), examined=frozenset({"C-1", "C-2"})))
    assert review.verdict is Verdict.FAIL
    assert review.summary == "Not examined: wrong product. Not usable because of noise (critical)."


def test_full_coverage_may_pass(guideline: Guideline) -> None:
    review = drafted(guideline, Inspection((), examined=frozenset({"C-1", "C-2", "C-3"})))
    assert (review.verdict, review.unexamined) == (Verdict.PASS, ())
    assert review.summary == "No flaw found that the guideline asks to flag."


def test_many_unexamined_criteria_are_named_and_counted() -> None:
    guideline = a_guideline(*(a_criterion(f"C-{n}", label=f"Flaw {n}") for n in range(1, MOST_NAMED + 4)))
    review = drafted(guideline, Inspection((), examined=frozenset({"C-1"})))
    assert "flaw 2, flaw 3, flaw 4, flaw 5, flaw 6, flaw 7 and 2 more. No flaw" in review.summary


def test_a_models_own_verdict_stands_only_where_the_rule_agrees(guideline: Guideline) -> None:
    everything = frozenset({"C-1", "C-2", "C-3"})
    own = Inspection((finding(Severity.MINOR),), verdict=Verdict.FAIL, summary="Unusable.", examined=everything)
    review = drafted(guideline, own)
    assert (review.verdict, review.summary) == (Verdict.PASS, "Usable despite noise (minor).")
    assert "own verdict was fail" in review.notes[0]
    agreed = drafted(guideline, replace(own, verdict=Verdict.PASS, summary="Slight grain."))
    assert (agreed.verdict, agreed.summary, agreed.notes) == (Verdict.PASS, "Slight grain.", ())


def test_a_place_that_was_asked_for_is_not_called_incomplete(guideline: Guideline) -> None:
    header = replace(HEADER, box=finding().box or a_suggestion().box)
    image = FakeImages().load("x.png")
    review = suggest(Inspection(()), image=image, guideline=guideline, header=header, min_score=0.0)
    assert review.unexamined == ()
