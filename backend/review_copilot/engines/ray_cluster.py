"""Spread a bulk run over a Ray cluster. Knows the context and Ray; no Label Studio, no database, no settings.

One inspector in each actor, and tasks go out in blocks, two of them under way for each actor. This process alone
writes: it takes reviews back, so results are stored once whatever happens out there. A block whose actor is lost goes
to another; when that one is lost too, its tasks go out one by one and alone, so that a task that kills its worker is
found out and let go of, and costs no other.
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
"""Blocks under way for one actor: while one comes to its end the next has begun, so that no place stays empty."""

SUSPECT_LOSSES, MOST_LOSSES = 2, 3
"""A task that lost its worker so often is from then on looked at alone; is let go of, for it is likely the cause."""

LOOK_AGAIN_S, _KNOCK_S = 1.0, 10.0

Block: TypeAlias = tuple[ReviewTask, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster, and how much of it a run takes.

    Attributes:
        address: Ray's address, such as "auto" or "ray://head:10001"; empty starts one on this machine.
        workers: Actors, each with an inspector of its own.
        concurrency: Images looked at at once in each actor.
        cpus: Cores that an actor claims; a fraction where it mostly waits for an endpoint.
        gpus: GPUs that an actor claims; a fraction where several local models fit on one.
        block: Tasks sent at once; 0 for twice the concurrency.
        most_at_once: Requests to the endpoint at once, of all actors together.
        budget_usd: What all actors together may spend; None for no limit.
        patience_s: Seconds to wait while there is no actor at all before the run is given up.
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
    """Fulfils `ports.Engine`.

    Attributes:
        context: The tools on this side; its version must be theirs.
        make_context: Makes the tools in an actor; must be picklable.
        cluster: Where.
    """

    context: ReviewContext
    make_context: ContextMaker
    cluster: Cluster

    def reviews(self, tasks: Iterable[ReviewTask], *, rollout: str) -> Iterator[Review]:
        """See `ports.Engine`; at most two blocks for each actor are read ahead.

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
    """The actors of one run, and what they are at."""

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
        """Hand out blocks and take reviews back until there is nothing left."""
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
                    "The cluster has nobody to work.", hint="`ray status` shows what it has and what is asked of it."
                )
        if spent:
            raise NoFurtherCalls(spent)

    def dismiss(self) -> None:
        """Let all actors go."""
        for hand in self.images_at_once:
            self.ray.kill(hand.actor)
        self.ray.kill(self._coordinator)

    def _peek(self, source: Iterator[ReviewTask]) -> bool:
        """Whether there is another task; it becomes the next block."""
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
        """Wait for news: blocks that are done, actors that are ready, actors that are lost."""
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
                else EngineError(
                    f"A worker could not begin: {cause}.", hint="The same release must be installed on every node."
                )
            ) from error
        except self.ray.exceptions.RayActorError:
            self._replace(hand)
            return
        if version != self.engine.context.model_version:
            raise EngineError(
                f"A worker would draft as {version}, this machine as {self.engine.context.model_version}.",
                hint="The same release and the same files must be installed on every node.",
            )
        hand.joined = True

    def _lost(self, hand: _Actor, block: Block) -> Done:
        """See to a block whose actor is gone; returns the failed reviews of tasks that are let go of."""
        self._replace(hand)
        self.losses.update(task.key for task in block)
        lost = self.losses[block[0].key]
        if lost >= MOST_LOSSES:
            why = f"{lost} workers were lost while they looked at it."
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
        """Take what a lost actor held, and hire another."""
        if hand not in self.images_at_once:
            return
        log.warning("%s is lost; its tasks go to others", hand.name)
        self.images_at_once.remove(hand)
        self.ray.kill(hand.actor)  # it may be cut off and still at work
        self.ray.get(self._coordinator.forget.remote(hand.name))
        self._hire()


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """Be part of the cluster; one that this process is part of already is used as it is.

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
            hint="Give --ray-address as `ray start --head` printed it; the same Ray and Python everywhere.",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """See that somebody listens there: Ray itself tries for minutes, and then ends the process.

    Raises:
        OSError: Nobody does.
        ValueError: The port is no number.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host:
        socket.create_connection((host, int(port)), timeout=_KNOCK_S).close()
