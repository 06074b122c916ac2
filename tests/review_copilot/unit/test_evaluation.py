"""Scores, figures, and decisions of an evaluation, against numbers worked out by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_criterion, a_guideline, a_review, a_suggestion, a_task, task_key
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.review import Exposure, Review
from review_copilot.domain.suggestion import Suggestion, Usage
from review_copilot.evaluation.evaluation import (
    ENOUGH_BLIND,
    ENOUGH_DIFFERENT,
    Drafted,
    Evaluation,
    Outcome,
    evaluate,
)
from review_copilot.evaluation.evaluation_json import as_json
from review_copilot.evaluation.figures import Metric, columns_of, differences, figures
from review_copilot.evaluation.scores import Counts, ImageScore, matched, score_image
from review_copilot.evaluation.truth import Truth, TruthRegion

GUIDELINE = a_guideline(a_criterion("C-01"), a_criterion("C-02", label="Blur"), max_words=6)
HERE, THERE = Box(0.1, 0.1, 0.2, 0.2), Box(0.6, 0.6, 0.2, 0.2)
ALL = frozenset({"C-01", "C-02", UNCOVERED})


def suggested(criterion: str = "C-01", box: Box = HERE, **changes: object) -> Suggestion:
    made = replace(a_suggestion(box=box, criterion_id=criterion), rationale="Upper left: a dark spot.")
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's own names


def region(criterion: str = "C-01", box: Box = HERE, severity: Severity | None = Severity.MAJOR) -> TruthRegion:
    return TruthRegion(criterion, box, severity, "A dark spot.")


def truth(number: int, *regions: TruthRegion, verdict: Verdict | None = Verdict.FAIL, blind: bool = False) -> Truth:
    return Truth(a_task(number), f"{number}.png", regions, verdict, blind)


def draft(number: int, *suggestions: Suggestion, verdict: Verdict = Verdict.FAIL, **changes: object) -> Review:
    made = a_review(f"r{number}", *suggestions, key=task_key(number), verdict=verdict)
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's own names


def score(asked: Truth, review: Review) -> ImageScore:
    return score_image(asked, review, guideline=GUIDELINE, criteria=ALL)


def drafted(name: str, reviews: Sequence[Review], guideline: Guideline = GUIDELINE) -> Drafted:
    return Drafted(name, name, guideline, {review.key.task_id: review for review in reviews})


def test_a_suggestion_is_a_hit_only_with_the_same_criterion_and_half_the_overlap() -> None:
    asked = truth(1, region(), region("C-02", THERE), region("C-02", Box(0.0, 0.5, 0.1, 0.1)))
    said = draft(
        1,
        suggested(box=Box(0.1, 0.1, 0.2, 0.101), severity=Severity.MINOR),  # IoU 0.505
        suggested("C-01", THERE),  # the place of another criterion
        suggested("C-02", Box(0.7, 0.6, 0.2, 0.2)),  # IoU 1/3
    )
    found = score(asked, said)
    assert found.criteria == {"C-01": Counts(1, 1, 0, 1, 0), "C-02": Counts(0, 1, 2)}
    assert found.errors == 1 + 1 + 1 + 2
    assert found.verdict_agrees is True


def test_two_pairs_are_worth_more_than_one_better_pair() -> None:
    """One suggestion overlaps both regions; taking its best pair first would leave the other region missed."""
    wide, left, right = Box(0.0, 0.0, 0.4, 0.1), Box(0.0, 0.0, 0.3, 0.1), Box(0.1, 0.0, 0.4, 0.1)
    pairs = matched(
        [suggested(box=wide), suggested(box=Box(0.0, 0.0, 0.2, 0.1))], [region(box=left), region(box=right)]
    )
    assert sorted(pairs) == [(0, 1), (1, 0)]


def test_a_failed_draft_misses_everything_and_has_no_latency() -> None:
    spent = Usage(prompt_tokens=900, completion_tokens=100, cost_usd=0.5, calls=1)
    found = score(truth(1, region()), draft(1, exposure=Exposure.FAILED, error="no", usage=spent, verdict=Verdict.FAIL))
    assert found.criteria == {"C-01": Counts(0, 0, 1)}
    assert (found.failed, found.verdict_agrees, found.latency_s) == (True, False, None)
    assert (found.cost_usd, found.tokens) == (0.5, 1000), "money is spent all the same"


def test_a_cached_reply_has_neither_cost_nor_latency() -> None:
    found = score(truth(1), draft(1, usage=Usage(cache_hit=True), elapsed_s=0.01))
    assert (found.cost_usd, found.tokens, found.latency_s) == (None, None, None)
    unpriced = score(truth(1), draft(1, usage=Usage(prompt_tokens=900, completion_tokens=100, calls=1)))
    assert (unpriced.cost_usd, unpriced.tokens) == (None, 1000), "a model without a known price is not free"
    assert score(truth(1), draft(1, elapsed_s=2.5)).latency_s == 2.5, "an inspector without a model has no usage"


def test_rationales_are_measured_in_words() -> None:
    texts = score(
        truth(1, region()),
        draft(1, suggested(), suggested("C-02", THERE, rationale="One two three four five six seven")),
    ).texts
    assert (texts.rationales, texts.words, texts.within_limit, texts.name_place) == (2, 12, 1, 1)
    assert (texts.compared, texts.truth_words, texts.truth_rationales) == (1, 3, 1)
    assert texts.kept == pytest.approx(2 / 5), "people wrote 'dark spot.' in that order, of five words"


def test_figures_are_sums_over_images() -> None:
    scores = [
        ImageScore(1, {"C-01": Counts(2, 1, 0, 2, 1)}, verdict_agrees=True, cost_usd=0.1, latency_s=1.0),
        ImageScore(2, {"C-01": Counts(0, 1, 3)}, verdict_agrees=False, cost_usd=None, latency_s=3.0),
        ImageScore(3, {}, verdict_agrees=None, cost_usd=0.3, latency_s=5.0),
    ]
    found = figures(columns_of(scores, ["C-01", "C-02"]))
    assert found["", Metric.PRECISION].value == 2 / 4
    assert found["", Metric.RECALL].value == 2 / 5
    assert found["C-01", Metric.F1].value == pytest.approx(2 * 0.5 * 0.4 / 0.9)
    assert found["C-01", Metric.SEVERITY].value == 1 / 2
    assert (found["", Metric.VERDICT].value, found["", Metric.VERDICT].of) == (1 / 2, 2)
    assert found["", Metric.COST].value == pytest.approx(0.2)
    assert found["", Metric.COST].of == 2
    assert found["", Metric.LATENCY].value == 3.0
    assert math.isnan(found["C-02", Metric.F1].value)
    assert all(f.low <= f.value <= f.high for f in found.values() if f.of)


def test_an_interval_of_images_that_are_all_alike_still_has_a_width() -> None:
    found = figures(columns_of([ImageScore(n, {"C-01": Counts(1, 0, 0)}) for n in range(4)], ["C-01"]))
    recall = found["", Metric.RECALL]
    assert (recall.value, recall.high) == (1.0, 1.0)
    assert recall.low == pytest.approx(4 / (4 + 1.959964**2)), "Wilson's lower end of 4 of 4"


def test_an_interval_covers_the_true_recall_in_about_95_of_100_worlds() -> None:
    """Boxes of an image stand or fall together, so an interval that takes them for independent is too narrow."""
    generator = np.random.default_rng(5)
    covered = 0
    for _ in range(100):
        hits = [Counts(hits=4) if generator.random() < 0.6 else Counts(missed=4) for _ in range(60)]
        recall = figures(columns_of([ImageScore(n, {"C-01": c}) for n, c in enumerate(hits)], ["C-01"]))[
            "", Metric.RECALL
        ]
        covered += recall.low <= 0.6 <= recall.high
    assert 88 <= covered <= 100


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    """The setups fail on the same hard images; what differs is one hit in ten."""
    hard = [n % 3 == 0 for n in range(60)]
    first = columns_of(
        [ImageScore(n, {"C-01": Counts(0, 0, 1) if h else Counts(1, 0, 0)}) for n, h in enumerate(hard)], ["C-01"]
    )
    other = columns_of(
        [ImageScore(n, {"C-01": Counts(0, 0, 1) if h or n % 10 == 1 else Counts(1, 0, 0)}) for n, h in enumerate(hard)],
        ["C-01"],
    )
    paired = differences(first, other)["", Metric.RECALL]
    alone = figures(first)["", Metric.RECALL]
    assert paired.value == pytest.approx(-4 / 60)
    assert paired.high - paired.low < 0.6 * (alone.high - alone.low)
    assert paired.low < paired.value < paired.high < 0.0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8))
def test_a_setup_does_not_differ_from_itself(counts: list[tuple[int, int, int]]) -> None:
    columns = columns_of([ImageScore(n, {"C-01": Counts(*c)}) for n, c in enumerate(counts)], ["C-01"])
    known = [d for d in differences(columns, columns).values() if not math.isnan(d.value)]
    assert all((d.value, d.low, d.high) == (0.0, 0.0, 0.0) for d in known)


def compared(
    hits: int, other_hits: int, *, of: int = 40, margin: float = 0.02, blind: int = 0, blind_hits: int = 0
) -> Evaluation:
    """Two setups that find the flaw on so many images; on blind ones, the other finds it on `blind_hits`."""
    truths = [truth(n, region(), blind=n >= of) for n in range(of + blind)]
    first = [draft(n, *([suggested()] if n < hits or n >= of else [])) for n in range(of + blind)]
    other = [
        draft(n, *([suggested()] if n < other_hits or of <= n < of + blind_hits else [])) for n in range(of + blind)
    ]
    return evaluate(truths, [drafted("first", first), drafted("other", other)], margin=margin)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (compared(40, 20), Outcome.WORSE),
        (compared(20, 40), Outcome.BETTER),
        (compared(30, 30), Outcome.NOT_WORSE),
        (compared(40, 40 - ENOUGH_DIFFERENT + 1), Outcome.UNDECIDED),
        (compared(40, 40 - ENOUGH_DIFFERENT), Outcome.WORSE),
        (compared(40, 30, margin=0.5), Outcome.NOT_WORSE),
        (compared(40, 30, blind=ENOUGH_BLIND, blind_hits=ENOUGH_BLIND), Outcome.NOT_WORSE),
        (compared(40, 40, blind=ENOUGH_BLIND, blind_hits=4), Outcome.WORSE),
        (compared(40, 40, blind=ENOUGH_BLIND - 1, blind_hits=15), Outcome.UNDECIDED),
    ],
)
def test_the_outcome_follows_margin_interval_and_blind_images(found: Evaluation, outcome: Outcome) -> None:
    assert found.outcome is outcome, found.reasons


def test_the_same_draft_version_is_the_same_setup() -> None:
    reviews = [draft(n, suggested()) for n in range(3)]
    found = evaluate([truth(n, region()) for n in range(3)], [drafted("a", reviews), drafted("a", reviews)], margin=0)
    assert (found.outcome, found.differing, found.everything.different) == (Outcome.SAME, (), 0)


def test_only_criteria_of_both_guidelines_count() -> None:
    other = a_guideline(a_criterion("C-02", label="Blur"), a_criterion("C-03", label="New"))
    reviews = [draft(1, suggested(), suggested("C-02", THERE))]
    changed = [draft(1, suggested("C-02", THERE), suggested("C-03", HERE))]
    truths = [truth(1, region(), region("C-02", THERE), region("C-09"))]
    found = evaluate(truths, [drafted("a", reviews), drafted("b", changed, other)], margin=0.02)
    assert found.criteria == ("C-02", UNCOVERED)
    assert found.ignored_regions == 2
    assert [own["", Metric.F1].value for own in found.everything.figures] == [1.0, 1.0]


def test_images_without_a_draft_of_both_are_left_out_and_json_has_no_nan() -> None:
    truths = [truth(n, region(), verdict=None) for n in range(3)]
    first = drafted("a", [draft(n, suggested()) for n in range(3)])
    other = drafted("b", [draft(0), draft(1, exposure=Exposure.FAILED, error="The reply was cut off.")])
    found = evaluate(truths, [first, other], margin=0.02)
    assert (found.everything.images, found.failed) == (2, (0, 1))
    written = as_json(found)
    json.dumps(written, allow_nan=False)
    assert written["all"]["figures"][0]["verdict_agreement"]["value"] is None
    assert [image["errors"] for image in written["differing"]] == [[0, 1], [0, 1]]
    assert written["differing"][1]["drafts"][1] == {"error": "The reply was cut off."}


def test_images_on_which_the_other_is_worse_come_first() -> None:
    truths = [truth(1, region()), truth(2, region(), region("C-02", THERE)), truth(3)]
    first = drafted("a", [draft(1), draft(2, suggested(), suggested("C-02", THERE)), draft(3)])
    other = drafted("b", [draft(1, suggested()), draft(2), draft(3, suggested())])
    found = evaluate(truths, [first, other], margin=0.02)
    assert [image.truth.name for image in found.differing] == ["2.png", "3.png", "1.png"]
