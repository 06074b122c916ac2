"""Parts that hold a connection, a thread or a limit are created once, however many threads ask at the same moment."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from review_copilot.concurrency.lazy_value import LazyValue

THREADS = 8

WITHOUT_A_LOCK = """
import functools, sys, threading, time

def unlocked(self, instance, owner=None):  # as Python 3.12 has it: no lock
    if instance is None:
        return self
    kept = instance.__dict__
    if self.attrname not in kept:
        time.sleep(0.05)  # every thread gets here before one is done
        kept[self.attrname] = self.func(instance)
    return kept[self.attrname]

functools.cached_property.__get__ = unlocked

def all_at_once(ask, threads=8):
    barrier, answers = threading.Barrier(threads), []
    def one():
        barrier.wait()
        answers.append(ask())
    workers = [threading.Thread(target=one) for _ in range(threads)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    return answers

from review_copilot.bootstrap.backend import build_backend
from review_copilot.bootstrap.process import open_process
from review_copilot.settings import load_settings

process = open_process(load_settings(_env_file=None, database_url=sys.argv[1], label_studio_token="t"))
parts = build_backend(process)
asked = {
    "setup": lambda: process.setup_of(),
    "guideline": lambda: process.setup_of().guideline,
    "inspector": lambda: process.setup_of().inspector,
    "store": lambda: parts.service.store,
    "pool": lambda: parts.service.pool,
    "client": lambda: process.required_label_studio.client,
}
for name, ask in asked.items():
    print(name, len({id(answer) for answer in all_at_once(ask)}))
process.close()
"""


def test_a_value_is_created_once_and_shared() -> None:
    barrier = threading.Barrier(THREADS)
    created: list[object] = []
    answers: list[object] = []

    def create() -> object:
        created.append(object())
        return created[-1]

    value = LazyValue(create)

    def ask() -> None:
        barrier.wait()
        answers.append(value())

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(created) == 1
    assert answers == created * THREADS


def test_none_is_a_value_like_any_other() -> None:
    calls: list[None] = []
    value = LazyValue(lambda: calls.append(None))
    assert value() is None
    assert value() is None
    assert calls == [None]


def test_a_failed_creation_is_tried_again() -> None:
    answers = iter((ValueError("not yet"), "ready"))

    def create() -> str:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    value = LazyValue(create)
    with pytest.raises(ValueError, match="not yet"):
        value()
    assert value() == "ready"


def test_no_part_of_a_process_needs_the_lock_that_python_3_12_took_away(tmp_path: Path) -> None:
    """Every thread asks at the same moment, with `cached_property` as it is since 3.12."""
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_LOCK, f"sqlite:///{tmp_path}/log.db"],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    counts = dict(line.rsplit(" ", 1) for line in said.stdout.splitlines())
    assert counts == dict.fromkeys(("setup", "guideline", "inspector", "store", "pool", "client"), "1")
