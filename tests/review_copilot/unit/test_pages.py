"""Tasks of several pages: each page is inspected, and every region stays on its page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import a_criterion, a_guideline, a_review, a_suggestion, an_annotation, as_submitted, task_key
from fake_clock import FakeClock
from fake_label_studio import FakeImages, FakeInspector
from review_copilot.compare import compare
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.override import Aspect, OverrideKind
from review_copilot.domain.review import Exposure, Review, ReviewTask
from review_copilot.domain.suggestion import Brief, Finding, Inspection, Usage
from review_copilot.errors import ImageUnreadable, ModelHalted, ModelMalformed
from review_copilot.flows.inspect_pages import MOST_PAGES
from review_copilot.flows.review_context import ReviewContext, review_task
from review_copilot.labelstudio.annotations import read_annotation
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.mapping import read_label_config
from review_copilot.labelstudio.payloads import read_predict
from review_copilot.labelstudio.read_predictions import read_prediction
from review_copilot.labelstudio.regions import to_prediction

GUIDELINE = a_guideline(a_criterion("C-01"))
LABELS = read_label_config(generate(GUIDELINE), GUIDELINE)
HERE = Box(0.1, 0.1, 0.2, 0.2)
SPOT = Finding("C-01", Severity.MAJOR, 0.9, HERE, "A spot.")
CALL = Usage(prompt_tokens=10, calls=1, cost_usd=0.5)


class PageInspector(FakeInspector):
    """Finds a spot on each page, unless the page's name tells it to fail."""

    def inspect(self, brief: Brief) -> Inspection:
        name = brief.image.source
        if name == "garbled":
            error = ModelMalformed("The reply cannot be read.")
            error.tokens, error.cost_usd = (10, 0, 5, 1), 0.25
            raise error
        if name == "halted":
            raise ModelHalted("The last 20 calls failed.")
        return replace(super().inspect(brief), usage=CALL, verdict=Verdict.PASS, notes=(f"saw {name}",))


def drafted(*pages: str, box: Box | None = None, page: int = 0, findings: tuple[Finding, ...] = (SPOT,)) -> Review:
    context = ReviewContext(
        GUIDELINE, PageInspector(findings), FakeImages(frozenset({"broken"})), FakeClock(), min_score=0.0
    )
    task = ReviewTask(task_key(), pages[0], pages=pages[1:]).at_page(page)
    return review_task(task, context=context, rollout="r", box=box, bulk=True)


def test_each_page_is_inspected_and_keeps_its_findings() -> None:
    review = drafted("a", "b", "c")
    assert [(s.page, s.box) for s in review.suggestions] == [(0, HERE), (1, HERE), (2, HERE)], "none is merged"
    assert len({s.id for s in review.suggestions}) == 3
    assert review.usage == Usage(prompt_tokens=30, calls=3, cost_usd=1.5)
    assert review.page_sizes_px == ((200, 100),) * 3
    assert (review.unexamined, review.image_fingerprint) == ((), "")
    assert review.notes[:3] == ("Page 1: saw a", "Page 2: saw b", "Page 3: saw c")
    assert drafted("a", "other").image_sha256 != drafted("a", "b").image_sha256


@pytest.mark.parametrize("bad", ["broken", "garbled"])
def test_a_page_that_cannot_be_inspected_costs_only_itself_and_is_never_a_pass(bad: str) -> None:
    clean = drafted("a", bad, "c", findings=())
    assert (clean.exposure, clean.verdict) == (Exposure.SHOWN, Verdict.DISCUSS)
    assert clean.summary.startswith("Incomplete draft: page 2 was not inspected; see its notes.")
    assert clean.notes[0].startswith("Page 2 was not inspected: ")
    assert clean.page_sizes_px == ((200, 100), (0, 0), (200, 100))
    assert clean.usage is not None
    assert clean.usage.cost_usd == (1.25 if bad == "garbled" else 1.0), "a failed call is paid for"
    assert drafted("a", "b", findings=()).verdict is Verdict.PASS
    assert [s.page for s in drafted("a", bad, "c").suggestions] == [0, 2]


