"""Label configs, generated and home-made, are mapped by tag type and name."""

from __future__ import annotations

import pytest

from builders import a_criterion, a_guideline
from review_copilot.domain.guideline import UNCOVERED, Severity, Verdict
from review_copilot.domain.override import Feedback, Reason
from review_copilot.errors import LabelConfigError
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.mapping import read_label_config

GUIDELINE = a_guideline(a_criterion("C-01", label="Out of focus"), a_criterion("C-02", label="Noise"))

HOME_MADE = """
<View>
  <Image name="left" value="$golden"/>
  <Image name="photo" value="$url"/>
  <Text name="ask" value="$the_prompt"/>
  <RectangleLabels name="flaw" toName="photo">
    <Label value="out_of-FOCUS"/>
    <Label value="Grain" alias="c-02"/>
    <Label value="Something else"/>
  </RectangleLabels>
  <Choices name="how_bad" toName="photo" perRegion="true">
    <Choice value="Minor"/><Choice value="Severe" alias="critical"/>
  </Choices>
  <Choices name="mood" toName="photo"><Choice value="pass"/><Choice value="happy"/></Choices>
  <Choices name="ok" toName="photo"><Choice value="PASS"/><Choice value="FAIL"/></Choices>
  <TextArea name="note" toName="photo" perRegion="true"/>
  <TextArea name="words" toName="photo" perRegion="true"/>
  <TextArea name="other" toName="left"/>
</View>
"""


def test_a_generated_config_carries_everything() -> None:
    labels = read_label_config(generate(GUIDELINE, reference=True, prompt=True), GUIDELINE)
    assert (labels.image, labels.image_field) == ("image", "image")
    assert (labels.reference_field, labels.prompt_field) == ("reference", "prompt")
    assert (labels.rectangle, labels.labels) == ("label", "label")
    assert labels.label_texts == {"C-01": "Out of focus", "C-02": "Noise", UNCOVERED: "Novel pattern"}
    assert labels.severity is not None
    assert labels.verdict is not None
    assert labels.reasons is not None
    assert labels.feedback is not None
    assert [labels.severity.name, labels.verdict.name, labels.reasons.name, labels.feedback.name] == [
        "severity",
        "verdict",
        "reasons",
        "feedback",
    ]
    assert set(labels.reasons.texts) == set(Reason)
    assert set(labels.feedback.texts) == set(Feedback)
    assert (labels.rationale, labels.note) == ("rationale", "note")
    assert (labels.summary, labels.feedback_note) == ("summary", "feedback_note")
    assert labels.problems == ()


def test_a_home_made_config_is_mapped_by_type_and_name() -> None:
    """Names differ in case and dashes, aliases stand in results, and two of three choices are enough."""
    labels = read_label_config(HOME_MADE, GUIDELINE)
    assert (labels.image, labels.image_field, labels.reference_field) == ("photo", "url", "golden")
    assert labels.prompt_field == "the_prompt"
    assert labels.label_texts == {"C-01": "out_of-FOCUS", "C-02": "c-02"}
    assert labels.criterion_of("Out Of Focus") == "C-01"
    assert labels.criterion_of("grain") == "C-02"
    assert labels.criterion_of("Something else") is None
    assert labels.severity is not None
    assert labels.severity.texts == {Severity.MINOR: "Minor", Severity.CRITICAL: "critical"}
    assert labels.severity.read("MINOR") is Severity.MINOR
    assert labels.severity.read("huge") is None
    assert labels.verdict is not None
    assert labels.verdict.name == "ok"
    assert labels.verdict.texts == {Verdict.PASS: "PASS", Verdict.FAIL: "FAIL"}
    assert (labels.rationale, labels.note) == ("words", "note")
    assert (labels.summary, labels.reasons, labels.feedback) == ("", None, None)


def test_what_a_config_cannot_carry_is_said() -> None:
    problems = " ".join(read_label_config(HOME_MADE, GUIDELINE).problems)
    assert "no label for: Novel pattern (uncovered)" in problems
    assert 'severity "how_bad" does not offer: major' in problems
    assert 'verdict "ok" does not offer: discuss' in problems
    assert "no text area for the summary" in problems


def test_boxes_and_labels_may_be_two_tags() -> None:
    xml = """<View><Image name="i" value="$image"/><Rectangle name="box" toName="i"/>
    <Labels name="what" toName="i"><Label value="Noise"/></Labels></View>"""
    labels = read_label_config(xml, GUIDELINE)
    assert (labels.rectangle, labels.labels) == ("box", "what")
    assert labels.label_texts == {"C-02": "Noise"}


@pytest.mark.parametrize(
    ("xml", "says"),
    [
        ("<View><Text name='t' value='$t'/></View>", "no RectangleLabels"),
        (
            "<View><RectangleLabels name='r' toName='t'/><Text name='t' value='$t'/></View>",
            "does not refer to an Image tag",
        ),
        ("<View><Image", "not valid XML"),
        ("", "not valid XML"),
        ("<!DOCTYPE v [<!ENTITY a 'b'>]><View>&a;</View>", "document type"),
    ],
)
def test_a_config_without_image_or_boxes_is_refused_with_a_hint(xml: str, says: str) -> None:
    with pytest.raises(LabelConfigError, match=says) as caught:
        read_label_config(xml, GUIDELINE)
    assert caught.value.hint
