"""Large images wait for each other, small ones do not, and none waits for ever."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from builders import a_guideline, task_key
from fake_clock import FakeClock
from fake_label_studio import FakeImages, FakeInspector
from review_copilot.concurrency.memory_budget import MemoryBudget
from review_copilot.domain.review import Exposure, ReviewTask
from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.flows.review_context import ReviewContext, review_task


@dataclass
class CountingInspector(FakeInspector):
    """Counts how many images it looks at at once."""

    now: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def inspect(self, brief: Brief) -> Inspection:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.05)
        with self.lock:
            self.now -= 1
        return super().inspect(brief)


@pytest.mark.parametrize(
    ("budget", "reference", "at_once"),
    [(200_000, "", 1), (10_000, "", 1), (400_000, "", 2), (400_000, "reference.png", 1), (10**9, "", 4)],
    ids=["room for one", "room for none", "room for two", "two images a task", "room for all"],
)
def test_images_at_once_fit_the_budget(budget: int, reference: str, at_once: int) -> None:
    """An image of 200 x 100 pixels counts 160 000 bytes; a task's own and its reference are asked for together."""
    inspector = CountingInspector()
    context = ReviewContext(
        guideline=a_guideline(), inspector=inspector, images=FakeImages(), clock=FakeClock(), min_score=0.0,
        memory=MemoryBudget(budget),
    )  # fmt: skip
    tasks = [ReviewTask(key=task_key(n), image=f"{n}.png", reference=reference) for n in range(8)]
    with ThreadPoolExecutor(4) as pool:
        reviews = list(pool.map(lambda task: review_task(task, context=context, rollout="r"), tasks))
    assert [review.exposure for review in reviews] == [Exposure.SHOWN] * 8
    assert inspector.most == at_once


def test_a_large_one_is_not_passed_for_ever_by_small_ones() -> None:
    budget = MemoryBudget(100)
    order: list[str] = []
    began = threading.Event()

    def small(name: str) -> None:
        with budget.hold(60):
            began.set()
            time.sleep(0.05)
            order.append(name)

    def large() -> None:
        with budget.hold(1000):
            order.append("large")

    with ThreadPoolExecutor(8) as pool:
        pool.submit(small, "first")
        began.wait(5)
        pool.submit(large)
        time.sleep(0.02)
        for n in range(5):
            pool.submit(small, f"later {n}")
    assert order[:2] == ["first", "large"]


def test_what_failed_gives_its_bytes_back() -> None:
    budget = MemoryBudget(100)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), budget.hold(100):
            raise ValueError("broken")
    with budget.hold(100):
        pass
