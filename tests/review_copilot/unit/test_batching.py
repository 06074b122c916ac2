from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from review_copilot.concurrency.batching import Batcher


def test_questions_of_several_threads_are_answered_together_each_with_its_own_answer() -> None:
    sizes: list[int] = []

    def run(asked: Sequence[int]) -> list[int]:
        sizes.append(len(asked))
        time.sleep(0.02)
        return [number * 10 for number in asked]

    batcher = Batcher(run, most=4, wait_s=0.05)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: batcher.ask(n, deadline=time.monotonic() + 10), range(20)))
    assert answers == [number * 10 for number in range(20)]
    assert sum(sizes) == 20
    assert max(sizes) <= 4
    assert len(sizes) < 20


def test_a_failing_run_fails_for_all_of_its_batch_and_for_nobody_else() -> None:
    def run(asked: Sequence[str]) -> list[str]:
        if "bad" in asked:
            raise RuntimeError("broken")
        return list(asked)

    batcher = Batcher(run, most=1)
    with pytest.raises(RuntimeError, match="broken"):
        batcher.ask("bad", deadline=time.monotonic() + 1)
    assert batcher.ask("good", deadline=time.monotonic() + 1) == "good"


def test_who_cannot_wait_leaves_the_queue() -> None:
    ran: list[str] = []
    started, over = threading.Event(), threading.Event()

    def run(asked: Sequence[str]) -> list[str]:
        ran.extend(asked)
        started.set()
        over.wait(5)
        return list(asked)

    batcher = Batcher(run, most=1)
    slow = threading.Thread(target=lambda: batcher.ask("slow", deadline=time.monotonic() + 5))
    slow.start()
    started.wait(5)
    with pytest.raises(TimeoutError):
        batcher.ask("late", deadline=time.monotonic() + 0.1)
    over.set()
    slow.join()
    assert batcher.ask("next", deadline=time.monotonic() + 1) == "next"
    assert ran == ["slow", "next"]
