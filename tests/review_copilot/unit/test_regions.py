"""Reviews become predictions that Label Studio's own checks accept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from label_studio_sdk.label_interface.interface import LabelInterface

from builders import a_review, a_suggestion, task_key
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.suggestion import LIKE, UNLIKE, Dropped, Evidence
from review_copilot.labelstudio.annotations import read_annotation
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.mapping import LabelMap, read_label_config
from review_copilot.labelstudio.regions import to_interactive, to_prediction
from review_copilot.library import load_guideline

GUIDELINE = load_guideline("photo-quality")
CONFIG = generate(GUIDELINE)

POOR_CONFIG = """<View><Image name="i" value="$image"/><RectangleLabels name="r" toName="i">
<Label value="Noise"/></RectangleLabels></View>"""

TWO_TAGS = """<View><Image name="i" value="$image"/><Rectangle name="box" toName="i"/>
<Labels name="what" toName="i"><Label value="Out of focus"/></Labels>
<Choices name="sev" toName="i" perRegion="true"><Choice value="Minor"/><Choice value="Major"/></Choices></View>"""


@pytest.fixture(scope="module")
def labels() -> LabelMap:
    return read_label_config(CONFIG, GUIDELINE)


def objections(config: str, payload: dict[str, object]) -> list[str]:
    """What Label Studio's own reader has against a prediction."""
    found = LabelInterface(config).validate_prediction(payload, return_errors=True)  # type: ignore[no-untyped-call]
    return list(found)


def results_of(payload: dict[str, object]) -> list[dict[str, object]]:
    results = payload["result"]
    assert isinstance(results, list)
    return results


def test_a_suggestion_becomes_box_severity_and_rationale_under_one_id(labels: LabelMap) -> None:
    """The golden payload: every key as the editor wants it."""
    drafted = to_prediction(a_review("r1", a_suggestion("s1")), labels)
    place = {"x": 10.0, "y": 10.0, "width": 20.0, "height": 20.0, "rotation": 0}
    common = {"id": "s1", "to_name": "image", "original_width": 1200, "original_height": 800, "image_rotation": 0}
    evidence = "PQ-01, measured\nphoto-quality 9f2c1a77aa01\nedge width px: 4"
    rationale = "The left third is soft; edges are 4 px wide."
    shown = "Drafted: Out of focus, major"
    assert drafted.dropped == ()
    assert drafted.payload == {
        "score": 0.8,
        "model_version": "photo-quality r1 0a1b2c",
        "result": [
            {
                **common,
                "from_name": "label",
                "type": "rectanglelabels",
                "value": {**place, "rectanglelabels": ["Out of focus"]},
                "score": 0.8,
                "meta": {"text": [evidence]},
            },
            {**common, "from_name": "severity", "type": "choices", "value": {**place, "choices": ["major"]}},
            {**common, "from_name": "rationale", "type": "textarea", "value": {**place, "text": [rationale]}},
            {**common, "from_name": "drafted", "type": "textarea", "value": {**place, "text": [shown]}},
            {
                "id": "r1-verdict",
                "from_name": "verdict",
                "to_name": "image",
                "type": "choices",
                "value": {"choices": ["fail"]},
            },
            {
                "id": "r1-summary",
                "from_name": "summary",
                "to_name": "image",
                "type": "textarea",
                "value": {"text": ["One flaw: out of focus."]},
            },
        ],
    }


def test_what_others_reviewed_is_read_before_what_was_measured(labels: LabelMap) -> None:
    facts: Evidence = {"edge_width_px": 4, UNLIKE: "Unlike the 60 last reviewed.", LIKE: "Like 14 regions."}
    marked = results_of(to_prediction(a_review("r1", replace(a_suggestion("s1"), evidence=facts)), labels).payload)[0]
    head = "PQ-01, measured\nphoto-quality 9f2c1a77aa01"
    assert marked["meta"] == {"text": [f"Like 14 regions.\nUnlike the 60 last reviewed.\n{head}\nedge width px: 4"]}


def test_label_studios_own_checks_accept_it(labels: LabelMap) -> None:
    suggestions = [
        a_suggestion(criterion.id, criterion_id=criterion.id, label=criterion.label, severity=severity)
        for criterion in GUIDELINE.criteria
        for severity in Severity
    ]
    edge = a_suggestion("edge", box=Box(0.3333333, 0.6666666, 0.9, 0.3333334))
    novel = a_suggestion("novel", box=Box.whole(), criterion_id="uncovered", label="Novel pattern")
    payload = to_prediction(a_review("r1", *suggestions, edge, novel), labels).payload
    assert objections(CONFIG, payload) == []


