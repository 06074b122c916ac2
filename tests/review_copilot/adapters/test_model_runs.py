"""Whole runs of `preannotate` against real model servers: what stops them, what they pay, what they never pay twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from builders import an_image
from fake_clock import FakeClock
from fake_label_studio import FakeWorkspace
from fakes import MemoryStore
from model_calls import Answer, Behavior, Call, refusal, say, well
from model_server import EXAMINES_NOTHING, WELL, ModelServer, behavior, needs_two_pictures, serve
from model_setups import GUIDELINE, PRICES, Measuring, inspector_for, setup_for
from pictures import scene
from review_copilot.concurrency.breaker import MOST_IN_A_ROW
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.image import ReviewImage
from review_copilot.domain.review import ProjectKey
from review_copilot.domain.suggestion import Brief, Finding, Inspection, Usage
from review_copilot.engines.thread_engine import ThreadEngine
from review_copilot.errors import ModelHalted, ModelUnreachable
from review_copilot.flows.preannotate import Progress, preannotate
from review_copilot.flows.review_context import ReviewContext
from review_copilot.inspectors.assembly import openai_inspector
from review_copilot.inspectors.hybrid import HybridInspector
from review_copilot.inspectors.pricing import ProcessBudget, read_prices
from review_copilot.ports import Inspector, Shared

AT_ONCE = 4
PRICE = read_prices(PRICES)[0]


@dataclass
class DrawnImages:
    """A small picture for each name, drawn once; names with the same last digit show the same one where `alike`."""

    alike: bool = False
    _kept: dict[int, ReviewImage] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self, reference: str, *, task_id: int | None = None) -> ReviewImage:
        number = int(reference.removesuffix(".png")) % (2 if self.alike else 1_000_000)
        with self._lock:
            if number not in self._kept:
                self._kept[number] = an_image(scene(seed=number, width_px=160, height_px=120))
            return self._kept[number]


def drafted(inspector: Inspector, *, tasks: int, alike: bool = False, store: MemoryStore | None = None) -> Progress:
    """What comes of drafting a project of that many tasks."""
    workspace = FakeWorkspace(ProjectKey("http://ls", 7, "1"), {n: f"{n}.png" for n in range(1, tasks + 1)})
    context = ReviewContext(GUIDELINE, inspector, DrawnImages(alike), FakeClock(), min_score=0.0)
    return preannotate(
        workspace,
        engine=ThreadEngine(context, concurrency=AT_ONCE),
        store=store or MemoryStore(),
        rollout="photo-quality r1 abc",
        clock=FakeClock(),
    )


@pytest.fixture(params=["openai", "hybrid"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


FINAL = [
    "key_wrong_401",
    "credits_402",
    "credits_in_200",
    "model_missing_404",
    "quota_429",
    "region_400",
    "arrears_400",
]


@pytest.mark.parametrize("final", FINAL)
def test_a_run_stops_with_one_message_when_a_failure_will_not_heal(final: str, name: str) -> None:
    with serve(behavior(final)) as server:
        run = drafted(inspector_for(name, server.base_url), tasks=200)
        assert len(server.chats) <= 2 * AT_ONCE, "the calls in flight, and none after them"
    assert behavior(final).words.lower() in run.stopped.lower()
    assert run.done < 200
    assert run.drafted == 0


def _refuses_all(_call: Call) -> Answer:
    return refusal(400, "This picture is of no known color space")


def _says_nothing(call: Call) -> Answer:
    return say(call, "I see a nice picture.") if call.is_review else well(call)


@pytest.mark.parametrize("answer", [_refuses_all, _says_nothing], ids=["refuses all", "says nothing"])
def test_a_run_stops_when_twenty_in_a_row_fail(answer: Callable[[Call], Answer], name: str) -> None:
    """A run of 200 doomed images costs some twenty calls and not 200."""
    with serve(Behavior("doomed", "unusable", "Fails.", "typed_failure", answer)) as server:
        run = drafted(inspector_for(name, server.base_url), tasks=200)
    assert "calls to the model failed" in run.stopped
    assert MOST_IN_A_ROW <= len(run.failures) <= MOST_IN_A_ROW + 2 * AT_ONCE


def test_single_failures_between_good_answers_stop_nothing() -> None:
    def every_third_fails(call: Call) -> Answer:
        return say(call, "No.") if call.is_review and call.nth % 3 == 0 else well(call)

    with serve(Behavior("sometimes", "unusable", "Fails at times.", "typed_failure", every_third_fails)) as server:
        run = drafted(inspector_for("openai", server.base_url), tasks=60)
    assert (run.stopped, run.done) == ("", 60)


def test_a_failed_reply_is_not_paid_twice_in_a_run() -> None:
    """Ten tasks show two pictures; each is asked about once, and repaired once."""
    with serve(behavior("prose_only")) as server:
        run = drafted(inspector_for("openai", server.base_url), tasks=10, alike=True)
        reviews = [one for one in server.chats if one.is_review]
    assert len(run.failures) == 10
    assert len(reviews) <= 4 * AT_ONCE, "at most those that were asked at the same time"
    assert run.usage.calls == len(server.chats)


def test_a_failed_reply_is_never_cached() -> None:
    shared = Shared()
    with serve(behavior("boxes_short")) as server:
        first = openai_inspector(setup_for(server.base_url), shared=shared)
        drafted(first, tasks=1)
        server.behavior = WELL
        run = drafted(openai_inspector(setup_for(server.base_url), shared=shared), tasks=1)
    assert (run.drafted, run.suggestions) == (1, 4)


def test_what_failures_cost_is_told() -> None:
    with serve(behavior("prose_only")) as server:
        run = drafted(inspector_for("openai", server.base_url), tasks=3)
        calls = len(server.chats)
    assert run.usage.cost_usd == pytest.approx(calls * (1200 * PRICE.input_usd + 150 * PRICE.output_usd) / 1e6)


@pytest.mark.parametrize("quiet", ["well", "usage_missing", "usage_total_only_reasoning", "prose_only"])
def test_a_budget_is_exceeded_by_at_most_the_calls_in_flight(quiet: str) -> None:
    """Whatever a server says of tokens, or does not say."""
    limit_usd = 0.5
    with serve(WELL if quiet == "well" else behavior(quiet)) as server:
        budget = ProcessBudget(limit_usd)
        model = openai_inspector(setup_for(server.base_url, max_tokens=1000), shared=Shared(budget=budget))
        run = drafted(model, tasks=60)
    assert "budget" in run.stopped.lower() or "in a row" in run.stopped
    assert budget.spent_usd <= limit_usd + AT_ONCE * 2 * PRICE.cost_usd(Usage(10_000, 0, 1000))


def test_a_timed_out_call_is_booked_by_estimate() -> None:
    def hangs(call: Call) -> Answer:
        answer = well(call)
        return Answer(answer.status, answer.body, pause_s=1.5) if call.is_review else answer

    with serve(Behavior("hangs", "unusable", "Answers too late.", "typed_failure", hangs)) as server:
        model = inspector_for("openai", server.base_url, timeout_s=0.8)
        with pytest.raises(ModelUnreachable) as raised:
            model.inspect(Brief(an_image(scene()), GUIDELINE))
    assert raised.value.tokens[0] > 1200, "the answered probe, and the review by its words and picture"
    assert raised.value.cost_usd > 0


def test_an_estimate_learns_from_the_first_calls() -> None:
    with serve(behavior("usage_reasoning_within")) as server:
        model = openai_inspector(setup_for(server.base_url), shared=Shared())
        before = model.estimate([(160, 120)], guideline=GUIDELINE, price=PRICE)
        drafted(model, tasks=4)
        after = model.estimate([(160, 120)], guideline=GUIDELINE, price=PRICE)
    assert before.completion_tokens < after.completion_tokens
    assert after.completion_tokens == 950


def test_a_halted_endpoint_is_tried_again_after_a_pause() -> None:
    from review_copilot.concurrency.breaker import Breaker  # noqa: PLC0415 - only this test waits for one

    breaker = Breaker(pause_s=0.0)
    with serve(behavior("key_wrong_401")) as server:
        model = openai_inspector(setup_for(server.base_url), shared=Shared(breaker=breaker))
        assert drafted(model, tasks=1).drafted == 0
        server.behavior = WELL
        assert drafted(model, tasks=1).drafted == 1


def _reference_sized(server: ModelServer, size: tuple[int, int]) -> bool:
    reviews = [one for one in server.chats if one.is_review]
    return all(any((p.width_px, p.height_px) == size for p in one.pictures) for one in reviews)


def test_a_reference_goes_out_as_a_labeled_second_picture(name: str) -> None:
    """The server finds flaws only where it got the reference beside the image."""
    image, reference = an_image(scene(seed=1)), an_image(scene(seed=1, width_px=450, height_px=300))
    compares = needs_two_pictures(lambda picture: (picture.width_px, picture.height_px) == (450, 300))
    with serve(compares) as server:
        said = inspector_for(name, server.base_url).inspect(Brief(image, GUIDELINE, reference=reference))
        words = server.chats[-1].text
    assert sum("fake-vlm" in finding.source for finding in said.findings) == 4
    assert "Picture 2: the reference, what the image should look like, 450 x 300 px" in words


class Comparing(Measuring):
    """An inspector that measured a difference from the reference, which a model could judge."""

    def inspect(self, brief: Brief) -> Inspection:
        fact = Finding("PQ-10", Severity.MAJOR, 0.8, None, "Differs from the reference.", {"difference_percent": 3.0})
        return Inspection((fact,))


def test_hybrid_keeps_a_measured_difference_that_no_model_confirms() -> None:
    reference = an_image(scene(seed=1, width_px=450, height_px=300))
    with serve(WELL, reply=_clean_reply()) as server:
        model = openai_inspector(setup_for(server.base_url), shared=Shared())
        hybrid = HybridInspector(measuring=Comparing(), model=model)
        said = hybrid.inspect(Brief(an_image(scene(seed=1)), GUIDELINE, reference=reference))
        alone = hybrid.inspect(Brief(an_image(scene(seed=2)), GUIDELINE))
    assert [f.criterion_id for f in said.findings] == ["PQ-10"]
    assert said.findings[0].score < 0.8
    assert any("not confirmed by the model" in note for note in said.notes)
    assert alone.findings == ()
    assert alone.dropped[0].reason == "the model did not confirm it"


def test_a_model_that_examined_nothing_drops_no_measured_finding() -> None:
    with serve(EXAMINES_NOTHING) as server:
        model = openai_inspector(setup_for(server.base_url), shared=Shared())
        store = MemoryStore()
        run = drafted(HybridInspector(measuring=Comparing(), model=model), tasks=1, store=store)
    assert run.suggestions == 1
    review = next(iter(store.drafted(ProjectKey("http://ls", 7, "1"), rollout="photo-quality r1 abc").values()))
    assert review.verdict is not Verdict.PASS
    assert "Not examined: all 15 criteria" in review.summary


def test_a_halted_run_names_the_reason_to_every_caller() -> None:
    with serve(behavior("key_wrong_401")) as server:
        model = inspector_for("openai", server.base_url)
        with pytest.raises(Exception, match="Incorrect API key"):
            model.inspect(Brief(an_image(scene()), GUIDELINE))
        with pytest.raises(ModelHalted, match="Incorrect API key"):
            model.inspect(Brief(an_image(scene(seed=5)), GUIDELINE))
        assert len(server.chats) == 1


def _clean_reply() -> dict[str, object]:
    looked = {criterion.id: "none" for criterion in GUIDELINE.criteria}
    return {"criteria": looked, "findings": [], "verdict": "pass", "summary": "No flaw."}
