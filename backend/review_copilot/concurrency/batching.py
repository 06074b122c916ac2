"""Combine requests from several threads into one batch. Knows nothing about the requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

_Asked = TypeVar("_Asked")
_Answered = TypeVar("_Answered")


@dataclass(eq=False)
class _Slot(Generic[_Asked, _Answered]):
    asked: _Asked
    answer: _Answered | None = None
    error: BaseException | None = None
    done: bool = False


class Batcher(Generic[_Asked, _Answered]):
    """Runs batches without a thread of its own: one of the calling threads leads and runs the batch for all."""

    def __init__(
        self, run: Callable[[Sequence[_Asked]], Sequence[_Answered]], *, most: int, wait_s: float = 0.02
    ) -> None:
        """Create a batcher.

        Args:
            run: Processes a batch and returns one result per request, in order. Never called by two threads at the same
                time.
            most: Maximum batch size, at least 1.
            wait_s: Seconds that a leader waits for other requests.
        """
        self._run = run
        self._most = most
        self._wait_s = wait_s if most > 1 else 0.0
        self._lock = threading.Lock()
        self._leading = threading.Lock()
        self._waiting: list[_Slot[_Asked, _Answered]] = []

    def ask(self, asked: _Asked, *, deadline: float) -> _Answered:
        """Wait for the result of one request.

        Args:
            asked: The request.
            deadline: Latest time by `time.monotonic`.

        Raises:
            TimeoutError: The deadline passed before a batch included the request.
            Exception: The exception that `run` raised for the batch.
        """
        slot: _Slot[_Asked, _Answered] = _Slot(asked)
        with self._lock:
            self._waiting.append(slot)
        while not slot.done:
            if not self._leading.acquire(timeout=max(0.0, deadline - time.monotonic())):
                self._leave(slot)
                if not slot.done:
                    raise TimeoutError
                break
            try:
                if not slot.done:
                    self._lead()
            finally:
                self._leading.release()
        if slot.error is not None:
            raise slot.error
        assert slot.answer is not None  # noqa: S101 - done without an error means answered
        return slot.answer

    def _lead(self) -> None:
        if self._wait_s:
            time.sleep(self._wait_s)
        with self._lock:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            answers = self._run([slot.asked for slot in batch])
            for slot, answer in zip(batch, answers, strict=True):
                slot.answer = answer
        except BaseException as error:  # raised in the thread of each caller
            for slot in batch:
                slot.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for slot in batch:
                slot.done = True

    def _leave(self, slot: _Slot[_Asked, _Answered]) -> None:
        with self._lock:
            if slot in self._waiting:
                self._waiting.remove(slot)
