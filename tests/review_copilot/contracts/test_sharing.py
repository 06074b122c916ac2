"""Places at an endpoint, money and turns: within a process, and among several on one database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from fake_clock import FakeClock
from postgres import fresh_database
from review_copilot.bootstrap.reviewing import SystemClock
from review_copilot.concurrency.breaker import Breaker
from review_copilot.concurrency.throttle import Throttle
from review_copilot.errors import BudgetSpent, ModelHalted
from review_copilot.inspectors.pricing import ProcessBudget
from review_copilot.ports import Budget, CircuitBreaker, ConcurrencyLimit
from review_copilot.store import SqlStore, open_store
from review_copilot.store.database_breaker import DatabaseBreaker
from review_copilot.store.postgres_limits import DailyBudget, DatabaseConcurrencyLimit, DatabaseNamedLocks

MakeSeats = Callable[..., ConcurrencyLimit]


@pytest.fixture
def stores(postgres_server: str) -> Iterator[tuple[SqlStore, SqlStore]]:
    """One PostgreSQL, opened twice, as by two processes."""
    url = fresh_database(postgres_server)
    with ExitStack() as stack:
        opened = [open_store(url, clock=FakeClock()) for _ in range(2)]
        for store in opened:
            stack.callback(store.close)
        yield opened[0], opened[1]


@pytest.fixture(params=["process", "postgresql"])
def two_of(request: pytest.FixtureRequest) -> Callable[..., tuple[ConcurrencyLimit, ConcurrencyLimit]]:
    """Makes the same concurrency as two who share them see them."""

    def make(*, most: int, reserved: int = 0) -> tuple[ConcurrencyLimit, ConcurrencyLimit]:
        if request.param == "process":
            throttle = Throttle(most=most, reserved=reserved)
            return throttle, throttle
        first, second = request.getfixturevalue("stores")
        return tuple(
            DatabaseConcurrencyLimit(s.locks, endpoint="e", most=most, reserved=reserved) for s in (first, second)
        )  # type: ignore[return-value]  # two

    return make


def soon(seconds: float = 10.0) -> float:
    return time.monotonic() + seconds


def test_no_more_sit_at_once_than_there_are_seats(
    two_of: Callable[..., tuple[ConcurrencyLimit, ConcurrencyLimit]],
) -> None:
    concurrency, lock, sitting, most = two_of(most=3), threading.Lock(), 0, 0

    def work(number: int) -> None:
        nonlocal sitting, most
        with concurrency[number % 2].slot(deadline=soon()):
            with lock:
                sitting += 1
                most = max(most, sitting)
            time.sleep(0.02)
            with lock:
                sitting -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    assert most == 3


def test_who_finds_no_seat_in_time_is_told(two_of: Callable[..., tuple[ConcurrencyLimit, ConcurrencyLimit]]) -> None:
    ours, theirs = two_of(most=1)
    with ours.slot(deadline=soon()), pytest.raises(TimeoutError), theirs.slot(deadline=soon(0.1)):
        pytest.fail("there is no second seat")
    with theirs.slot(deadline=soon(1)):
        pass


def test_a_spare_seat_is_for_the_urgent_alone(two_of: Callable[..., tuple[ConcurrencyLimit, ConcurrencyLimit]]) -> None:
    ours, theirs = two_of(most=2, reserved=1)
    with ours.slot(deadline=soon()):
        with pytest.raises(TimeoutError), theirs.slot(deadline=soon(0.1)):
            pytest.fail("the second seat is kept")
        with theirs.slot(deadline=soon(1), urgent=True):
            pass


def test_the_urgent_sit_before_those_who_have_waited_longer(
    two_of: Callable[..., tuple[ConcurrencyLimit, ConcurrencyLimit]],
) -> None:
    ours, theirs = two_of(most=1)
    order: list[str] = []

    def wait_for(concurrency: ConcurrencyLimit, name: str, *, urgent: bool) -> None:
        with concurrency.slot(deadline=soon(), urgent=urgent):
            order.append(name)

    with ThreadPoolExecutor(4) as pool, ours.slot(deadline=soon()):
        patient = [pool.submit(wait_for, ours, "patient", urgent=False) for _ in range(2)]
        time.sleep(0.1)
        urgent = pool.submit(wait_for, theirs, "urgent", urgent=True)
        time.sleep(0.3)
    for future in (urgent, *patient):
        future.result(5)
    assert order == ["urgent", "patient", "patient"]


def test_nobody_starts_during_a_pause(two_of: Callable[..., tuple[ConcurrencyLimit, ConcurrencyLimit]]) -> None:
    concurrency, _ = two_of(most=2)
    concurrency.pause(0.3)
    began = time.monotonic()
    with concurrency.slot(deadline=soon()):
        assert time.monotonic() - began >= 0.29
    concurrency.pause(5)
    with pytest.raises(TimeoutError), concurrency.slot(deadline=soon(0.1)):
        pytest.fail("the endpoint wants to be left alone")


def test_seats_of_a_process_that_is_gone_are_free(stores: tuple[SqlStore, SqlStore]) -> None:
    """Its connection ends, and with it whatever it held."""
    first, second = stores
    ours, theirs = (DatabaseConcurrencyLimit(store.locks, endpoint="e", most=1) for store in stores)
    with ours.slot(deadline=soon()):
        first.locks.close()
        with theirs.slot(deadline=soon(2)):
            pass
    assert second.locks.take_any([]) is None


@pytest.fixture(params=["process", "sqlite", "postgresql"])
def budgets(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Budget, Budget]]:
    """A dollar, as two who share it see it."""
    if request.param == "process":
        budget = ProcessBudget(1.0)
        yield budget, budget
        return
    if request.param == "postgresql":
        first, second = request.getfixturevalue("stores")
    else:
        first = second = open_store(f"sqlite:///{tmp_path / 'log.db'}", clock=FakeClock())
    a, b = (DailyBudget(store.database, limit_usd=1.0, clock=FakeClock()) for store in (first, second))
    yield a, b
    first.close()


def test_a_budget_holds_for_all_who_share_it(budgets: tuple[Budget, Budget]) -> None:
    def call(number: int) -> bool:
        budget = budgets[number % 2]
        try:
            budget.reserve(0.3)
        except BudgetSpent:
            return False
        time.sleep(0.02)
        budget.settle(reserved_usd=0.3, spent_usd=0.1)
        return True

    with ThreadPoolExecutor(6) as pool:
        paid = sum(pool.map(call, range(40)))
    assert paid <= 10
    while call(0):
        paid += 1
    assert paid == 8, "at 80 cents spent, another call could cost more than is left"


@pytest.fixture(params=["process", "sqlite", "postgresql"])
def breakers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[CircuitBreaker, CircuitBreaker]]:
    """A circuit breaker that opens after three failures and pauses for 0.3 seconds, as two who share it see it."""
    if request.param == "process":
        breaker = Breaker(most_in_a_row=3, pause_s=0.3)
        yield breaker, breaker
        return
    if request.param == "postgresql":
        first, second = request.getfixturevalue("stores")
    else:
        first = second = open_store(f"sqlite:///{tmp_path / 'log.db'}", clock=SystemClock())
    a, b = (
        DatabaseBreaker(s.database, endpoint="e", clock=SystemClock(), most_in_a_row=3, pause_s=0.3)
        for s in (first, second)
    )
    a.check()
    b.check()
    yield a, b
    first.close()


def is_open(breaker: CircuitBreaker) -> bool:
    try:
        breaker.check()
    except ModelHalted:
        return True
    return False


def test_failures_in_a_row_of_all_together_stop_all(breakers: tuple[CircuitBreaker, CircuitBreaker]) -> None:
    ours, theirs = breakers
    ours.failed("HTTP 500.", final=False)
    theirs.failed("HTTP 500.", final=False)
    theirs.answered()
    for breaker in (ours, theirs):
        breaker.failed("HTTP 500.", final=False)
    assert not is_open(ours)
    ours.failed("HTTP 503.", final=False)
    with pytest.raises(ModelHalted, match=r"The last 3 calls to the model failed\. The latest error: HTTP 503\."):
        theirs.check()
    assert is_open(ours)


def test_after_a_pause_one_of_all_makes_a_call_and_its_answer_frees_all(
    breakers: tuple[CircuitBreaker, CircuitBreaker],
) -> None:
    ours, theirs = breakers
    ours.failed("The key is wrong.", final=True)
    assert is_open(theirs)
    time.sleep(0.35)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(is_open, [ours, theirs] * 4)).count(False) == 1
    theirs.answered()
    assert not is_open(ours)
    assert not is_open(theirs)


def test_a_process_that_starts_while_calls_are_stopped_makes_one(stores: tuple[SqlStore, SqlStore]) -> None:
    """Someone may have fixed the cause; the others wait for its answer. Another account is not concerned."""
    running, started, other = (
        DatabaseBreaker(store.database, endpoint=name, clock=SystemClock())
        for store, name in ((stores[0], "e"), (stores[1], "e"), (stores[1], "e with another key"))
    )
    running.failed("The key is wrong.", final=True)
    assert [is_open(started), is_open(started), is_open(other), is_open(other)] == [False, True, False, False]


def test_without_a_limit_nothing_is_refused_or_written(stores: tuple[SqlStore, SqlStore]) -> None:
    budget = DailyBudget(stores[0].database, limit_usd=None, clock=FakeClock())
    budget.reserve(1e9)
    budget.settle(reserved_usd=1e9, spent_usd=1e9)
    assert budget.spent_usd == 0.0


def test_a_new_day_has_a_new_budget_and_a_dead_process_has_spent_what_it_set_aside(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    clock = FakeClock()
    dead, alive = (DailyBudget(store.database, limit_usd=1.0, clock=clock) for store in stores)
    dead.reserve(0.9)
    with pytest.raises(BudgetSpent, match="Today's budget of \\$1 for all backends"):
        alive.reserve(0.2)
    clock.time += timedelta(days=1)
    alive.reserve(0.2)


def test_one_at_a_time_among_two_processes(stores: tuple[SqlStore, SqlStore]) -> None:
    ours, theirs = (DatabaseNamedLocks(store.locks) for store in stores)
    with ours.turn("sweep", wait_s=0) as mine:
        assert mine
        with theirs.turn("sweep", wait_s=0.05) as also, theirs.turn("another thing", wait_s=0) as other:
            assert not also
            assert other
    with theirs.turn("sweep", wait_s=1) as mine:
        assert mine
