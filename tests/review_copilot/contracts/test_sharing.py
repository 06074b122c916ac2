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

from fakes import FakeClock
from postgres import fresh_database
from review_copilot.concurrency.throttle import Throttle
from review_copilot.errors import BudgetSpent
from review_copilot.inspectors.pricing import Budget
from review_copilot.ports import Purse, Seats
from review_copilot.store import SqlStore, open_store
from review_copilot.store.postgres_limits import DailyPurse, SharedSeats, SharedTurns

MakeSeats = Callable[..., Seats]


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
def two_of(request: pytest.FixtureRequest) -> Callable[..., tuple[Seats, Seats]]:
    """Makes the same seats as two who share them see them."""

    def make(*, most: int, spare: int = 0) -> tuple[Seats, Seats]:
        if request.param == "process":
            throttle = Throttle(most=most, spare=spare)
            return throttle, throttle
        first, second = request.getfixturevalue("stores")
        return tuple(SharedSeats(s.locks, endpoint="e", most=most, spare=spare) for s in (first, second))  # type: ignore[return-value]  # two

    return make


def soon(seconds: float = 10.0) -> float:
    return time.monotonic() + seconds


def test_no_more_sit_at_once_than_there_are_seats(two_of: Callable[..., tuple[Seats, Seats]]) -> None:
    seats, lock, sitting, most = two_of(most=3), threading.Lock(), 0, 0

    def work(number: int) -> None:
        nonlocal sitting, most
        with seats[number % 2].seat(deadline=soon()):
            with lock:
                sitting += 1
                most = max(most, sitting)
            time.sleep(0.02)
            with lock:
                sitting -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    assert most == 3


def test_who_finds_no_seat_in_time_is_told(two_of: Callable[..., tuple[Seats, Seats]]) -> None:
    ours, theirs = two_of(most=1)
    with ours.seat(deadline=soon()), pytest.raises(TimeoutError), theirs.seat(deadline=soon(0.1)):
        pytest.fail("there is no second seat")
    with theirs.seat(deadline=soon(1)):
        pass


def test_a_spare_seat_is_for_the_urgent_alone(two_of: Callable[..., tuple[Seats, Seats]]) -> None:
    ours, theirs = two_of(most=2, spare=1)
    with ours.seat(deadline=soon()):
        with pytest.raises(TimeoutError), theirs.seat(deadline=soon(0.1)):
            pytest.fail("the second seat is kept")
        with theirs.seat(deadline=soon(1), urgent=True):
            pass


def test_the_urgent_sit_before_those_who_have_waited_longer(two_of: Callable[..., tuple[Seats, Seats]]) -> None:
    ours, theirs = two_of(most=1)
    order: list[str] = []

    def wait_for(seats: Seats, name: str, *, urgent: bool) -> None:
        with seats.seat(deadline=soon(), urgent=urgent):
            order.append(name)

    with ThreadPoolExecutor(4) as pool, ours.seat(deadline=soon()):
        patient = [pool.submit(wait_for, ours, "patient", urgent=False) for _ in range(2)]
        time.sleep(0.1)
        urgent = pool.submit(wait_for, theirs, "urgent", urgent=True)
        time.sleep(0.3)
    for future in (urgent, *patient):
        future.result(5)
    assert order == ["urgent", "patient", "patient"]


def test_nobody_starts_during_a_pause(two_of: Callable[..., tuple[Seats, Seats]]) -> None:
    seats, _ = two_of(most=2)
    seats.pause(0.3)
    began = time.monotonic()
    with seats.seat(deadline=soon()):
        assert time.monotonic() - began >= 0.29
    seats.pause(5)
    with pytest.raises(TimeoutError), seats.seat(deadline=soon(0.1)):
        pytest.fail("the endpoint wants to be left alone")


def test_seats_of_a_process_that_is_gone_are_free(stores: tuple[SqlStore, SqlStore]) -> None:
    """Its connection ends, and with it whatever it held."""
    first, second = stores
    ours, theirs = (SharedSeats(store.locks, endpoint="e", most=1) for store in stores)
    with ours.seat(deadline=soon()):
        first.locks.close()
        with theirs.seat(deadline=soon(2)):
            pass
    assert second.locks.take_any([]) is None


@pytest.fixture(params=["process", "sqlite", "postgresql"])
def purses(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Purse, Purse]]:
    """A dollar, as two who share it see it."""
    if request.param == "process":
        budget = Budget(1.0)
        yield budget, budget
        return
    if request.param == "postgresql":
        first, second = request.getfixturevalue("stores")
    else:
        first = second = open_store(f"sqlite:///{tmp_path / 'log.db'}", clock=FakeClock())
    a, b = (DailyPurse(store.database, limit_usd=1.0, clock=FakeClock()) for store in (first, second))
    yield a, b
    first.close()


def test_a_budget_holds_for_all_who_share_it(purses: tuple[Purse, Purse]) -> None:
    def call(number: int) -> bool:
        purse = purses[number % 2]
        try:
            purse.reserve(0.3)
        except BudgetSpent:
            return False
        time.sleep(0.02)
        purse.settle(reserved_usd=0.3, spent_usd=0.1)
        return True

    with ThreadPoolExecutor(6) as pool:
        paid = sum(pool.map(call, range(40)))
    assert paid <= 10
    while call(0):
        paid += 1
    assert paid == 8, "at 80 cents spent, another call could cost more than is left"


def test_without_a_limit_nothing_is_refused_or_written(stores: tuple[SqlStore, SqlStore]) -> None:
    purse = DailyPurse(stores[0].database, limit_usd=None, clock=FakeClock())
    purse.reserve(1e9)
    purse.settle(reserved_usd=1e9, spent_usd=1e9)
    assert purse.spent_usd == 0.0


def test_a_new_day_has_a_new_budget_and_a_dead_process_has_spent_what_it_set_aside(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    clock = FakeClock()
    dead, alive = (DailyPurse(store.database, limit_usd=1.0, clock=clock) for store in stores)
    dead.reserve(0.9)
    with pytest.raises(BudgetSpent, match="Today's budget of \\$1 for all backends"):
        alive.reserve(0.2)
    clock.time += timedelta(days=1)
    alive.reserve(0.2)


def test_one_at_a_time_among_two_processes(stores: tuple[SqlStore, SqlStore]) -> None:
    ours, theirs = (SharedTurns(store.locks) for store in stores)
    with ours.turn("sweep", wait_s=0) as mine:
        assert mine
        with theirs.turn("sweep", wait_s=0.05) as also, theirs.turn("another thing", wait_s=0) as other:
            assert not also
            assert other
    with theirs.turn("sweep", wait_s=1) as mine:
        assert mine