def test_a_first_page_that_cannot_be_read_fails_the_draft_and_a_halt_stops_the_run() -> None:
    failed = drafted("broken", "b")
    assert (failed.exposure, failed.error_kind) == (Exposure.FAILED, ImageUnreadable.__name__)
    with pytest.raises(ModelHalted):
        drafted("a", "halted")


def test_a_long_document_is_cut_and_says_so() -> None:
    review = drafted(*(f"{n}" for n in range(MOST_PAGES + 9)), findings=())
    assert review.usage is not None
    assert review.usage.calls == MOST_PAGES
    assert review.verdict is Verdict.DISCUSS
    assert "pages 21, 22, 23, 24, 25, 26 and 3 more were not inspected" in review.summary
    assert review.notes[0] == "Pages 21 to 29 were not inspected: the limit is 20 pages."


def test_the_magic_tool_inspects_the_page_that_was_drawn_on() -> None:
    value = {"x": 5, "y": 5, "width": 50, "height": 50}
    body = {
        "tasks": [{"id": 1}],
        "project": "7.1",
        "params": {"context": {"result": [{"value": value, "item_index": 2}]}},
    }
    asked = read_predict(body, instance="http://ls")
    review = drafted("a", "b", "c", box=asked.drawn, page=asked.page)
    assert [(s.page, s.box) for s in review.suggestions] == [(2, HERE)]
    assert review.image == "c"
    regions = [r for r in to_prediction(review, LABELS).payload["result"] if r["type"] == "rectanglelabels"]  # type: ignore[attr-defined]
    assert [r["item_index"] for r in regions] == [2]


def test_regions_carry_their_page_to_label_studio_and_back() -> None:
    review = replace(drafted("a", "b"), page_sizes_px=((200, 100), (640, 480)))
    payload = to_prediction(review, LABELS).payload
    results = payload["result"]
    assert isinstance(results, list)
    sizes = {(r.get("item_index"), r.get("original_width")) for r in results if r["type"] == "rectanglelabels"}
    assert sizes == {(0, 200), (1, 640)}
    read = read_annotation({"id": 1, "result": results}, key=task_key(), labels=LABELS)
    assert {(r.id, r.page) for r in read.regions} == {(s.id, s.page) for s in review.suggestions}
    back = read_prediction(payload, key=task_key(), labels=LABELS, guideline=GUIDELINE, made_at=review.created_at)
    assert {(s.id, s.page) for s in back.review.suggestions} == {(s.id, s.page) for s in review.suggestions}


def test_a_single_image_is_sent_and_hashed_as_before() -> None:
    results = to_prediction(drafted("a"), LABELS).payload["result"]
    assert isinstance(results, list)
    assert not any("item_index" in result for result in results)
    plain = read_annotation({"id": 1, "result": results}, key=task_key(), labels=LABELS)
    first_page = [{**result, "item_index": 0} for result in results]
    paged = [{**result, "item_index": 1} for result in results]
    assert (
        read_annotation({"id": 1, "result": first_page}, key=task_key(), labels=LABELS).content_hash
        == plain.content_hash
    )
    assert read_annotation({"id": 1, "result": paged}, key=task_key(), labels=LABELS).content_hash != plain.content_hash


def test_a_region_on_another_page_is_no_answer_to_a_suggestion() -> None:
    said = a_suggestion("s1")
    region = as_submitted(said)
    elsewhere = compare(an_annotation(replace(region, id="own", page=1)), [a_review("r1", said)])
    assert [row.kind for row in elsewhere.overrides[:2]] == [OverrideKind.REJECTED, OverrideKind.ADDED]
    same = compare(an_annotation(replace(region, id="own")), [a_review("r1", said)])
    assert same.overrides[0].kind is OverrideKind.UNTOUCHED
    moved = compare(an_annotation(replace(region, page=1)), [a_review("r1", said)])
    assert moved.overrides[0].edits == (Aspect.PLACE,)
