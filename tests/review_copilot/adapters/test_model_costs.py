"""What a model inspector pays for, and what it does not pay for twice, over a real HTTP endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from builders import an_image
from fake_endpoint import Turn, endpoint, finding, reply
from model_bench import PRICE, PROFILES, brief, inspector
from pictures import scene
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.suggestion import Inspection
from review_copilot.errors import BudgetSpent, InspectorUnavailable
from review_copilot.inspectors.model_inspector import ModelOptions
from review_copilot.inspectors.pricing import ProcessBudget, price_for, read_prices
from review_copilot.inspectors.profiles import profile_for
from review_copilot.inspectors.reply_cache import FolderReplyCache, MemoryReplyCache
from review_copilot.library import load_guideline, prompt_source


def second_look(*, visible: bool, sure: int) -> Callable[[Turn], str]:
    def model(turn: Turn) -> str:
        if "check the findings" in turn.system:
            return json.dumps({"reason": "r", "visible": visible, "sure": sure})
        return reply(finding("C-01", [400, 400, 600, 600], confidence=60), finding("C-02"), verdict="pass")

    return model


@pytest.mark.parametrize(
    ("visible", "sure", "scores", "lost"),
    [(True, 100, [0.85, 0.65], 0), (False, 90, [0.65], 1), (False, 20, [0.48, 0.65], 0)],
)
def test_a_second_look_moves_the_score_or_drops_the_box(
    *, visible: bool, sure: int, scores: list[float], lost: int
) -> None:
    with endpoint(second_look(visible=visible, sure=sure)) as server:
        got = inspector(server.url, options=ModelOptions(second_look=True)).inspect(brief())
        looks = [turn for turn in server.turns if "check the findings" in turn.system]
    assert len(looks) == 1, "a finding of the whole image has no place to look at again"
    assert looks[0].pictures[0].shape[:2] == (160, 173)
    assert [f.score for f in got.findings] == pytest.approx(scores, abs=0.01)
    assert len(got.dropped) == lost
    assert (got.verdict is None) == bool(lost)


def test_a_second_look_that_fails_costs_no_finding() -> None:
    def model(turn: Turn) -> str:
        return "no" if "check the findings" in turn.system else reply(finding("C-01", [400, 400, 600, 600]))

    with endpoint(model) as server:
        got = inspector(server.url, options=ModelOptions(second_look=True)).inspect(brief())
    assert len(got.findings) == 1
    assert "C-01 got no second look" in got.notes[-1]


def test_an_empty_frame_costs_nothing() -> None:
    with endpoint(lambda _: reply()) as server:
        got = inspector(server.url).inspect(brief(an_image(np.zeros((600, 800, 3), np.uint8))))
        assert server.turns == server.probes == []
    assert (got.findings[0].severity, got.verdict, got.usage) == (Severity.CRITICAL, Verdict.FAIL, None)
    assert "No model was asked" in got.notes[0]


def test_the_same_question_is_asked_once() -> None:
    cache = MemoryReplyCache()
    with endpoint(lambda _: reply(finding("C-01"))) as server:
        first = inspector(server.url, price=PRICE, cache=cache).inspect(brief())
        again = inspector(server.url, price=PRICE, cache=cache).inspect(brief())
        inspector(server.url, price=PRICE, cache=cache).inspect(brief(prompt="another"))
        inspector(server.url, price=PRICE, cache=cache).inspect(brief(an_image(scene(seed=8))))
        assert len(server.turns) == 3
    assert again.findings == first.findings
    assert again.usage is not None
    assert (again.usage.cache_hit, again.usage.cost_usd, again.usage.calls) == (True, 0.0, 0)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\x00\xff\xfe", b"null", b"[]", b'{"content": 7}', b'{"findings": "none"}', b"<html></html>"],
)
def test_a_damaged_reply_in_the_cache_is_asked_for_again(damage: bytes, tmp_path: Path) -> None:
    """Never a draft without findings, and never an error."""
    with endpoint(lambda _: reply(finding("C-01"))) as server:
        first = inspector(server.url, price=PRICE, cache=FolderReplyCache(tmp_path)).inspect(brief())
        (kept,) = [file for file in tmp_path.rglob("*.json") if "reply" in file.name or file.stat().st_size]
        kept.write_bytes(damage)
        again = inspector(server.url, price=PRICE, cache=FolderReplyCache(tmp_path)).inspect(brief())
        assert len(server.turns) == 2
        third = inspector(server.url, price=PRICE, cache=FolderReplyCache(tmp_path)).inspect(brief())
        assert len(server.turns) == 2, "the cache was repaired"
    assert first.findings == again.findings == third.findings
    assert len(first.findings) == 1


def test_a_budget_stops_before_it_is_overspent_and_can_be_raised() -> None:
    budget = ProcessBudget(0.15)
    briefs = [brief(an_image(scene(seed=seed))) for seed in range(6)]
    with endpoint(lambda _: reply()) as server:
        asked = inspector(server.url, price=PRICE, budget=budget, options=ModelOptions(max_tokens=1000))
        done: list[Inspection] = []
        with pytest.raises(BudgetSpent, match=r"budget of \$0.15 does not cover.*run again"):
            done.extend(asked.inspect(one) for one in briefs)
        assert budget.spent_usd <= 0.15
        asked_before = len(server.turns)
        assert 0 < asked_before < 6
        budget.raise_to(5.0)
        assert asked.inspect(briefs[-1]).findings == ()
        assert len(server.turns) == asked_before + 1


def test_a_budget_without_a_price_is_refused() -> None:
    with endpoint(lambda _: reply()) as server, pytest.raises(InspectorUnavailable, match="no price is known"):
        inspector(server.url, budget=ProcessBudget(1.0))


def test_an_estimate_says_images_tokens_and_money_before_a_run() -> None:
    guideline = load_guideline("photo-quality")
    profile = profile_for("gpt-5.5", PROFILES)
    price = price_for("gpt-5.5", read_prices(prompt_source("prices.yaml")))
    asked = inspector("http://127.0.0.1:9/v1", profile=profile)
    estimate = asked.estimate([(4032, 3024)] * 100, guideline=guideline, price=price)
    assert (estimate.images, estimate.calls) == (100, 100)
    assert estimate.image_tokens < 100 * 14364 / 4
    assert estimate.cacheable_tokens / estimate.prompt_tokens > 0.7
    assert estimate.cost_usd is not None
    assert 0.5 < estimate.cost_usd < 3
    assert "(prices of 2026-06)" in str(estimate)
    unknown = asked.estimate([(4032, 3024)], guideline=guideline, price=None)
    assert "at an unknown price" in str(unknown)
