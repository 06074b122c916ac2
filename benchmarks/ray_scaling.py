"""How much faster a run is with more workers on Ray: 1, 2 and 4, each with the same concurrency at one slow endpoint.

The endpoint is `fake_model.py` (400 ms an answer), the pictures are small: workers wait, they do not compute. So this
shows what coordination costs (blocks, coordinator, results), and nothing of how CPU or GPU work spreads. The rate is
taken from the first review to the last; the seconds until the first (Python starts, imports) are a column of their own.
"""

from __future__ import annotations

import argparse
import base64
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import ray

from predict_load import fake_model
from review_copilot.bootstrap.engines import ray_engine
from review_copilot.bootstrap.workers import worker_context
from review_copilot.domain.review import ProjectKey, ReviewTask, TaskKey
from review_copilot.engines.ray_cluster import Cluster
from review_copilot.ports import Shared
from review_copilot.settings import load_settings

CONCURRENCY = 4
GOAL = 0.85


def tasks(number: int, *, seed: int) -> list[ReviewTask]:
    """Tasks with small pictures that nobody has seen yet, in their URLs."""
    rng = np.random.default_rng(seed)
    found = []
    for task_id in range(number):
        _, file = cv2.imencode(".png", rng.integers(0, 255, (48, 64, 3), np.uint8))
        url = "data:image/png;base64," + base64.b64encode(file.tobytes()).decode()
        found.append(ReviewTask(TaskKey(ProjectKey("bench", seed, "1"), task_id), image=url))
    return found


def rate(url: str, *, workers: int, each: int, folder: Path) -> tuple[float, float]:
    """Reviews a second from the first to the last, and seconds until the first."""
    settings = load_settings(
        _env_file=None, database_url=f"sqlite:///{folder}/log.db", inspector="openai", model="m",
        model_base_url=f"{url}/v1", model_cache=folder / "replies", model_close_ups=0, concurrency=CONCURRENCY,
    )  # fmt: skip
    cluster = Cluster(workers=workers, cpus=1)
    engine = ray_engine(settings, worker_context(settings, Shared()), cluster=cluster)
    began = time.perf_counter()
    times = []
    for review in engine.reviews(tasks(each * workers, seed=workers), rollout="r"):
        assert not review.error, review.error
        times.append(time.perf_counter())
    assert len(times) == each * workers
    steady = [t for t in times if t > times[0]]
    return len(steady) / (steady[-1] - times[0]), times[0] - began


def main() -> int:
    """Print a table; exit code 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=160, help="tasks for each worker")
    wanted = parser.parse_args()
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
    print(f"{CONCURRENCY} at once in each worker, {wanted.each} tasks each, 400 ms an answer; coordination, not CPU")
    print("| workers | reviews/s | allowed by the endpoint | of linear | s to the first |\n|---|---|---|---|---|")
    alone, worst = 0.0, 1.0
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "unused.jpg"
        picture.write_bytes(b"")
        for workers in (1, 2, 4):
            with fake_model(picture) as url:
                per_s, first_s = rate(url, workers=workers, each=wanted.each, folder=Path(folder))
            alone = alone or per_s
            share = per_s / (workers * alone)
            worst = min(worst, share)
            allowed = workers * CONCURRENCY / 0.4
            print(f"| {workers} | {per_s:.1f} | {allowed:.0f} | {share:.0%} | {first_s:.1f} |", flush=True)
    ray.shutdown()
    return 0 if worst >= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
