"""A review that goes out as a prediction and comes back as it was is untouched, under any label config."""

from __future__ import annotations

import pytest

from builders import a_review, a_suggestion, task_key
from review_copilot.compare import compare
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED
from review_copilot.domain.override import OverrideKind, Subject
from review_copilot.labelstudio.annotations import read_annotation
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.mapping import read_label_config
from review_copilot.labelstudio.regions import to_prediction
from review_copilot.library import load_guideline

GUIDELINE = load_guideline("photo-quality")
BARE = """<View><Image name="photo" value="$photo"/>
<RectangleLabels name="flaw" toName="photo"><Label value="out of focus"/><Label value="Noise"/></RectangleLabels>
{}</View>"""
FEW_CHOICES = """<Choices name="how" toName="photo" perRegion="true"><Choice value="minor"/></Choices>
<Choices name="ok" toName="photo"><Choice value="pass"/></Choices>"""
REVIEW = a_review(
    "r1",
    a_suggestion("s1", box=Box(0.123456789, 1 / 3, 0.1, 2 / 7)),
    a_suggestion("s2", criterion_id="PQ-06", label="Noise", box=Box.whole(), rationale="Grain.\nAll over it."),
    a_suggestion("s3", criterion_id=UNCOVERED, label="Novel pattern", box=Box(0.5, 0.5, 0.5, 0.5)),
)


@pytest.mark.parametrize(
    ("config", "rows"),
    [
        (generate(GUIDELINE), ["s1", "s2", "s3", "verdict", "summary"]),
        (BARE.format(""), ["s1", "s2"]),  # no label for novel patterns, and no field but the boxes
        (BARE.format(FEW_CHOICES), ["s1", "s2"]),  # neither "major" nor "fail" can be chosen
    ],
)
def test_what_went_out_and_came_back_as_it_was_is_untouched(config: str, rows: list[str]) -> None:
    labels = read_label_config(config, GUIDELINE)
    raw = {"id": 11, "created_at": "2026-03-02T12:02:00Z", **to_prediction(REVIEW, labels).payload}
    found = compare(read_annotation(raw, key=task_key(), labels=labels), [REVIEW]).overrides
    assert {row.kind for row in found} == {OverrideKind.UNTOUCHED}
    assert [row.suggestion_id if row.subject is Subject.REGION else row.subject.value for row in found] == rows
