"""A background job goes on after a turn that failed, at once while there is more to do, and ends when asked to."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from review_copilot.errors import StoreBusy
from review_copilot.web.background import Background


class Job(Background):
    """Plays a list of turns: True for more to do, False for nothing, an error to fail with."""

    name = "job"
    look_every_s = 0.01

    def __init__(self, turns: Sequence[bool | Exception]) -> None:
        super().__init__()
        self._turns: Iterator[bool | Exception] = iter(turns)
        self.left = threading.Event()
        self.taken = 0

    def take_turn(self) -> bool:
        turn = next(self._turns, None)
        if turn is None:
            self.left.set()
            return False
        self.taken += 1
        if isinstance(turn, Exception):
            raise turn
        return turn


def test_turns_that_fail_are_told_apart_in_the_log_and_hold_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    job = Job([StoreBusy("The database is locked."), ZeroDivisionError("by mistake"), False, True])
    job.start()
    assert job.left.wait(5)
    job.stop()
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [
        ("WARNING", "background job 'job' is postponed: The database is locked."),
        ("ERROR", "background job 'job' failed: unexpected error"),
    ]
    assert job.taken == 4


def test_more_to_do_is_done_without_a_pause() -> None:
    job = Job([True] * 50)
    job.look_every_s = 60
    job.start()
    assert job.left.wait(5)
    job.stop()
    assert job.stopping


def test_a_pause_ends_when_asked_to_stop() -> None:
    job = Job([])
    job.look_every_s = 60
    job.start()
    assert job.left.wait(5)
    job.stop(timeout_s=5)
    assert not [thread for thread in threading.enumerate() if thread.name == "job"]