def test_nothing_found_is_a_prediction_with_verdict_and_summary(labels: LabelMap) -> None:
    drafted = to_prediction(a_review(verdict=Verdict.PASS, summary="No flaw found."), labels)
    assert [result["from_name"] for result in results_of(drafted.payload)] == ["verdict", "summary"]
    assert drafted.payload["score"] is None
    assert objections(CONFIG, drafted.payload) == []


def test_small_boxes_come_first_because_the_editor_draws_the_first_on_top(labels: LabelMap) -> None:
    review = a_review(
        "r1",
        a_suggestion("whole", box=Box.whole()),
        a_suggestion("large", box=Box(0, 0, 0.5, 0.5)),
        a_suggestion("small"),
    )
    ids = [result["id"] for result in results_of(to_interactive(review, labels).payload)]
    assert list(dict.fromkeys(ids)) == ["small", "large", "whole"]


def test_severe_boxes_come_first_unless_they_cover_smaller_ones(labels: LabelMap) -> None:
    """The Regions list shows this order; a click on the image still finds each box."""
    review = a_review(
        "r1",
        a_suggestion("minor-inside", severity=Severity.MINOR, box=Box(0.1, 0.1, 0.1, 0.1)),
        a_suggestion("minor-alone", severity=Severity.MINOR, box=Box(0.7, 0.1, 0.05, 0.05)),
        a_suggestion("critical-whole", severity=Severity.CRITICAL, box=Box.whole()),
        a_suggestion("critical-outside", severity=Severity.CRITICAL, box=Box(0, 0, 0.5, 0.5)),
        a_suggestion("major-alone", severity=Severity.MAJOR, box=Box(0.7, 0.7, 0.2, 0.2)),
    )
    ids = list(dict.fromkeys(result["id"] for result in results_of(to_interactive(review, labels).payload)))
    assert ids == ["minor-inside", "critical-outside", "major-alone", "minor-alone", "critical-whole"]


def test_what_the_draft_said_is_no_part_of_a_review(labels: LabelMap) -> None:
    """The line in the Regions list is neither read back nor reported as unknown."""
    drafted = to_prediction(a_review("r1", a_suggestion("s1")), labels).payload
    read = read_annotation({"id": 1, "result": drafted["result"]}, key=task_key(), labels=labels)
    (region,) = read.regions
    assert region.rationale == "The left third is soft; edges are 4 px wide."
    assert (region.note, read.dropped) == ("", ())


@pytest.mark.parametrize(
    ("box", "percent"),
    [
        (Box(-0.1, 0.5, 0.3, 0.9), (0.0, 50.0, 20.0, 50.0)),
        (Box(1 / 3, 2 / 3, 2 / 3, 1 / 3), (33.3333, 66.6667, 66.6667, 33.3333)),
    ],
)
def test_boxes_never_leave_the_image(labels: LabelMap, box: Box, percent: tuple[float, ...]) -> None:
    payload = to_interactive(a_review("r1", a_suggestion(box=box)), labels).payload
    value = results_of(payload)[0]["value"]
    assert isinstance(value, dict)
    assert (value["x"], value["y"], value["width"], value["height"]) == percent


def test_a_magic_answer_holds_regions_only(labels: LabelMap) -> None:
    drafted = to_interactive(a_review("r1", a_suggestion("s1")), labels)
    assert {result["id"] for result in results_of(drafted.payload)} == {"s1"}


def test_a_magic_answer_without_regions_is_an_empty_result(labels: LabelMap) -> None:
    assert to_interactive(a_review("r1"), labels).payload == {"result": []}


def test_what_the_config_cannot_carry_is_dropped_and_counted() -> None:
    noise = a_suggestion("n1", criterion_id="PQ-06", label="Noise")
    outside = replace(noise, id="n2", box=Box(1.2, 0, 0.1, 0.1))
    review = a_review("r1", a_suggestion("s1"), a_suggestion("s2"), noise, outside)
    drafted = to_prediction(review, read_label_config(POOR_CONFIG, GUIDELINE))
    assert [result["type"] for result in results_of(drafted.payload)] == ["rectanglelabels"]
    assert set(drafted.dropped) == {
        Dropped('the suggestion "Out of focus" (2)', "The label config has no label for it."),
        Dropped('the suggestion "Noise" (1)', "Its box lies outside the image."),
        Dropped('the severity "major" (1)', "The label config does not offer it."),
        Dropped("a rationale (1)", "The label config has no per-region text area."),
        Dropped('the verdict "fail" (1)', "The label config does not offer it."),
        Dropped("the summary (1)", "The label config has no text area for it."),
    }


