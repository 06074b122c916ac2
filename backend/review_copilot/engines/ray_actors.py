"""What runs on the nodes of a Ray cluster: workers with one inspector each, and one coordinator of shared limits.

Nothing here imports Ray: the package is an extra, and the actors are plain classes until the engine makes them remote.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from review_copilot.concurrency.breaker import Breaker
from review_copilot.domain.review import Review, ReviewTask
from review_copilot.errors import BudgetSpent, EngineError, ExtraMissing, ModelHalted, NoFurtherCalls
from review_copilot.flows.review_context import ReviewContext, review_task
from review_copilot.ports import Shared

KNOWN_WITHIN_S = 30.0
"""How long the nodes of a cluster may take to discover the node on which a run starts."""
_ASK_AGAIN_S = 0.2
ContextMaker: TypeAlias = Callable[[Shared], ReviewContext]
"""Creates the setup of a worker from what it shares with other workers."""


def ray_package() -> Any:
    """The package `ray`.

    Raises:
        ExtraMissing: It is not installed.
    """
    try:
        import ray  # noqa: PLC0415  # an extra, loaded when asked for
    except ModuleNotFoundError as error:
        raise ExtraMissing(
            "The engine ray needs the package ray, which is not installed.",
            hint='Run this on every node: pip install "label-studio-review-copilot[ray]".',
        ) from error
    return ray


@dataclass(frozen=True, slots=True)
class Done:
    """Result of a block.

    Attributes:
        reviews: One per inspected task.
        spent: Why no more calls are allowed; empty while they are allowed.
    """

    reviews: tuple[Review, ...]
    spent: str = ""


class RunCoordinator:
    """Enforces concurrency limit and budget, and counts consecutive failures, for all workers of a run.

    An asyncio actor: one call at a time.
    """

    def __init__(self, *, most_at_once: int, budget_usd: float | None) -> None:
        self._most = most_at_once
        self._budget_usd = budget_usd
        self._limit: Counter[str] = Counter()
        self._reserved_usd: defaultdict[str, float] = defaultdict(float)
        self._spent_usd = 0.0
        self._gone: set[str] = set()
        self._changed = asyncio.Condition()
        self._breaker = Breaker()

    async def take(self, worker: str, timeout_s: float) -> bool:
        """Acquire a slot for a worker; False if there was none in time, or if the worker was given up meanwhile."""
        async with self._changed:
            free = self._changed.wait_for(lambda: self._limit.total() < self._most or worker in self._gone)
            try:
                await asyncio.wait_for(free, timeout_s)
            except TimeoutError:
                return False
            if worker not in self._gone:
                self._limit[worker] += 1
            return worker not in self._gone

    async def give_back(self, worker: str) -> None:
        """Release the slot."""
        async with self._changed:
            self._limit[worker] = max(0, self._limit[worker] - 1)
            self._changed.notify_all()

    async def reserve(self, worker: str, usd: float) -> str:
        """Reserve an amount; returns the reason if that is not possible, otherwise an empty text."""
        if self._budget_usd is not None:
            committed_usd = self._spent_usd + sum(self._reserved_usd.values())
            if committed_usd + usd > self._budget_usd + 1e-12:
                return (
                    f"The budget of ${self._budget_usd:g} does not cover another call: ${self._spent_usd:.4f} is "
                    f"spent, and the call may cost up to ${usd:.4f}."
                )
        self._reserved_usd[worker] += usd
        return ""

    async def settle(self, worker: str, reserved_usd: float, spent_usd: float) -> None:
        """Record what was spent."""
        if worker not in self._gone:
            self._reserved_usd[worker] -= reserved_usd
            self._spent_usd += spent_usd

    async def halted(self) -> str:
        """Why no calls to the endpoint are allowed; empty while they are allowed."""
        try:
            self._breaker.check()
        except ModelHalted as error:
            return error.public
        return ""

    async def heard(self, why: str, *, final: bool) -> None:
        """Record a successful call (without a reason) or a failed one."""
        if why:
            self._breaker.failed(why, final=final)
        else:
            self._breaker.answered()

    async def forget(self, worker: str) -> None:
        """Handle a lost worker: release its slots; its reserved amount may have been charged and counts as spent."""
        async with self._changed:
            self._gone.add(worker)
            del self._limit[worker]
            self._spent_usd += self._reserved_usd.pop(worker, 0.0)
            self._changed.notify_all()


def coordinator_actor(ray: Any, *, node_id: str, most_at_once: int, budget_usd: float | None) -> Any:
    """Create the coordinator of a run on the caller's node, so that it is lost only together with the run.

    Other nodes do not know a node immediately after it joins. A node that does not know it refuses to place the
    coordinator there; the call is then repeated.

    Raises:
        EngineError: The nodes do not discover this one within KNOWN_WITHIN_S.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415  # an extra

    beside_us = NodeAffinitySchedulingStrategy(node_id=node_id, soft=False)
    made = ray.remote(num_cpus=0, max_concurrency=1000, scheduling_strategy=beside_us)(RunCoordinator)
    until = time.monotonic() + KNOWN_WITHIN_S
    while True:
        coordinator = made.remote(most_at_once=most_at_once, budget_usd=budget_usd)
        try:
            ray.get(coordinator.forget.remote("nobody"))
        except ray.exceptions.RayActorError as error:
            if time.monotonic() > until:
                raise EngineError(
                    "The Ray cluster does not recognize the node on this machine.",
                    hint="Run `ray status` and check that this machine's node is listed.",
                ) from error
            time.sleep(_ASK_AGAIN_S)
        else:
            return coordinator


