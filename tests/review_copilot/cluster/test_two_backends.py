"""Two gunicorn masters on one PostgreSQL: limits, money and answers are those of both together."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from backends import BackendProcess, backends
from fake_endpoint import Busy, FakeEndpoint, Model, endpoint, refusing
from pictures import noise_uris
from postgres import fresh_database
from review_copilot.bootstrap.process import open_process, own_budget
from review_copilot.concurrency.breaker import MOST_IN_A_ROW
from review_copilot.settings import load_settings

PRICES = "prices: [{match: 'a-model', input: 10, cached: 10, output: 100, read: '2026-11'}]"
_THOUSANDS = count(1)
"""No task is asked for twice, so that no draft of before is handed out."""
CALL_USD = (2000 * 10 + 100 * 100) / 1e6


@contextmanager
def two(
    server: str, folder: Path, *, model: Model, **settings: object
) -> Iterator[tuple[list[BackendProcess], FakeEndpoint]]:
    with endpoint(model) as running:
        shared = {
            "database_url": fresh_database(server),
            "inspector": "openai",
            "model": "a-model",
            "model_base_url": running.url,
            "model_close_ups": 0,
            "concurrency": 6,
            **settings,
        }
        with backends(2, settings=shared, folder=folder) as started:
            yield started, running


def ask_both(both: list[BackendProcess], images: list[str], *, same: bool = False) -> list[object]:
    """Half of the images from each at the same time; all from both where `same`."""
    half = len(images) // 2
    first, second = (images, images) if same else (images[:half], images[half:])
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(backend.predict, part, first_id=1000 * next(_THOUSANDS))
            for backend, part in zip(both, (first, second), strict=True)
        ]
        return [result for future in asked for result in future.result()]


@pytest.mark.timeout(180)
def test_limit_and_answers_are_shared(postgres_server: str, tmp_path: Path) -> None:
    """Four places for twice six hands; each picture is paid for once; none twice."""
    model = Busy()
    with two(postgres_server, tmp_path, model=model, model_concurrency=4) as (both, asked):
        results = ask_both(both, noise_uris(24))
        assert all(results)
        assert model.most == 4
        assert len(asked.turns) == 24
        both[0].predict(noise_uris(3, seed=1), first_id=1)
        assert all(both[1].predict(noise_uris(3, seed=1), first_id=11))
        assert len(asked.turns) == 27, "the other backend's answers are taken"
        assert all(ask_both(both, noise_uris(6, seed=2), same=True))
        assert len(asked.turns) == 33, "what both want to know at the same time is asked once"
        assert len(asked.probes) <= 2


@pytest.mark.timeout(180)
def test_a_budget_is_one_for_both(postgres_server: str, tmp_path: Path) -> None:
    """Each call costs 3 cents and sets aside more until that is known; a dollar is mostly used, and never overspent."""
    prices = tmp_path / "prices.yaml"
    prices.write_text(PRICES)
    money = {"model_prices": prices, "model_budget_usd": 1.0, "concurrency": 2, "model_max_tokens": 64}
    with two(postgres_server, tmp_path, model=Busy(), **money) as (both, asked):
        results = ask_both(both, noise_uris(80))
        made = sum(bool(result) for result in results)
        assert made == len(asked.turns)
        assert 0.4 < made * CALL_USD <= 1.0


@pytest.mark.timeout(180)
def test_a_dead_endpoint_is_left_alone_by_both(postgres_server: str, tmp_path: Path) -> None:
    """Each backend alone would make 20 calls before it stops."""
    broken = {"model_timeout_s": 5.0, "concurrency": 2, "model_concurrency": 2}
    with two(postgres_server, tmp_path, model=lambda _: refusing(400, "The model crashed."), **broken) as (both, asked):
        assert not any(ask_both(both, noise_uris(80)))
        calls = len({turn.pictures[0].tobytes() for turn in asked.turns if turn.pictures})
        assert MOST_IN_A_ROW <= calls < MOST_IN_A_ROW + 4


def test_a_runs_own_budget_is_not_the_days_of_all_backends(postgres_server: str) -> None:
    settings = load_settings(
        _env_file=None, database_url=fresh_database(postgres_server), model="gpt-5", model_budget_usd=0.5
    )
    backend = open_process(settings)
    run = open_process(settings, shared=own_budget(settings))
    run_budget, days_budget = run.shared.budget, backend.shared.budget
    assert run_budget is not None
    assert days_budget is not None
    run_budget.reserve(0.5)
    days_budget.reserve(0.5)
    assert run.shared.named_locks is not None, "the rest is shared as before"
    for made in (run, backend):
        made.store.close()