def test_boxes_and_labels_of_two_tags_share_one_id() -> None:
    drafted = to_interactive(a_review("r1", a_suggestion("s1")), read_label_config(TWO_TAGS, GUIDELINE))
    results = results_of(drafted.payload)
    assert [(result["from_name"], result["type"]) for result in results] == [
        ("box", "rectangle"),
        ("what", "labels"),
        ("sev", "choices"),
    ]
    assert {result["id"] for result in results} == {"s1"}
    assert objections(TWO_TAGS, drafted.payload) == []


@pytest.mark.parametrize(
    ("x", "width", "shown"),
    [
        (0.0000155, 0.9999845, (0.0016, 99.9984)),  # by itself the width would round up to 99.9985, past 100 in all
        (0.0008, 0.5, (0.08, 50.0)),
        (0.33333333, 0.25000049, (33.3333, 25.0)),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_position_and_size_together_stay_within_100(
    labels: LabelMap, x: float, width: float, shown: tuple[float, float], *, turned: bool
) -> None:
    """Across and down alike; four decimals."""
    box = Box(0.1, x, 0.2, width) if turned else Box(x, 0.1, width, 0.2)
    value = results_of(to_interactive(a_review("r1", a_suggestion(box=box)), labels).payload)[0]["value"]
    assert isinstance(value, dict)
    assert (value["y"] if turned else value["x"], value["height"] if turned else value["width"]) == shown
    assert (value["x"] if turned else value["y"], value["width"] if turned else value["height"]) == (10.0, 20.0)


@pytest.mark.parametrize(
    ("scores", "mean"),
    [((0.9, 0.4), 0.65), ((0.5,), 0.5), ((0.1, 0.2, 0.2), 0.1667), ((0.9, 0.1, 0.2), 0.4)],
)
def test_the_score_of_a_prediction_is_the_mean_of_its_suggestions(
    labels: LabelMap, scores: tuple[float, ...], mean: float
) -> None:
    """Neither the greatest, nor the middle one, nor the sum; four decimals."""
    suggestions = [a_suggestion(f"s{number}", score=score) for number, score in enumerate(scores)]
    assert to_prediction(a_review("r1", *suggestions), labels).payload["score"] == mean


def test_the_score_of_a_region_has_four_decimals(labels: LabelMap) -> None:
    marked = results_of(to_prediction(a_review("r1", a_suggestion(score=0.123456)), labels).payload)[0]
    assert marked["score"] == 0.1235


def test_an_image_wide_flaw_comes_last_whatever_its_box(labels: LabelMap) -> None:
    """By scope first: a larger region of the image still lies on top of it."""
    wide = replace(a_suggestion("wide", box=Box.whole()), box=Box(0.0, 0.0, 0.1, 0.1))
    review = a_review("r1", wide, a_suggestion("large", box=Box(0.0, 0.0, 0.9, 0.9)))
    ids = [result["id"] for result in results_of(to_interactive(review, labels).payload)]
    assert list(dict.fromkeys(ids)) == ["large", "wide"]


def test_each_drop_is_counted_under_its_own_reason(labels: LabelMap) -> None:
    """A severity, a verdict and a summary that one label config shows are not counted for it."""
    drafted = to_prediction(a_review("r1", a_suggestion("s1"), a_suggestion("s2"), summary=""), labels)
    assert drafted.dropped == ()
    assert [result["id"] for result in results_of(drafted.payload)][-1] == "r1-verdict"
    bare = read_label_config(TWO_TAGS, GUIDELINE)
    critical = a_suggestion("s1", severity=Severity.CRITICAL)
    assert set(to_interactive(a_review("r1", critical, replace(critical, id="s2")), bare).dropped) == {
        Dropped('the severity "critical" (2)', "The label config does not offer it."),
        Dropped("a rationale (2)", "The label config has no per-region text area."),
    }


@pytest.mark.parametrize(
    ("fact", "words"), [(0.123456, "0.1235"), (1234567.0, "1.235e+06"), (12345, "12345"), ("so", "so"), (True, "True")]
)
def test_a_fact_is_shown_with_four_digits_when_it_is_a_fraction(
    labels: LabelMap, fact: float | str, words: str
) -> None:
    evidence: Evidence = {"edge_width_px": fact}
    marked = results_of(to_prediction(a_review("r1", replace(a_suggestion(), evidence=evidence)), labels).payload)[0]
    assert marked["meta"] == {"text": [f"PQ-01, measured\nphoto-quality 9f2c1a77aa01\nedge width px: {words}"]}
