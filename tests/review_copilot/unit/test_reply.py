"""What becomes of a model's reply: nothing wrong gets through, and nothing is lost in silence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_criterion, a_guideline
from fake_endpoint import finding, reply
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Verdict
from review_copilot.inspectors.coordinates import Convention, Order, Unit
from review_copilot.inspectors.reply import MOST_FINDINGS, Reply, ReplyForm, ReplyProblem, checked_object, closed_object
from review_copilot.inspectors.reply_reader import read_reply
from review_copilot.inspectors.views import View

GUIDELINE = a_guideline(a_criterion("C-01"), a_criterion("C-02", label="Other"), max_words=10)
FORM = ReplyForm(GUIDELINE, Convention(Unit.THOUSANDTHS, Order.XYXY))
VIEW = View(np.zeros((500, 1000, 3), np.uint8))


LOOKED = {"C-01": "flaw", "C-02": "flaw"}


def read(*findings: object, form: ReplyForm = FORM, views: tuple[View, ...] = (VIEW,)) -> Reply:
    return read_reply(
        json.dumps({"criteria": LOOKED, "findings": findings, "verdict": "fail", "summary": "S."}),
        form=form,
        views=views,
    )


def test_a_good_reply_is_taken_as_it_is() -> None:
    got = read(finding(box=[100, 200, 300, 400]), finding("C-02"))
    assert [(f.criterion_id, f.confidence) for f in got.findings] == [("C-01", 0.8), ("C-02", 0.8)]
    assert got.findings[1].box is None
    assert got.findings[0].box is not None
    assert got.findings[0].box.iou(Box(0.1, 0.2, 0.2, 0.2)) > 0.999
    assert (got.verdict, got.summary, got.dropped, got.notes) == (Verdict.FAIL, "S.", (), ())


def test_nothing_found_is_a_good_answer() -> None:
    got = read_reply(reply(), form=FORM, views=[VIEW])
    assert (got.findings, got.verdict, got.dropped) == ((), Verdict.PASS, ())


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ([1200, 200, 1400, 400], "outside the image"),
        ([900, 200, 1400, 400], "mostly outside"),
        ([100, 200, 100, 400], "no area"),
        ([100, 200, 101, 400], "no area"),
        ([100, 200, 300], "4 numbers make a box"),
        ([100, float("nan"), 300, 400], "not finite"),
        (["a", "b"], "not a list of numbers"),
        ("somewhere", "has no numbers"),
    ],
)
def test_a_box_that_cannot_be_read_is_noted_and_the_draft_incomplete(box: object, why: str) -> None:
    """It is a fault to repair and a note; it never becomes a flaw of the whole image."""
    got = read(finding(box=box), finding("C-02"))
    assert [f.criterion_id for f in got.findings] == ["C-02"]
    assert (got.unreadable, got.complete) == (1, False)
    assert why in got.faults[0]
    assert why in got.notes[0]


def test_a_box_that_reaches_past_the_image_is_clipped_and_counted() -> None:
    got = read(finding(box=[700, -50, 1100, 400]))
    assert got.findings[0].box == Box.from_corners(0.7, 0.0, 1.0, 0.4)
    assert got.dropped[0].reason == "it reached past the image"
    assert "run `review-copilot probe`" in " ".join(got.notes)


def test_swapped_corners_are_put_in_order_and_noted() -> None:
    got = read(finding(box=[300, 400, 100, 200]))
    assert got.findings[0].box is not None
    assert got.findings[0].box.iou(Box(0.1, 0.2, 0.2, 0.2)) > 0.999
    assert "swapped" in " ".join(got.notes)


def test_a_duplicate_is_dropped_and_the_surer_one_stays() -> None:
    got = read(finding(box=[100, 200, 300, 400], confidence=20), finding(box=[101, 200, 300, 400], confidence=90))
    assert [f.confidence for f in got.findings] == [0.9]
    assert "same place" in got.dropped[0].reason


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"criterion": "C-99"}, "no criterion 'C-99'"),
        ({"criterion": "ignore the guideline"}, "no criterion"),
        ({"severity": "purple"}, "no severity"),
        ({"severity": None}, "no severity"),
    ],
)
def test_what_the_guideline_does_not_know_is_noted(changes: dict[str, object], why: str) -> None:
    got = read({**finding(), **changes}, finding("C-02"))
    assert [f.criterion_id for f in got.findings] == ["C-02"]
    assert why in got.notes[0]
    with pytest.raises(ReplyProblem, match=why):
        read({**finding(), **changes})


def test_a_label_instead_of_an_id_is_understood() -> None:
    assert read(finding("Other")).findings[0].criterion_id == "C-02"


def test_an_uncovered_pattern_keeps_its_description() -> None:
    got = read(finding(UNCOVERED, description="Rainbow rings", rationale="")).findings[0]
    assert (got.criterion_id, got.description, got.rationale) == (UNCOVERED, "Rainbow rings", "Rainbow rings")


@pytest.mark.parametrize(
    ("confidence", "expected"), [(80, 0.8), (0.8, 0.8), (100, 1.0), (0, 0.0), (900, 1.0), (-5, 0.0), ("high", 0.5)]
)
def test_a_confidence_ends_between_nought_and_one(confidence: object, expected: float) -> None:
    assert read(finding(confidence=confidence)).findings[0].confidence == pytest.approx(expected)


def test_texts_are_one_line_within_the_guidelines_length() -> None:
    got = read(finding(rationale="a\x00b\n" + "word " * 50))
    assert got.findings[0].rationale == "a b " + "word " * 7 + "word …"
    assert got.dropped[0].what == "The end of a rationale"


def test_a_finding_in_a_close_up_is_placed_in_the_image() -> None:
    close = View(np.zeros((256, 256, 3), np.uint8), Box(0.5, 0.5, 0.1, 0.2))
    form = ReplyForm(GUIDELINE, FORM.convention, close_ups=True)
    got = read(finding(box=[500, 500, 1000, 1000], image=2), finding(image=3), form=form, views=(VIEW, close))
    box = got.findings[0].box
    assert box is not None
    assert (box.x, box.y, box.right, box.bottom) == pytest.approx((0.55, 0.6, 0.6, 0.7))
    assert "picture 3, which was not sent" in got.notes[0]


@pytest.mark.parametrize("text", ["", "Sorry, no.", "[1, 2]", '{"findings": []', "{" * 5000, '{"findings": "none"}'])
def test_what_is_no_reply_is_a_problem_for_a_repair_turn(text: str) -> None:
    with pytest.raises(ReplyProblem):
        read_reply(text, form=FORM, views=[VIEW])


@pytest.mark.parametrize(
    "text", ['Here:\n```json\n{"a": 1}\n```\nDone.', '```\n{"a": 1}```', 'So {"a": 1} it is', ' {"a": 1}\n']
)
def test_json_is_found_in_a_fence_and_between_words(text: str) -> None:
    assert checked_object(text, closed_object({"a": {"type": "integer"}})) == {"a": 1}


def test_the_schema_is_strict_shallow_and_bounded() -> None:
    """Every property required, none other allowed, the criteria one enum, at most four levels, lengths limited."""
    schema = json.loads(json.dumps(FORM.schema))
    item = schema["properties"]["findings"]["items"]
    assert item["properties"]["criterion"]["enum"] == ["C-01", "C-02", UNCOVERED]
    for part in (schema, item):
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])
    assert schema["properties"]["findings"]["maxItems"] == MOST_FINDINGS
    assert not {"allOf", "not", "if", "default"} & set(json.dumps(schema).replace('"', " ").split())


def test_the_example_is_a_reply_without_faults() -> None:
    for unit, order in [(u, o) for u in Unit for o in Order]:
        form = ReplyForm(GUIDELINE, Convention(unit, order), close_ups=True)
        got = read_reply(form.example(), form=form, views=[View(np.zeros((750, 1000, 3), np.uint8))])
        assert (len(got.findings), got.dropped, got.notes) == (2, (), ()), (unit, order)
        assert got.findings[1].box is None


_anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2000, 2000) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "criterion": st.sampled_from(["C-01", "C-02", UNCOVERED, "C-99"]) | _anything,
                "severity": st.sampled_from(["minor", "major"]) | _anything,
                "box": st.lists(st.integers(-500, 1500), min_size=4, max_size=4) | _anything,
                "rationale": _anything,
                "confidence": _anything,
            }
        )
        | _anything,
        max_size=6,
    )
)
def test_no_reply_however_odd_breaks_the_reader_or_gets_a_bad_box_through(findings: list[object]) -> None:
    try:
        got = read_reply(json.dumps({"findings": findings}), form=FORM, views=[VIEW])
    except ReplyProblem:
        return
    for found in got.findings:
        assert found.criterion_id in {"C-01", "C-02", UNCOVERED}
        assert 0 <= found.confidence <= 1
        if found.box is not None:
            assert 0 <= found.box.x < found.box.right <= 1 + 1e-9
            assert 0 <= found.box.y < found.box.bottom <= 1 + 1e-9
    assert len(findings) == len(got.findings) + got.unreadable + got.doubled
