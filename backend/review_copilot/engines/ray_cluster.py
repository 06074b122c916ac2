"""Run a bulk run on a Ray cluster. Knows the setup and Ray, but no Label Studio, no database, and no settings.

Each actor has one inspector. Tasks are sent in blocks, two at a time per actor. Only this process
writes: it receives the reviews, so that results are stored once, whatever happens to workers. If an actor is lost, its
block goes to another one. If that one is lost too, the tasks are sent one by one, so that a task that kills its worker
is detected and given up, without affecting other tasks.
"""

from __future__ import annotations

import logging
import socket
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, count, islice
from typing import Any, TypeAlias

from review_copilot.domain.review import Review, ReviewTask, TaskKey
from review_copilot.engines.ray_actors import Allowance, ContextMaker, Done, Worker, coordinator_actor, ray_package
from review_copilot.errors import CopilotError, EngineError, NoFurtherCalls
from review_copilot.flows.review_context import ReviewContext, given_up

log = logging.getLogger(__name__)

IN_FLIGHT = 2
"""Blocks at a time per actor: while one ends, the next has started, so that no slot stays empty."""

SUSPECT_LOSSES, MOST_LOSSES = 2, 3
"""Number of lost workers after which a task is sent alone, and after which it is given up as the likely cause."""

LOOK_AGAIN_S, _KNOCK_S = 1.0, 10.0

