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
  <TextArea name="my_explanation" toName="photo" perRegion="true"/>
  <TextArea name="transcription" toName="photo" perRegion="true"/>
  <TextArea name="translation" toName="photo"/>
  <TextArea name="other" toName="left"/>
</View>
"""


def test_a_generated_config_carries_everything() -> None:
    labels = read_label_config(generate(GUIDELINE, reference=True, prompt=True), GUIDELINE)
    assert (labels.image, labels.image_value) == ("image", "$image")
    assert (labels.reference_value, labels.prompt_value) == ("$reference", "$prompt")
    assert (labels.rectangle, labels.labels) == ("label", "label")
    assert labels.label_texts == {"C-01": "Out of focus", "C-02": "Noise", UNCOVERED: "Novel pattern"}
    fields = labels.fields_of("C-01")
    assert labels.all_fields == (fields,)
    assert fields.severity is not None
    assert labels.verdict is not None
    assert fields.reasons is not None
    assert labels.feedback is not None
    assert [fields.severity.name, labels.verdict.name, fields.reasons.name, labels.feedback.name] == [
        "severity",
        "verdict",
        "reasons",
        "feedback",
    ]
    assert set(fields.reasons.texts) == set(Reason)
    assert set(labels.feedback.texts) == set(Feedback)
    assert (fields.rationale, fields.note) == ("rationale", "note")
    assert (labels.summary, labels.feedback_note) == ("summary", "feedback_note")
    assert labels.problems == ()


def test_a_text_area_with_any_name_can_declare_its_role() -> None:
    """A declared role counts more than a name, and a declared field takes no other role."""
    labels = read_label_config(
        """<View><Image name="i" value="$image"/>
        <RectangleLabels name="l" toName="i"><Label value="Noise"/></RectangleLabels>
        <TextArea name="feedback" toName="i"/><TextArea name="remarks" toName="i" copilot="guideline-note"/>
        <TextArea name="overall" toName="i" copilot="note"/><TextArea name="words" toName="i" copilot="summary"/>
        <TextArea name="comment" toName="i" perRegion="true" copilot="rationale"/>
        <TextArea name="rationale" toName="i" perRegion="true" copilot="note"/></View>""",
        GUIDELINE,
    )
    assert (labels.summary, labels.feedback_note) == ("words", "remarks")
    fields = labels.fields_of("C-02")
    assert (fields.rationale, fields.note) == ("comment", "rationale")


def test_a_role_that_does_not_exist_is_a_problem() -> None:
    xml = HOME_MADE.replace('name="transcription"', 'name="transcription" copilot="verdict"')
    said = [problem for problem in read_label_config(xml, GUIDELINE).problems if "transcription" in problem]
    known = "summary, guideline-note, rationale, note"
    assert said == [f'The text area "transcription" has copilot="verdict", which is none of: {known}.']


def test_a_home_made_config_is_mapped_by_type_and_name() -> None:
    """Names differ in case and dashes, aliases stand in results, and two of three choices are enough."""
    labels = read_label_config(HOME_MADE, GUIDELINE)
    assert (labels.image, labels.image_value, labels.reference_value) == ("photo", "$url", "$golden")
    assert labels.prompt_value == "$the_prompt"
    fields = labels.fields_of("C-01")
    assert labels.label_texts == {"C-01": "out_of-FOCUS", "C-02": "c-02"}
    assert labels.criterion_of("Out Of Focus") == "C-01"
    assert labels.criterion_of("grain") == "C-02"
    assert labels.criterion_of("Something else") is None
    assert fields.severity is not None
    assert fields.severity.texts == {Severity.MINOR: "Minor", Severity.CRITICAL: "critical"}
    assert fields.severity.read("MINOR") is Severity.MINOR
    assert fields.severity.read("huge") is None
    assert labels.verdict is not None
    assert labels.verdict.name == "ok"
    assert labels.verdict.texts == {Verdict.PASS: "PASS", Verdict.FAIL: "FAIL"}
    assert (fields.rationale, fields.note) == ("my_explanation", "note")
    assert (labels.summary, fields.reasons, labels.feedback) == ("", None, None)


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


TWO_SETS = """<View><Image name="image" value="$image"/>
<RectangleLabels name="object" toName="image"><Label value="Person"/></RectangleLabels>
<RectangleLabels name="flaw" toName="image"><Label value="Out of focus"/><Label value="Noise"/></RectangleLabels>
</View>"""


def test_of_several_label_tags_the_one_with_most_criteria_counts() -> None:
    labels = read_label_config(TWO_SETS, GUIDELINE)
    assert (labels.rectangle, labels.labels, labels.image) == ("flaw", "flaw", "image")
    assert set(labels.label_texts) == {"C-01", "C-02"}
    tie = TWO_SETS.replace('"Person"', '"Noise"').replace('"Out of focus"', '"Tilt"')
    assert read_label_config(tie, GUIDELINE).rectangle == "object", "with equally many, the first one"


def test_the_image_of_the_chosen_tag_is_under_review() -> None:
    """The first tag draws on the reference image."""
    xml = """<View><Image name="golden" value="$golden"/><Image name="shot" value="$shot"/>
    <RectangleLabels name="parts" toName="golden"><Label value="Screw"/></RectangleLabels>
    <Labels name="flaw" toName="shot"><Label value="Noise"/></Labels><Rectangle name="box" toName="shot"/></View>"""
    labels = read_label_config(xml, GUIDELINE)
    assert (labels.image, labels.rectangle, labels.labels) == ("shot", "box", "flaw")
    assert (labels.image_value, labels.reference_value) == ("$shot", "$golden")


BY_LABEL = """<View><Image name="image" value="$image"/>
<RectangleLabels name="label" toName="image"><Label value="Out of focus"/><Label value="Noise"/></RectangleLabels>
<Choices name="focus_sev" toName="image" perRegion="true" whenTagName="label" whenLabelValue="Out of focus">
<Choice value="Minor"/><Choice value="Major"/><Choice value="Critical"/></Choices>
<View visibleWhen="region-selected" whenTagName="label" whenLabelValue="Noise,Other">
<Choices name="noise_sev" toName="image" perRegion="true">
<Choice value="Minor"/><Choice value="Major"/><Choice value="Critical"/></Choices>
<TextArea name="noise_why" toName="image" perRegion="true"/></View>
<TextArea name="why" toName="image" perRegion="true"/></View>"""


def test_a_tag_that_is_shown_for_some_labels_belongs_to_them() -> None:
    labels = read_label_config(BY_LABEL, GUIDELINE)
    focus, noise = labels.fields_of("C-01"), labels.fields_of("C-02")
    assert focus.severity is not None
    assert noise.severity is not None
    assert (focus.severity.name, noise.severity.name) == ("focus_sev", "noise_sev")
    assert (focus.rationale, noise.rationale) == ("why", "noise_why"), "the label's own text comes first"
    assert labels.fields_of(None).severity is None
    assert not any("severity" in problem for problem in labels.problems)


def test_a_label_without_a_severity_of_its_own_is_named() -> None:
    labels = read_label_config(BY_LABEL.replace("Noise,Other", "Other"), GUIDELINE)
    assert "It has no choices for the severity of: Noise." in labels.problems
    assert labels.fields_of("C-02").severity is None
    assert labels.fields_of("C-02").rationale == "why"


@pytest.mark.parametrize("condition", ['whenTagName="other"', 'whenTagName="other" whenLabelValue="Noise"'])
def test_a_tag_of_another_label_tag_is_never_used(condition: str) -> None:
    xml = f"""<View><Image name="image" value="$image"/>
    <RectangleLabels name="label" toName="image"><Label value="Noise"/></RectangleLabels>
    <TextArea name="words" toName="image" perRegion="true" {condition}/></View>"""
    assert read_label_config(xml, GUIDELINE).fields_of("C-02").rationale == ""


def test_a_label_with_a_comma_is_compared_whole() -> None:
    guideline = a_guideline(a_criterion("C-01", label="Dust, hair"), a_criterion("C-02", label="Noise"))
    xml = BY_LABEL.replace("Out of focus", "Dust, hair")
    severity = read_label_config(xml, guideline).fields_of("C-01").severity
    assert severity is not None
    assert severity.name == "focus_sev"


def test_a_repeater_is_refused_with_its_reason() -> None:
    repeated = """<View><Repeater on="$shots" indexFlag="{{idx}}">
    <Image name="shot_{{idx}}" value="$shots[{{idx}}].url"/>
    <RectangleLabels name="flaw_{{idx}}" toName="shot_{{idx}}"><Label value="Noise"/></RectangleLabels>
    </Repeater></View>"""
    with pytest.raises(LabelConfigError, match='A Repeater repeats the Image tag "shot_') as caught:
        read_label_config(repeated, GUIDELINE)
    assert "outside the Repeater" in caught.value.hint
    beside = repeated.replace("</View>", TWO_SETS.removeprefix("<View>"))
    assert read_label_config(beside, GUIDELINE).rectangle == "flaw"