@dataclass(frozen=True)
class Allowance:
    """One worker's access to the coordinator.

    Implements `ports.ConcurrencyLimit`, `Budget`, and `CircuitBreaker`.

    Attributes:
        worker: The worker.
        coordinator: The coordinator's actor.
        budget_usd: Maximum amount for all workers; None for no limit.
    """

    worker: str
    coordinator: Any
    budget_usd: float | None = None

    @contextmanager
    def slot(self, *, deadline: float, urgent: bool = False) -> Iterator[None]:
        """See `ports.ConcurrencyLimit`; a bulk run has no urgent requests."""
        del urgent
        ray = ray_package()
        if not ray.get(self.coordinator.take.remote(self.worker, max(0.0, deadline - time.monotonic()))):
            raise TimeoutError
        try:
            yield
        finally:
            self.coordinator.give_back.remote(self.worker)

    def pause(self, seconds: float) -> None:
        """See `ports.ConcurrencyLimit`; the endpoint tells the other workers itself."""
        time.sleep(seconds)

    @property
    def limit_usd(self) -> float | None:
        """See `ports.Budget`."""
        return self.budget_usd

    def reserve(self, usd: float) -> None:
        """See `ports.Budget`."""
        if self.budget_usd is not None and (
            why := ray_package().get(self.coordinator.reserve.remote(self.worker, usd))
        ):
            raise BudgetSpent(why, hint="Raise the budget and run the command again. Finished drafts are stored.")

    def settle(self, *, reserved_usd: float, spent_usd: float) -> None:
        """See `ports.Budget`."""
        if self.budget_usd is not None:
            self.coordinator.settle.remote(self.worker, reserved_usd, spent_usd)

    def check(self) -> None:
        """See `ports.CircuitBreaker`."""
        if why := ray_package().get(self.coordinator.halted.remote()):
            raise ModelHalted(why, hint="Fix the cause and run the command again. Finished drafts are stored.")

    def answered(self) -> None:
        """See `ports.CircuitBreaker`."""
        self.coordinator.heard.remote("", final=False)

    def failed(self, why: str, *, final: bool) -> None:
        """See `ports.CircuitBreaker`."""
        self.coordinator.heard.remote(why, final=final)


class Worker:
    """One inspector, and threads that use it. Blocks overlap and share the threads."""

    def __init__(self, make_context: ContextMaker, *, allowance: Allowance, concurrency: int) -> None:
        self._make_context = partial(make_context, Shared(concurrency=allowance, budget=allowance, breaker=allowance))
        self._pool = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="inspect")

    def begin(self) -> str:
        """Create the setup; returns its draft version.

        Not done when the actor is created, because the reason of a failure would be lost.
        """
        self._context = self._make_context()
        return self._context.model_version

    def review(self, block: tuple[ReviewTask, ...], rollout: str) -> Done:
        """Draft all tasks of a block."""
        futures = [
            self._pool.submit(review_task, task, context=self._context, rollout=rollout, bulk=True) for task in block
        ]
        wait(futures)
        spent = [f.exception() for f in futures if isinstance(f.exception(), NoFurtherCalls)]
        reviews = tuple(f.result() for f in futures if not isinstance(f.exception(), NoFurtherCalls))
        return Done(reviews, str(spent[0]) if spent else "")