Block: TypeAlias = tuple[ReviewTask, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster, and how much of it a run uses.

    Attributes:
        address: Ray's address, such as "auto" or "ray://head:10001"; empty starts one on this machine.
        workers: Number of actors, each with its own inspector.
        concurrency: Images inspected at the same time in each actor.
        cpus: Cores per actor; a fraction if it mostly waits for an endpoint.
        gpus: GPUs per actor; a fraction if several local models fit on one.
        block: Tasks per block; 0 for twice the concurrency.
        most_at_once: Maximum number of concurrent requests to the endpoint, for all actors together.
        budget_usd: Maximum amount for all actors together; None for no limit.
        patience_s: Seconds without any actor after which the run is given up.
    """

    address: str = ""
    workers: int = 2
    concurrency: int = 4
    cpus: float = 1.0
    gpus: float = 0.0
    block: int = 0
    most_at_once: int = 4
    budget_usd: float | None = None
    patience_s: float = 300.0


@dataclass(frozen=True)
class RayEngine:
    """Implements `ports.Engine`.

    Attributes:
        context: The setup in this process; the workers' draft version must be the same.
        make_context: Creates the setup in an actor; must be picklable.
        cluster: The cluster.
    """

    context: ReviewContext
    make_context: ContextMaker
    cluster: Cluster

    def reviews(self, tasks: Iterable[ReviewTask], *, rollout: str) -> Iterator[Review]:
        """See `ports.Engine`; at most two blocks per actor are read ahead.

        Raises:
            ExtraMissing: Ray is not installed.
        """
        ray = ray_package()
        source = iter(tasks)
        if (first := next(source, None)) is None:
            return
        with _connected(ray, self.cluster.address):
            ray_workers = _RayWorkers(ray, engine=self, rollout=rollout)
            try:
                yield from ray_workers.reviews(chain([first], source))
            finally:
                ray_workers.dismiss()


@dataclass
class _Actor:
    """One actor of the workers."""

    name: str
    actor: Any
    ready: Any
    joined: bool = False
    alone: bool = False
    busy: int = 0


@dataclass
class _RayWorkers:
    """The actors of one run, and their work."""

    ray: Any
    engine: RayEngine
    rollout: str
    images_at_once: list[_Actor] = field(default_factory=list)
    under_way: dict[Any, tuple[_Actor, Block]] = field(default_factory=dict)
    again: deque[Block] = field(default_factory=deque)
    losses: Counter[TaskKey] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        cluster = self.engine.cluster
        here = self.ray.get_runtime_context().get_node_id()
        self._coordinator = coordinator_actor(
            self.ray, node_id=here, most_at_once=cluster.most_at_once, budget_usd=cluster.budget_usd
        )
        for _ in range(cluster.workers):
            self._hire()

    def reviews(self, source: Iterator[ReviewTask]) -> Iterator[Review]:
        """Send blocks and receive reviews until none are left."""
        spent = ""
        last_seen = time.monotonic()
        while True:
            if not spent:
                self._hand_out(source)
            if not self.under_way and (spent or not (self.again or self._peek(source))):
                break
            for done in self._come_back():
                yield from done.reviews
                spent = spent or done.spent
            if any(hand.joined for hand in self.images_at_once):
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > self.engine.cluster.patience_s:
                raise EngineError(
                    "The cluster has no workers.", hint="Run `ray status` to see its resources and the requested ones."
                )
        if spent:
            raise NoFurtherCalls(spent)

    def dismiss(self) -> None:
        """Release all actors."""
        for hand in self.images_at_once:
            self.ray.kill(hand.actor)
        self.ray.kill(self._coordinator)

    def _peek(self, source: Iterator[ReviewTask]) -> bool:
        """Whether there is another task; it is added to the next block."""
        if task := next(source, None):
            self.again.append((task,))
        return task is not None

    def _hand_out(self, source: Iterator[ReviewTask]) -> None:
        cluster = self.engine.cluster
        size = cluster.block or 2 * cluster.concurrency
        for hand in self.images_at_once:
            while hand.joined and not hand.alone and hand.busy < IN_FLIGHT:
                suspect = bool(self.again) and self._is_suspect(self.again[0])
                if suspect and hand.busy:
                    break
                block = self.again.popleft() if self.again else tuple(islice(source, size))
                if not block:
                    return
                hand.alone = suspect
                hand.busy += 1
                self.under_way[hand.actor.review.remote(block, self.rollout)] = hand, block

    def _come_back(self) -> Iterator[Done]:
        """Wait for events: finished blocks, ready actors, lost actors."""
        arriving = {hand.ready: hand for hand in self.images_at_once if not hand.joined}
        waiting = [*self.under_way, *arriving]
        ready, _ = self.ray.wait(waiting, num_returns=len(waiting), timeout=0)
        if not ready:
            ready, _ = self.ray.wait(waiting, num_returns=1, timeout=LOOK_AGAIN_S)
        for ref in ready:
            if hand := arriving.get(ref):
                self._join(hand)
            elif ref in self.under_way:
                hand, block = self.under_way.pop(ref)
                hand.busy -= 1
                hand.alone = False
                try:
                    yield self.ray.get(ref)
                except (self.ray.exceptions.RayActorError, self.ray.exceptions.ObjectLostError):
                    yield self._lost(hand, block)

    def _join(self, hand: _Actor) -> None:
        try:
            version = self.ray.get(hand.ready)
        except self.ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise (
                cause
                if isinstance(cause, CopilotError)
                else EngineError(f"A worker could not start: {cause}.", hint="Install the same release on every node.")
            ) from error
        except self.ray.exceptions.RayActorError:
            self._replace(hand)
            return
        if version != self.engine.context.model_version:
            raise EngineError(
                f"The draft version of a worker is {version}, that of this machine "
                f"{self.engine.context.model_version}.",
                hint="Install the same release and the same files on every node.",
            )
        hand.joined = True

    def _lost(self, hand: _Actor, block: Block) -> Done:
        """Handle a block whose actor was lost; returns the failed reviews of tasks that are given up."""
        self._replace(hand)
        self.losses.update(task.key for task in block)
        lost = self.losses[block[0].key]
        if lost >= MOST_LOSSES:
            why = f"{lost} workers were lost while they inspected it."
            return Done(
                tuple(given_up(task, context=self.engine.context, rollout=self.rollout, why=why) for task in block)
            )
        self.again.extend(((task,) for task in block) if self._is_suspect(block) else (block,))
        return Done(())

    def _is_suspect(self, block: Block) -> bool:
        return self.losses[block[0].key] >= SUSPECT_LOSSES

    def _hire(self) -> None:
        cluster = self.engine.cluster
        name = f"worker-{next(self.numbers)}"
        options = {"num_cpus": cluster.cpus, "num_gpus": cluster.gpus, "max_concurrency": IN_FLIGHT + 1}
        allowance = Allowance(name, self._coordinator, budget_usd=cluster.budget_usd)
        actor = self.ray.remote(**options)(Worker).remote(
            self.engine.make_context, allowance=allowance, concurrency=cluster.concurrency
        )
        self.images_at_once.append(_Actor(name, actor, actor.begin.remote()))

    def _replace(self, hand: _Actor) -> None:
        """Take back the blocks of a lost actor, and start another actor."""
        if hand not in self.images_at_once:
            return
        log.warning("%s is lost; its tasks go to other workers", hand.name)
        self.images_at_once.remove(hand)
        self.ray.kill(hand.actor)  # it may be disconnected and still running
        self.ray.get(self._coordinator.forget.remote(hand.name))
        self._hire()


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """Connect to the cluster; if this process is already connected to one, use that.

    Raises:
        EngineError: It cannot be reached.
    """
    if ray.is_initialized():
        yield
        return
    try:
        _knock(address)
        ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise EngineError(
            f"The Ray cluster at {address or 'this machine'} cannot be reached: {str(error).splitlines()[0]}",
            hint="Use the address that `ray start --head` printed for --ray-address, and the same Ray and Python on "
            "every node.",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Check that a server listens there: Ray itself retries for minutes and then ends the process.

    Raises:
        OSError: No server listens there.
        ValueError: The port is not a number.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host:
        socket.create_connection((host, int(port)), timeout=_KNOCK_S).close()
