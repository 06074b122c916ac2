"""A Ray cluster of several nodes on this machine, and what its workers are made of in tests."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from fake_clock import FakeClock
from fake_label_studio import FakeImages, FakeInspector
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.flows.review_context import ReviewContext
from review_copilot.library import load_guideline
from review_copilot.ports import Shared

_STORE_BYTES = 80 * 2**20
_QUICK_TO_MISS = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 300,
    "health_check_failure_threshold": 3,
}


@contextmanager
def nodes(cpus: list[float]) -> Iterator[tuple[Cluster, list[Any]]]:
    """A head without cores and one node for each number of cores; this process is connected to it."""
    import_path = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), import_path])  # what workers are made of
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0,
            "object_store_memory": _STORE_BYTES,
            "include_dashboard": False,
            "_system_config": _QUICK_TO_MISS,
        },
    )
    try:
        added = [cluster.add_node(num_cpus=number, object_store_memory=_STORE_BYTES) for number in cpus]
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster, added
    finally:
        ray.shutdown()
        cluster.shutdown()
        os.environ["PYTHONPATH"] = import_path


@dataclass
class DiaryInspector(FakeInspector):
    """Takes its time, holds a seat meanwhile, and writes down where it looked at what.

    Attributes:
        shared: What the worker shares.
        folder: Gets one file for each look.
        look_s: Seconds of one look.
        usd: What a look costs.
        deadly: The image that kills whoever looks at it.
    """

    shared: Shared = field(default_factory=Shared)
    folder: Path = Path()
    look_s: float = 0.1
    usd: float = 0.0
    deadly: str = ""

    def catalogue(self) -> tuple[Measure, ...]:
        return ()

    def inspect(self, brief: Brief) -> Inspection:
        assert self.shared.concurrency is not None
        assert self.shared.budget is not None
        if brief.image.source == self.deadly:
            os._exit(1)
        self.shared.budget.reserve(self.usd)
        with self.shared.concurrency.slot(deadline=time.monotonic() + 60):
            began = time.time()
            time.sleep(self.look_s)
            ended = time.time()
        self.shared.budget.settle(reserved_usd=self.usd, spent_usd=self.usd)
        name = f"{brief.image.source}.{os.getpid()}.{time.monotonic_ns()}"
        (self.folder / name).write_text(f"{began} {ended}")
        return super().inspect(brief)


def a_context(
    shared: Shared, *, folder: Path, look_s: float = 0.1, usd: float = 0.0, deadly: str = ""
) -> ReviewContext:
    """The tools of a worker, or of the side that drives."""
    inspector = DiaryInspector(shared=shared, folder=folder, look_s=look_s, usd=usd, deadly=deadly)
    return ReviewContext(load_guideline("photo-quality"), inspector, FakeImages(), FakeClock(), min_score=0.3)


def most_at_once(folder: Path) -> int:
    """The most looks that went on at the same time, by the files of `DiaryInspector`."""
    edges = []
    for file in folder.iterdir():
        began, ended = map(float, file.read_text().split())
        edges += [(began, 1), (ended, -1)]
    running = most = 0
    for _, step in sorted(edges):
        running += step
        most = max(most, running)
    return most
