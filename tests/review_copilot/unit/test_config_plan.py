"""Which label config a project gets is decided before anything is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import a_criterion, a_guideline, a_review, a_suggestion
from review_copilot.domain.guideline import UNCOVERED
from review_copilot.errors import LabelConfigError
from review_copilot.labelstudio.config_plan import ConfigWish, plan_config, where_fields_go
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.mapping import read_label_config
from review_copilot.labelstudio.regions import to_prediction

GUIDELINE = a_guideline(a_criterion("C-01", label="Out of focus"), a_criterion("C-02", label="Noise"))
NEWER = a_guideline(*GUIDELINE.criteria, a_criterion("C-03", label="Tilt"))
WISH = ConfigWish(guideline=NEWER)

OWN = """<View><!-- ours --><Image name="pic" value="$image"/>
<RectangleLabels name="flaw" toName="pic"><Label value="Noise"/></RectangleLabels>
<TextArea name="translation" toName="pic"/></View>"""
FOREIGN = OWN.replace("Noise", "Person")


@pytest.mark.parametrize("present", ["", "<View></View>", "<View/>", " <View>\n</View>\n"])
def test_a_project_without_a_label_config_gets_the_guidelines(present: str) -> None:
    plan = plan_config(present, WISH)
    assert (plan.xml, plan.is_change, plan.is_first) == (generate(NEWER), True, True)


def test_one_that_matches_is_kept() -> None:
    plan = plan_config(generate(NEWER).replace("  ", ""), WISH)
    assert (plan.is_change, plan.missing, plan.labels.problems) == (False, (), ())


@pytest.mark.parametrize("options", [{}, {"reference": True}, {"reference": True, "prompt": True}])
def test_one_that_was_generated_and_not_edited_follows_the_guideline(options: dict[str, bool]) -> None:
    """It keeps the reference image and the prompt that it shows."""
    present = generate(GUIDELINE, **options)
    plan = plan_config(present, replace(WISH, earlier=(GUIDELINE,)))
    assert plan.xml == generate(NEWER, **options)
    assert (plan.is_change, plan.is_first) == (True, False)
    again = plan_config(plan.xml, replace(WISH, earlier=(GUIDELINE, NEWER)))
    assert not again.is_change


def test_one_that_was_edited_is_kept_and_gets_the_exact_lines_to_add() -> None:
    edited = generate(GUIDELINE).replace('strokeWidth="2"', 'strokeWidth="5"')
    plan = plan_config(edited, replace(WISH, earlier=(GUIDELINE,)))
    assert (plan.xml, plan.is_change) == (edited, False)
    (line,) = plan.missing
    assert line.startswith('<Label value="Tilt" background="#')
    by_hand = edited.replace("</RectangleLabels>", f"{line}</RectangleLabels>")
    assert read_label_config(by_hand, NEWER).problems == ()
    assert plan_config(by_hand, WISH).missing == ()


def test_labels_are_added_to_one_that_people_wrote_when_asked() -> None:
    for present in (OWN, FOREIGN):
        plan = plan_config(present, replace(WISH, add_labels=True))
        assert plan.is_change
        assert set(plan.labels.label_texts) == {"C-01", "C-02", "C-03", UNCOVERED}
        assert "<!-- ours -->" in plan.xml
        assert (plan.labels.rectangle, plan.labels.image) == ("flaw", "pic")
    assert '<Label value="Person"' in plan.xml


def test_one_without_a_label_for_any_criterion_is_refused_with_both_ways_out() -> None:
    with pytest.raises(LabelConfigError, match='"flaw" has no label for any criterion') as caught:
        plan_config(FOREIGN, WISH)
    assert "--add-labels" in caught.value.hint
    assert "--replace-config" in caught.value.hint
    with pytest.raises(LabelConfigError, match="no label for any criterion"):
        plan_config(FOREIGN.replace("Person", "Novel pattern"), WISH)
    assert plan_config(FOREIGN, replace(WISH, replace=True)).xml == generate(NEWER)


def test_one_without_a_label_for_any_criterion_gets_no_text_of_a_draft() -> None:
    labels = read_label_config(FOREIGN, NEWER)
    drafted = to_prediction(a_review("r1", a_suggestion("s1", criterion_id="C-01")), labels)
    assert drafted.payload["result"] == []
    assert any("verdict" in dropped.what for dropped in drafted.dropped)
    own = read_label_config(OWN, NEWER)
    assert own.summary == "", "a text area of the team's own gets no summary"


def test_a_renamed_label_keeps_its_history() -> None:
    """Results hold the oldest name, as Label Studio's alias, so that no used label is removed from the project."""
    soft, noise = GUIDELINE.criteria
    renamed = a_guideline(replace(soft, label="Soft", formerly=("Out of focus", "Blurry")), noise)
    plan = plan_config(generate(GUIDELINE), replace(WISH, guideline=renamed, earlier=(GUIDELINE,)))
    assert '<Label value="Soft"' in plan.xml
    assert 'alias="Out of focus"' in plan.xml
    labels = plan.labels
    assert labels.label_texts["C-01"] == "Out of focus"
    assert {labels.criterion_of(name) for name in ("Soft", "Out of focus", "blurry")} == {"C-01"}
    kept = read_label_config(generate(GUIDELINE), renamed)
    assert kept.label_texts["C-01"] == "Out of focus", "a config that still has the old label"


def test_where_each_part_goes_is_listed() -> None:
    labels = read_label_config(OWN, NEWER)
    listed = dict(where_fields_go(labels, NEWER))
    assert listed["image"] == "pic ($image)"
    assert listed["boxes"] == "flaw, with labels for 1 of 3 criteria"
    assert listed["severity"] == listed["rationale"] == listed["verdict"] == listed["summary"] == "not stored"
    whole = dict(where_fields_go(read_label_config(generate(NEWER, reference=True), NEWER), NEWER))
    assert (whole["severity"], whole["reference image"]) == ("severity", "$reference")
