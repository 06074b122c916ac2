"""Judged reviews as training data."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from builders import a_review, a_suggestion, an_annotation, as_submitted, at, task_key, untouched
from fakes import MemoryStore
from review_copilot.compare import compare
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.override import Comparison, Reason, SubmittedAnnotation, SubmittedRegion
from review_copilot.domain.review import Exposure, Review
from review_copilot.flows.submissions import Submission, submissions
from review_copilot.inspectors.options import ModelSetup
from review_copilot.inspectors.training_words import training_words
from review_copilot.library import load_guideline, prompt_source
from review_copilot.reports.coco import write_coco
from review_copilot.reports.finetune import Words, write_finetune

REVIEW = replace(
    a_review("r1", a_suggestion("s1"), a_suggestion("s2", box=Box.whole(), criterion_id="PQ-06", label="Noise")),
    image="https://example.org/street.jpg",
)
KEPT = as_submitted(REVIEW.suggestions[0])
NOISE = as_submitted(REVIEW.suggestions[1])
CONFIRMED = replace(KEPT, reasons=(Reason.AGREE,))


GUIDELINE = load_guideline("photo-quality")
SETUP = ModelSetup(
    "",
    system_prompt=prompt_source("inspect.system.md.j2"),
    user_prompt=prompt_source("inspect.user.md.j2"),
    second_look_prompt=prompt_source("second_look.md.j2"),
    profile_files=(prompt_source("profiles.yaml"),),
)
WORDS = training_words(SETUP, GUIDELINE)


def a_submission(annotation: SubmittedAnnotation, *reviews: Review) -> Submission:
    known = reviews or (REVIEW,)
    return Submission(compare(annotation, known), known[0])


def as_finetune(*found: Submission, untouched: bool = False, words: Words = WORDS) -> tuple[list[Any], dict[str, int]]:
    out = io.StringIO()
    report = write_finetune(found, out, words=words, guideline=GUIDELINE, untouched=untouched)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(lines) == report.written
    return lines, dict(report.left_out)


def as_coco(*found: Submission) -> tuple[dict[str, Any], dict[str, int]]:
    out = io.StringIO()
    report = write_coco(found, out, guideline=load_guideline("photo-quality"))
    data = json.loads(out.getvalue())
    assert len(data["annotations"]) == report.written
    return data, dict(report.left_out)


def test_a_confirmed_review_becomes_an_example() -> None:
    (line,), left_out = as_finetune(a_submission(an_annotation(CONFIRMED, NOISE)))
    system, user, assistant = line["messages"]
    assert system["role"] == "system"
    assert "PQ-15" in system["content"]
    assert user == {
        "role": "user",
        "content": [
            {"type": "text", "text": "Picture 1: the whole image, 1024 x 683 px.\n\nReview the image now."},
            {"type": "image_url", "image_url": {"url": "https://example.org/street.jpg"}},
        ],
    }
    reply = json.loads(assistant["content"])
    assert reply["verdict"] == "fail"
    assert [(f["criterion"], f["box"], f["severity"]) for f in reply["findings"]] == [
        ("PQ-01", [100, 100, 300, 300], "major"),
        ("PQ-06", None, "major"),
    ]
    assert left_out == {}


def test_a_family_is_taught_to_write_boxes_in_its_own_way() -> None:
    """Qwen2.5-VL: pixels of the picture as it is sent, under its own key."""
    qwen = training_words(replace(SETUP, model="qwen2.5-vl-7b"), GUIDELINE)
    (line,), _ = as_finetune(a_submission(an_annotation(CONFIRMED)), words=qwen)
    reply = json.loads(line["messages"][-1]["content"])
    assert list(reply["findings"][0]) == list(qwen.form.schema["properties"]["findings"]["items"]["properties"])  # type: ignore[index]
    width_px, height_px = qwen.grid.size(1200, 800)
    expected = [round(edge * side) for edge, side in zip([0.1, 0.1, 0.3, 0.3], [width_px, height_px] * 2, strict=True)]
    assert reply["findings"][0][qwen.box_key] == expected


def test_what_was_marked_as_no_defect_is_not_taught() -> None:
    wrong = replace(NOISE, reasons=(Reason.NOT_A_DEFECT,))
    (line,), _ = as_finetune(a_submission(an_annotation(KEPT, wrong)))
    assert "PQ-06" not in line["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (replace(untouched(REVIEW), skipped=True), "the task was skipped"),
        (untouched(REVIEW), "the draft was not reviewed"),
        (an_annotation(CONFIRMED, verdict=None), "the verdict is missing"),
        (an_annotation(replace(CONFIRMED, severity=None)), "a severity is missing"),
        (an_annotation(verdict=Verdict.FAIL), "no finding remains, but the drafted verdict was kept"),
        (an_annotation(replace(CONFIRMED, criterion_id=None)), "a region has no criterion"),
        (an_annotation(replace(CONFIRMED, criterion_id="PCB-01")), "the guideline has no such criterion"),
        (an_annotation(replace(CONFIRMED, box=Box(1.1, 0.1, 0.2, 0.2))), "a box is outside the image"),
    ],
)
def test_what_teaches_nothing_is_left_out_and_counted(annotation: SubmittedAnnotation, reason: str) -> None:
    assert as_finetune(a_submission(annotation)) == ([], {reason: 1})


def test_more_reasons_to_leave_out() -> None:
    annotation = an_annotation(CONFIRMED)
    unchecked = Submission(replace(compare(annotation, [REVIEW]), confirmed=False), REVIEW)
    nowhere = a_submission(annotation, replace(REVIEW, image=""))
    sizeless = a_submission(annotation, replace(REVIEW, image_width_px=0))
    too_long = a_submission(annotation, replace(REVIEW, image_width_px=300_000))
    qwen = training_words(replace(SETUP, model="qwen2.5-vl-7b"), GUIDELINE)
    assert as_finetune(too_long, words=qwen)[1] == {"the model does not accept an image of this shape": 1}
    assert as_finetune(unchecked, nowhere, sizeless)[1] == {
        "the image's size is unknown": 1,
        "not checked against Label Studio": 1,
        "the image's location is unknown": 1,
    }


def test_a_drafted_summary_that_the_findings_no_longer_bear_out_is_made_anew() -> None:
    """Few reviewers edit the summary as well; one that a reviewer wrote stays."""
    minor = replace(CONFIRMED, severity=Severity.MINOR)
    for annotation, summary in [
        (an_annotation(minor), "Not usable because of out of focus (minor)."),
        (an_annotation(CONFIRMED, NOISE), REVIEW.summary),
        (an_annotation(minor, summary="Soft on the left."), "Soft on the left."),
    ]:
        (line,), _ = as_finetune(a_submission(annotation))
        assert json.loads(line["messages"][-1]["content"])["summary"] == summary


def test_untouched_drafts_are_taken_when_asked_for() -> None:
    lines, _ = as_finetune(a_submission(untouched(REVIEW)), untouched=True)
    assert len(lines) == 1


def test_coco_holds_the_final_boxes_in_pixels() -> None:
    """The image is 1200 x 800."""
    data, left_out = as_coco(a_submission(an_annotation(KEPT, replace(NOISE, reasons=(Reason.NOT_A_DEFECT,)))))
    (image,), (box,) = data["images"], data["annotations"]
    assert (image["file_name"], image["width"], image["height"]) == ("https://example.org/street.jpg", 1200, 800)
    assert (box["bbox"], box["area"], box["image_id"]) == ([120.0, 80.0, 240.0, 160.0], 38400.0, image["id"])
    (category,) = (c for c in data["categories"] if c["id"] == box["category_id"])
    assert (category["name"], category["criterion"]) == ("Out of focus", "PQ-01")
    assert len({c["id"] for c in data["categories"]}) == 16
    assert left_out == {}


def test_coco_clips_boxes_and_counts_what_it_leaves_out() -> None:
    past = replace(KEPT, id="past", box=Box(0.9, 0.9, 0.2, 0.2))
    outside = replace(KEPT, id="outside", box=Box(1.1, 0.1, 0.2, 0.2))
    bare = SubmittedRegion(id="bare", box=Box(0.5, 0.5, 0.1, 0.1))
    data, left_out = as_coco(a_submission(an_annotation(past, outside, bare)))
    assert [box["bbox"] for box in data["annotations"]] == [[1080.0, 720.0, 120.0, 80.0]]
    assert left_out == {"the box is outside the image": 1, "the region has no criterion": 1}


def test_of_several_annotations_of_a_task_the_last_changed_stands() -> None:
    first = a_submission(an_annotation(KEPT, annotation_id=11, updated_at=at(500)))
    second = a_submission(an_annotation(annotation_id=12, updated_at=at(300)))
    data, left_out = as_coco(first, second)
    assert len(data["images"]) == len(data["annotations"]) == 1
    assert left_out == {"the task has a later annotation": 1}


def test_an_image_of_unknown_size_and_a_skipped_task_are_counted() -> None:
    sizeless = a_submission(an_annotation(KEPT), a_review("f", exposure=Exposure.FAILED))
    sizeless = replace(sizeless, review=replace(REVIEW, image_width_px=0))
    skipped = a_submission(replace(an_annotation(KEPT, key=task_key(2)), skipped=True))
    assert as_coco(sizeless, skipped)[1] == {"the image's size is unknown": 1, "the task was skipped": 1}


def test_submissions_come_with_the_review_they_were_compared_with() -> None:
    """Or with the newest that tells the image's size, where there was none to compare with."""
    store = MemoryStore()
    older, newer = replace(REVIEW, id="r0"), replace(REVIEW, id="r2", created_at=at(50))
    store.remember([older, newer])
    store.append(compare(replace(an_annotation(), created_at=at(20), lead_time_s=0.0), [older, newer]))
    store.append(Comparison(annotation=an_annotation(annotation_id=12), overrides=()))
    assert [found.review.id for found in submissions(store) if found.review] == ["r0", "r2"]
