"""What reviewers submitted is read from every form in which Label Studio writes it down, and nothing makes it raise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.converter.brush import encode_rle

from builders import PROJECT, a_review, a_suggestion
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.override import Feedback, Reason, Shape, SubmittedAnnotation
from review_copilot.domain.review import TaskKey
from review_copilot.labelstudio.annotations import raw_annotations, read_annotation
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.mapping import read_label_config
from review_copilot.labelstudio.regions import to_prediction
from review_copilot.library import load_guideline

GUIDELINE = load_guideline("photo-quality")
LABELS = read_label_config(generate(GUIDELINE), GUIDELINE)
KEY = TaskKey(PROJECT, 5)
PLACE = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0}


def read(*results: object, **fields: object) -> SubmittedAnnotation:
    return read_annotation({"id": 11, "result": list(results), **fields}, key=KEY, labels=LABELS)


def a_result(kind: str, value: Mapping[str, object], **fields: object) -> dict[str, object]:
    sizes = {"original_width": 200, "original_height": 100}
    return {"id": "r", "from_name": "label", "to_name": "image", "type": kind, "value": value, **sizes, **fields}


def test_what_was_drafted_is_read_back_the_same() -> None:
    """The round trip: place, criterion, severity, text, verdict and summary survive the wire."""
    whole = a_suggestion("s2", box=Box.whole(), criterion_id="uncovered", label="Novel pattern")
    review = a_review("r1", a_suggestion("s1", box=Box(0.125, 0.25, 0.5, 0.0625)), whole)
    read_back = read_annotation({"id": 3, **to_prediction(review, LABELS).payload}, key=KEY, labels=LABELS)
    assert [(r.id, r.box, r.criterion_id, r.severity, r.rationale) for r in read_back.regions] == [
        (s.id, s.box, s.criterion_id, s.severity, s.rationale) for s in review.suggestions
    ]
    assert (read_back.verdict, read_back.summary) == (review.verdict, review.summary)
    assert read_back.dropped == ()


def test_every_field_of_a_review_is_read() -> None:
    annotation = read(
        a_result("rectanglelabels", {**PLACE, "rectanglelabels": ["My own", "noise"]}),
        a_result("choices", {**PLACE, "choices": ["major"]}, from_name="severity"),
        a_result("textarea", {**PLACE, "text": ["First.", " ", "Second. "]}, from_name="rationale"),
        a_result("choices", {**PLACE, "choices": ["wrong place", "Agree"]}, from_name="reasons"),
        a_result("textarea", {**PLACE, "text": "by hand"}, from_name="note"),
        a_result("choices", {"choices": ["discuss"]}, id="v", from_name="verdict"),
        a_result("textarea", {"text": ["All in all."]}, id="s", from_name="summary"),
        a_result("choices", {"choices": ["unclear", "conflict"]}, id="f", from_name="feedback"),
        a_result("textarea", {"text": ["Say how much."]}, id="n", from_name="feedback_note"),
    )
    (region,) = annotation.regions
    assert region.box == Box(0.1, 0.2, 0.3, 0.4)
    assert region.labels == ("My own", "noise")
    assert region.criterion_id == "PQ-06"
    assert (region.severity, region.rationale) == (Severity.MAJOR, "First.\nSecond.")
    assert (region.reasons, region.note) == ((Reason.WRONG_PLACE, Reason.AGREE), "by hand")
    assert (annotation.verdict, annotation.summary) == (Verdict.DISCUSS, "All in all.")
    assert annotation.feedback == (Feedback.UNCLEAR, Feedback.CONFLICT)
    assert annotation.feedback_note == "Say how much."
    assert annotation.dropped == ()


def test_who_when_and_whence() -> None:
    annotation = read(
        completed_by=4,
        updated_by=9,
        created_at="2026-03-02T10:00:00.5Z",
        updated_at="2026-03-02T12:00:00+01:00",
        lead_time=12.5,
        was_cancelled=True,
        parent_prediction=77,
        parent_annotation={"id": 8},
    )
    assert (annotation.annotation_id, annotation.author, annotation.editor) == (11, "4", "9")
    assert annotation.created_at == datetime(2026, 3, 2, 10, 0, 0, 500_000, tzinfo=UTC)
    assert annotation.updated_at == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert (annotation.lead_time_s, annotation.skipped) == (12.5, True)
    assert (annotation.parent_prediction, annotation.parent_annotation) == (77, 8)


@pytest.mark.parametrize(
    ("person", "name"),
    [
        (4, "4"),
        ({"id": 7, "email": "a@b.c"}, "7"),
        ({"email": "a@b.c"}, "a@b.c"),
        ([1, 2], "2"),
        ("anna", "anna"),
        (None, ""),
        ({}, ""),
    ],
)
def test_a_reviewer_may_be_a_number_an_object_a_name_or_absent(person: object, name: str) -> None:
    annotation = read(completed_by=person)
    assert (annotation.author, annotation.editor) == (name, name)


def test_old_exports_have_completions_and_times_in_seconds() -> None:
    task = {"id": 1, "completions": [{"id": 1, "created_at": 1_600_000_000, "result": []}, None]}
    (raw,) = raw_annotations(task)
    annotation = read_annotation(raw, key=KEY, labels=LABELS)
    assert annotation.created_at == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
    assert raw_annotations({"annotations": None}) == []


@pytest.mark.parametrize(
    ("kind", "value", "shape", "corners"),
    [
        ("rectanglelabels", {**PLACE, "x": 90}, Shape.RECTANGLE, (0.9, 0.2, 1.2, 0.6)),
        ("rectanglelabels", {**PLACE, "rotation": 90}, Shape.RECTANGLE, (-0.1, 0.2, 0.1, 0.8)),
        ("rectangle", {**PLACE, "rotation": 180}, Shape.RECTANGLE, (-0.2, -0.2, 0.1, 0.2)),
        ("ellipselabels", {"x": 50, "y": 50, "radiusX": 10, "radiusY": 30}, Shape.ELLIPSE, (0.4, 0.2, 0.6, 0.8)),
        (
            "ellipselabels",
            {"x": 50, "y": 50, "radiusX": 10, "radiusY": 30, "rotation": 90},
            Shape.ELLIPSE,
            (0.35, 0.3, 0.65, 0.7),
        ),
        ("polygonlabels", {"points": [[10, 10], [30, 5], [20, 40]]}, Shape.POLYGON, (0.1, 0.05, 0.3, 0.4)),
        ("keypointlabels", {"x": 25, "y": 75, "width": 1}, Shape.KEYPOINT, (0.25, 0.75, 0.25, 0.75)),
    ],
)
def test_every_shape_has_its_bounding_box(
    kind: str, value: dict[str, object], shape: Shape, corners: tuple[float, ...]
) -> None:
    """The image is 200 x 100 px, so that a quarter turn shows whether pixels or percent were turned."""
    (region,) = read(a_result(kind, {**value, kind: ["Noise"]})).regions
    assert region.shape is shape
    assert (region.box.x, region.box.y, region.box.right, region.box.bottom) == pytest.approx(corners)


def brush(mask: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[int]:
    """A mask as Label Studio keeps it: run-length code of four channels."""
    return list(encode_rle(np.repeat(mask.flatten() * np.uint8(255), 4)))  # type: ignore[no-untyped-call]  # untyped


def test_a_brush_has_the_bounding_box_of_its_mask() -> None:
    mask = np.zeros((100, 200), np.uint8)
    mask[20:50, 40:60] = 1
    value = {"format": "rle", "rle": brush(mask), "brushlabels": ["Noise"]}
    (region,) = read(a_result("brushlabels", value)).regions
    assert (region.shape, region.criterion_id) == (Shape.BRUSH, "PQ-06")
    assert (region.box.x, region.box.y, region.box.width, region.box.height) == pytest.approx((0.2, 0.2, 0.1, 0.3))


@pytest.mark.parametrize("rle", [None, [], [1, 2, 3], ["a"], [255] * 40, brush(np.zeros((100, 200), np.uint8))])
def test_a_broken_or_empty_brush_is_said_and_left_out(rle: object) -> None:
    annotation = read(a_result("brushlabels", {"format": "rle", "rle": rle, "brushlabels": ["Noise"]}))
    assert annotation.regions == ()
    assert annotation.dropped == ('The brush "r" has no readable coordinates.',)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ({"type": "relation", "from_id": "a", "to_id": "b"}, "relation"),
        (["old", "form"], "not an object"),
        (a_result("taxonomy", {"taxonomy": [["a"]]}, from_name="tree"), '"taxonomy" from "tree"'),
        (a_result("videorectangle", {"sequence": []}), "is not a field of a review"),
        (a_result("choices", {"choices": ["terrible"]}, from_name="verdict"), 'no choice "terrible" for "verdict"'),
        (a_result("rectanglelabels", {"x": 1, "rectanglelabels": ["Noise"]}), "no readable coordinates"),
    ],
)
def test_what_cannot_be_read_is_said(result: object, says: str) -> None:
    annotation = read(result)
    assert annotation.regions == ()
    assert len(annotation.dropped) == 1
    assert says in annotation.dropped[0]


def test_an_unlabelled_box_and_a_box_without_an_id_are_regions_too() -> None:
    first, second = read({"type": "rectangle", "value": PLACE}, {"type": "rectangle", "value": PLACE}).regions
    assert first.id != second.id
    assert (first.labels, first.criterion_id) == ((), None)


def test_the_content_hash_knows_what_was_said_and_nothing_else() -> None:
    one = a_result("rectanglelabels", {**PLACE, "rectanglelabels": ["Noise"]}, id="a")
    two = a_result("rectanglelabels", {**PLACE, "x": 50, "rectanglelabels": ["Tilt"]}, id="b")
    moved = a_result("rectanglelabels", {**PLACE, "x": 51, "rectanglelabels": ["Tilt"]}, id="b")
    nearly = {**PLACE, "x": 50.000001, "rectanglelabels": ["Tilt"]}
    rounded = a_result("rectanglelabels", nearly, id="b", origin="manual")
    base = read(one, two, lead_time=3).content_hash
    assert read(two, one, lead_time=9, updated_at="2026-03-02").content_hash == base
    assert read(one, rounded).content_hash == base
    assert read(one, moved).content_hash != base
    assert read(one).content_hash != base
    assert read(one, two, was_cancelled=True).content_hash != base


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab1-", max_size=4)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abx", max_size=2), inner, max_size=3)
)
PLACES = ["x", "y", "width", "height", "rotation", "points", "rle", "radiusX", "radiusY"]
KEYS = [*PLACES, "choices", "text", "rectanglelabels"]
RESULTS = st.fixed_dictionaries(
    {},
    optional={
        "id": ANYTHING,
        "type": st.sampled_from(["rectanglelabels", "ellipse", "polygonlabels", "brushlabels", "keypoint", "choices"]),
        "from_name": st.sampled_from(["label", "severity", "rationale", "verdict", "feedback"]) | ANYTHING,
        "value": st.dictionaries(st.sampled_from(KEYS), ANYTHING) | ANYTHING,
        "original_width": ANYTHING,
        "original_height": ANYTHING,
    },
)


FIELDS = ("id", "completed_by", "updated_by", "created_at", "lead_time", "parent_prediction")


@given(
    st.fixed_dictionaries(
        {"result": st.lists(RESULTS | ANYTHING, max_size=4) | ANYTHING},
        optional=dict.fromkeys(FIELDS, ANYTHING),
    )
)
def test_no_annotation_makes_it_raise(raw: dict[str, object]) -> None:
    assert read_annotation(raw, key=KEY, labels=LABELS).key == KEY


BY_LABEL = """<View><Image name="image" value="$image"/>
<RectangleLabels name="label" toName="image"><Label value="Out of focus"/><Label value="Noise"/></RectangleLabels>
<Choices name="focus_sev" toName="image" perRegion="true" whenTagName="label" whenLabelValue="Out of focus">
<Choice value="minor"/><Choice value="major"/><Choice value="critical"/></Choices>
<Choices name="noise_sev" toName="image" perRegion="true" whenTagName="label" whenLabelValue="Noise">
<Choice value="minor"/><Choice value="major"/><Choice value="critical"/></Choices></View>"""


def test_a_severity_is_written_to_the_tag_of_its_label_and_read_from_it_first() -> None:
    """After a relabel, the editor can submit the severities of both labels."""
    labels = read_label_config(BY_LABEL, GUIDELINE)
    noise = a_suggestion("s1", criterion_id="PQ-06", label="Noise", severity=Severity.CRITICAL)
    focus = a_suggestion("s2", severity=Severity.MINOR)
    written = to_prediction(a_review("r1", noise, focus), labels).payload["result"]
    assert isinstance(written, list)
    severities = {(r["id"], r["from_name"]) for r in written if r["type"] == "choices"}
    assert severities == {("s1", "noise_sev"), ("s2", "focus_sev")}
    read_back = read_annotation({"id": 3, "result": written}, key=KEY, labels=labels)
    assert {r.id: r.severity for r in read_back.regions} == {"s1": Severity.CRITICAL, "s2": Severity.MINOR}

    both = [
        a_result("rectanglelabels", {**PLACE, "rectanglelabels": ["Noise"]}),
        a_result("choices", {**PLACE, "choices": ["minor"]}, from_name="focus_sev"),
        a_result("choices", {**PLACE, "choices": ["major"]}, from_name="noise_sev"),
    ]
    for results in (both, both[::-1]):
        (region,) = read_annotation({"id": 3, "result": results}, key=KEY, labels=labels).regions
        assert region.severity is Severity.MAJOR
    (region,) = read_annotation({"id": 3, "result": both[:2]}, key=KEY, labels=labels).regions
    assert region.severity is Severity.MINOR, "from any candidate"
