"""Forms of boxes, values, and whole replies that a second set of composed replies did not read."""

from __future__ import annotations

import html
import json
from collections.abc import Callable

import numpy as np
import pytest

from builders import a_criterion, a_guideline
from fake_endpoint import finding, reply
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.inspectors.completion import read_completion
from review_copilot.inspectors.coordinates import Convention, Order, Unit
from review_copilot.inspectors.message_text import text_of
from review_copilot.inspectors.reply import Reply, ReplyForm, ReplyProblem
from review_copilot.inspectors.reply_reader import read_reply
from review_copilot.inspectors.views import View

FORM = ReplyForm(
    a_guideline(a_criterion("C-01"), a_criterion("C-02", label="Other"), a_criterion("C-10", label="Third")),
    Convention(Unit.THOUSANDTHS, Order.XYXY),
)
VIEW = View(np.zeros((500, 1000, 3), np.uint8))
GOOD = reply(finding(box=[100, 200, 300, 400]), verdict="fail", looked_at=("C-01", "C-02", "C-10"))


def read(text: str, *, form: ReplyForm = FORM) -> Reply:
    return read_reply(text, form=form, views=[VIEW])


def read_one(**changes: object) -> Reply:
    return read(reply(finding(**changes), looked_at=("C-01", "C-02", "C-10")))  # type: ignore[arg-type]  # any JSON


@pytest.mark.parametrize(
    "box",
    [
        {"x0": 100, "y0": 200, "x1": 300, "y1": 400},
        {"x_start": 100, "y_start": 200, "x_end": 300, "y_end": 400},
        {"fromX": 100, "fromY": 200, "toX": 300, "toY": 400},
        {"topLeftX": 100, "topLeftY": 200, "bottomRightX": 300, "bottomRightY": 400},
        [[100, 200], [300, 200], [300, 400], [100, 400]],
        [[300, 400], [100, 400], [100, 200], [300, 200], [300, 400]],
        [{"x": 100, "y": 200}, {"x": 300, "y": 200}, {"x": 300, "y": 400}, {"x": 100, "y": 400}],
    ],
)
@pytest.mark.parametrize("order", [Order.XYXY, Order.YXYX])
def test_a_box_of_named_edges_or_four_corners_is_read(box: object, order: Order) -> None:
    """Unnamed numbers of a family that writes y first are swapped; named ones are what their names say."""
    form = ReplyForm(FORM.guideline, Convention(Unit.THOUSANDTHS, order))
    got = read(reply(finding(box=box)), form=form).findings[0].box
    unnamed = isinstance(box, list) and isinstance(box[0], list)
    want = Box(0.2, 0.1, 0.2, 0.2) if unnamed and order is Order.YXYX else Box(0.1, 0.2, 0.2, 0.2)
    assert got is not None
    assert got.iou(want) > 0.999


@pytest.mark.parametrize(
    "box",
    [
        [[100, 200], [300, 250], [300, 400], [100, 400]],
        [[100, 200], [300, 200], [300, 400], [100, 400], [100, 300]],
        [[100, 200], [100, 200], [300, 400], [300, 400]],
        [[100, 200], [300, 200], [300, 400], [100]],
    ],
)
def test_corners_of_no_rectangle_are_no_box(box: object) -> None:
    with pytest.raises(ReplyProblem, match="corner"):
        read_one(box=box)


@pytest.mark.parametrize("severity", [["major"], {"severity": "major", "score": 0.9}, {"level": ["Major"]}])
def test_a_severity_in_a_container_is_read(severity: object) -> None:
    assert read_one(severity=severity).findings[0].severity is Severity.MAJOR


@pytest.mark.parametrize("confidence", [[80], {"value": 0.8}, {"confidence": "80 %", "reason": "clear"}])
def test_a_confidence_in_a_container_is_read(confidence: object) -> None:
    assert read_one(confidence=confidence).findings[0].confidence == pytest.approx(0.8)


@pytest.mark.parametrize(("written", "means"), [("C-1", "C-01"), ("c10", "C-10"), ("C‑001 Flaw", "C-01")])
def test_a_criterion_may_have_another_number_of_zeros(written: str, means: str) -> None:
    assert read_one(criterion=written).findings[0].criterion_id == means


@pytest.mark.parametrize(
    "coverage",
    [
        {"C-01": {"result": "flaw"}, "C-02": {"result": "none"}, "C-10": {"status": "clean", "note": "sharp"}},
        {"C-01": 1, "C-02": 0, "C-10": "0"},
        {"C-01": ["flaw"], "C-02": ["none"], "C-10": [False]},
        [{"id": "C-01", "found": True}, {"id": "C-02", "found": False}, {"id": "C-10", "value": "none"}],
    ],
)
def test_what_is_reported_of_each_criterion_is_read_in_containers_and_numbers(coverage: object) -> None:
    """An object such as {"result": "none"} was taken for a flaw."""
    got = read(json.dumps({**json.loads(GOOD), "criteria": coverage}))
    assert got.examined == {"C-01", "C-02", "C-10"}
    assert got.answered
    assert got.faults == ()


def test_an_object_that_stands_for_no_value_is_no_answer_of_a_criterion() -> None:
    got = read(json.dumps({**json.loads(GOOD), "criteria": {"C-01": "flaw", "C-02": None, "C-10": {}}}))
    assert not got.answered


def test_a_reply_that_was_escaped_for_a_page_is_read() -> None:
    assert read(html.escape(GOOD)).findings == read(GOOD).findings
    quoted = read_one(box=None, rationale="The sign says &quot;open&quot;.")
    assert quoted.findings[0].rationale == "The sign says &quot;open&quot;.", "escapes within a reply stay"


@pytest.mark.parametrize(
    "around",
    [
        lambda text: {"output": f"<json>{text}</json>"},
        lambda text: {"output": {"text": f"Here it is:\n```json\n{text}\n```"}},
        lambda text: {"answer": html.escape(text)},
    ],
)
def test_a_reply_in_a_wrapped_text_with_words_around_it_is_read(around: Callable[[str], object]) -> None:
    assert read(json.dumps(around(GOOD))).findings == read(GOOD).findings


def test_a_draft_in_one_of_several_texts_is_no_reply() -> None:
    draft = {"thoughts": 'At first {"findings": [], "verdict": "pass"}.', "answer": "I cannot tell."}
    with pytest.raises(ReplyProblem):
        read(json.dumps(draft))


@pytest.mark.parametrize(
    "wrapped", [json.dumps({"output": GOOD}), f"I am sure now. {json.dumps({'output': GOOD})}", GOOD]
)
def test_a_reply_within_a_string_at_the_end_of_a_thought_is_found(wrapped: str) -> None:
    text = text_of({"content": "", "reasoning_content": wrapped}, by_tool=False)
    got = read(text)
    assert (got.findings, got.verdict) == (read(GOOD).findings, Verdict.FAIL)


def test_a_completion_of_the_older_api_is_read() -> None:
    body = json.dumps({"choices": [{"text": GOOD, "finish_reason": "stop"}]}).encode()
    assert read(text_of(read_completion(body).message, by_tool=False)).findings == read(GOOD).findings
