from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_copilot.domain.suggestion import Usage
from review_copilot.errors import BudgetSpent, LibraryError
from review_copilot.inspectors.pricing import Estimate, ProcessBudget, price_for, read_prices
from review_copilot.inspectors.scoring import after_second_look, first_score, with_measurement
from review_copilot.library import prompt_source

PRICES = read_prices(prompt_source("prices.yaml"))
_share = st.floats(0, 1)


@pytest.mark.parametrize(
    ("model", "output_usd"),
    [("gpt-5.5", 30), ("gpt-5.4-mini", 4.5), ("gpt-5", 10), ("gpt-5-2025-08-07", 10), ("gpt-4.1-mini-2025-04-14", 1.6)],
)
def test_a_model_finds_its_own_price(model: str, output_usd: float) -> None:
    price = price_for(model, PRICES)
    assert price is not None
    assert price.output_usd == output_usd
    assert price.read >= "2026-03"


def test_a_model_without_a_row_has_no_price() -> None:
    assert price_for("qwen3-vl", PRICES) is None


def test_cached_tokens_are_charged_at_their_own_price() -> None:
    price = read_prices("prices: [{match: m, input: 10, cached: 1, output: 50, read: '2026-11'}]")[0]
    usage = Usage(prompt_tokens=1_000_000, cached_tokens=800_000, completion_tokens=100_000)
    assert price.cost_usd(usage) == pytest.approx(2.0 + 0.8 + 5.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prices: [{match: m, input: -1, cached: 1, output: 1, read: x}]", "greater than or equal to 0"),
        ("prices: [{match: m, inpt: 1}]", "inpt"),
        ("prices: [{match: '(', input: 1, cached: 1, output: 1, read: x}]", "regular expression"),
        ("prices: {", "no YAML"),
    ],
)
def test_a_wrong_price_file_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(LibraryError, match=says):
        read_prices(text)


def test_many_threads_cannot_overspend_a_budget() -> None:
    budget = ProcessBudget(1.0, spent_usd=0.25)
    refused: list[BudgetSpent] = []

    def call() -> None:
        try:
            budget.reserve(0.1)
        except BudgetSpent as error:
            refused.append(error)
        else:
            budget.settle(reserved_usd=0.1, spent_usd=0.1)

    threads = [threading.Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 13
    assert budget.spent_usd == pytest.approx(0.95)
    budget.raise_to(2.0)
    budget.reserve(0.1)


def test_an_estimate_reads_as_a_sentence() -> None:
    estimate = Estimate(10, 12, 50_000, 9_000, 30_000, 2_500, 0.1234, "2026-06")
    assert str(estimate) == (
        "10 images, 12 calls, 50000 prompt tokens (9000 of them pictures, 30000 cacheable), 2500 completion tokens, "
        "about $0.12 (prices of 2026-06)"
    )


def test_usages_add_up_and_a_cache_hit_needs_all_to_be_one() -> None:
    hit, call = Usage(cache_hit=True), Usage(prompt_tokens=10, calls=1, cost_usd=0.5)
    assert hit.plus(Usage()).cache_hit
    assert not hit.plus(call).cache_hit
    assert call.plus(call) == Usage(prompt_tokens=20, calls=2, cost_usd=1.0)
    assert not Usage().plus(Usage()).cache_hit


@given(confidence=_share, trust=_share)
def test_a_models_word_moves_a_score_by_half_at_most(confidence: float, trust: float) -> None:
    score = first_score(confidence=confidence, trust=trust)
    assert 0 < score < 1
    assert abs(score - first_score(confidence=0.5, trust=trust)) <= 0.25 + 1e-9


@given(score=_share, sure=_share, measured=_share)
def test_what_was_checked_moves_a_score_the_right_way(score: float, sure: float, measured: float) -> None:
    same = after_second_look(score, visible=True, sure=0.0)
    assert after_second_look(score, visible=True, sure=sure) >= same - 1e-9
    assert after_second_look(score, visible=False, sure=sure) <= same + 1e-9
    assert same - 1e-9 <= with_measurement(same, measured=measured) <= 0.99
