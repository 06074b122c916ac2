"""The pool: one bound, urgency, shared work, and nothing for nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from review_copilot.concurrency.priority_pool import PriorityPool, Urgency
from review_copilot.domain.request_context import REQUEST_STATE
from review_copilot.errors import RequestAbandoned


@pytest.fixture
def pool() -> Iterator[PriorityPool[str]]:
    made: PriorityPool[str] = PriorityPool(concurrency=1)
    yield made
    made.close(timeout_s=5)


class Diary(list[str]):
    """What was done, in order."""

    def note(self, word: str) -> str:
        self.append(word)
        return word


class Held:
    """Work that says when it began and ends when told."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go_on.wait(5)
        return "held"


@pytest.fixture
def held(pool: PriorityPool[str]) -> Iterator[Held]:
    """Something long occupies the only seat."""
    work = Held()
    pool.submit("held", work, urgency=Urgency.ASKED)
    assert work.begun.wait(5)
    yield work
    work.go_on.set()


def test_what_is_asked_for_twice_is_done_once(pool: PriorityPool[str], held: Held) -> None:
    done = Diary()
    tickets = [pool.submit("same", lambda: done.note("x"), urgency=Urgency.ASKED) for _ in range(3)]
    again = pool.submit("held", lambda: "never", urgency=Urgency.ASKED)
    held.go_on.set()
    assert [ticket.future.result(5) for ticket in tickets] == ["x"] * 3
    assert again.future.result(5) == "held"
    assert done == ["x"]


def test_magic_has_a_seat_of_its_own(pool: PriorityPool[str], held: Held) -> None:
    pool.submit("late", lambda: "late", urgency=Urgency.OWED)
    assert pool.submit("magic", lambda: "magic", urgency=Urgency.MAGIC).future.result(5) == "magic"
    assert pool.waiting == 1


def test_who_waits_goes_before_what_is_owed(pool: PriorityPool[str], held: Held) -> None:
    order = Diary()
    tickets = [
        pool.submit("owed", lambda: order.note("owed"), urgency=Urgency.OWED),
        pool.submit("owed, then asked", lambda: order.note("owed, then asked"), urgency=Urgency.OWED),
        pool.submit("asked", lambda: order.note("asked"), urgency=Urgency.ASKED),
        pool.submit("owed, then asked", lambda: order.note("never"), urgency=Urgency.ASKED),
    ]
    held.go_on.set()
    for ticket in tickets:
        ticket.future.result(5)
    assert order == ["owed, then asked", "asked", "owed"]


def test_what_nobody_wants_is_never_begun(pool: PriorityPool[str], held: Held) -> None:
    """Withdrawn by one of two it is done; withdrawn by both it is not."""
    begun = Diary()
    one = pool.submit("a", lambda: begun.note("a"), urgency=Urgency.ASKED)
    other = pool.submit("a", lambda: "never", urgency=Urgency.ASKED)
    alone = pool.submit("b", lambda: begun.note("b"), urgency=Urgency.ASKED)
    one.withdraw()
    alone.withdraw()
    with pytest.raises(RequestAbandoned):
        alone.future.result(5)
    held.go_on.set()
    assert other.future.result(5) == "a"
    assert begun == ["a"]


def test_no_more_than_its_seats_run_at_once() -> None:
    pool: PriorityPool[int] = PriorityPool(concurrency=3)
    running, most = 0, 0
    lock = threading.Lock()

    def work() -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        return 1

    tickets = [pool.submit(number, work, urgency=Urgency.ASKED) for number in range(40)]
    assert sum(ticket.future.result(5) for ticket in tickets) == 40
    assert most == 3
    pool.close(timeout_s=5)


def test_an_error_reaches_whoever_waits_and_costs_no_seat(pool: PriorityPool[str]) -> None:
    def broken() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        pool.submit("broken", broken, urgency=Urgency.ASKED).future.result(5)
    assert pool.submit("next", lambda: "next", urgency=Urgency.ASKED).future.result(5) == "next"


def test_a_closed_bench_lets_go_of_what_waits(pool: PriorityPool[str], held: Held) -> None:
    waiting = pool.submit("waiting", lambda: "never", urgency=Urgency.OWED)
    pool.close()
    with pytest.raises(RequestAbandoned):
        waiting.future.result(5)


def test_nothing_else_begins_while_an_urgent_image_is_prepared() -> None:
    """What is urgent says when it waits for a model; then others may use the cores."""
    pool: PriorityPool[str] = PriorityPool(concurrency=3)
    prepare, wait = threading.Event(), threading.Event()

    def magic() -> str:
        assert prepare.wait(5)
        REQUEST_STATE.get().prepared()
        assert wait.wait(5)
        return "magic"

    urgent = pool.submit("magic", magic, urgency=Urgency.MAGIC)
    other = pool.submit("other", lambda: "other", urgency=Urgency.ASKED)
    time.sleep(0.1)
    assert not other.future.done()
    prepare.set()
    assert other.future.result(5) == "other"
    wait.set()
    assert urgent.future.result(5) == "magic"
    pool.close(timeout_s=5)
