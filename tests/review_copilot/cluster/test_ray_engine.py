"""A bulk run on a real Ray cluster of several nodes: nothing lost, nothing doubled, limits held by all together."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import ray

from fake_clock import FakeClock
from fake_endpoint import Busy, endpoint, refusing
from fake_label_studio import FakeWorkspace
from fakes import MemoryStore
from opened import opened
from pictures import noise_uris
from postgres import fresh_database
from ray_nodes import a_context, most_at_once, nodes
from review_copilot.bootstrap.engines import ray_engine
from review_copilot.domain.review import ProjectKey
from review_copilot.engines.ray_cluster import MOST_LOSSES, Cluster, RayEngine
from review_copilot.errors import EngineError, ModelHalted
from review_copilot.flows.preannotate import Progress, preannotate
from review_copilot.ports import Shared
from review_copilot.settings import load_settings

KEY = ProjectKey("http://ls", 7, "1732360000")
ROLLOUT = "photo-quality r1 abc"


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Any, list[Any]]]:
    """A head and two nodes with room for three workers each."""
    with nodes([3, 3]) as running:
        yield running


def a_project(tasks: int) -> FakeWorkspace:
    return FakeWorkspace(KEY, {number: f"{number}.png" for number in range(1, tasks + 1)})


def run(workspace: FakeWorkspace, folder: Path, *, wish: Cluster, **context: Any) -> Progress:
    engine = RayEngine(
        a_context(Shared(), folder=folder), make_context=partial(a_context, folder=folder, **context), cluster=wish
    )
    return preannotate(workspace, engine=engine, store=MemoryStore(), rollout=ROLLOUT, clock=FakeClock())


def one_each(workspace: FakeWorkspace) -> bool:
    return sorted(p.task_id for p in workspace.predictions(rollout=ROLLOUT)) == sorted(workspace.images)


def looks(folder: Path) -> Counter[str]:
    return Counter(file.name.split(".png")[0] for file in folder.iterdir())


def test_all_tasks_are_drafted_once_and_the_endpoints_limit_holds_for_all_workers_together(
    cluster: object, tmp_path: Path
) -> None:
    workspace = a_project(60)
    report = run(workspace, tmp_path, wish=Cluster(workers=3, concurrency=4, most_at_once=5))
    assert (report.drafted, report.stored, report.failures) == (60, 60, {})
    assert one_each(workspace)
    assert set(looks(tmp_path).values()) == {1}
    assert most_at_once(tmp_path) == 5
    assert len({file.name.split(".")[2] for file in tmp_path.iterdir()}) == 3


def test_a_budget_holds_for_all_workers_together_and_what_was_paid_for_is_delivered(
    cluster: object, tmp_path: Path
) -> None:
    workspace = a_project(60)
    wish = Cluster(workers=3, concurrency=4, most_at_once=12, budget_usd=2.0)
    report = run(workspace, tmp_path, wish=wish, usd=0.1)
    assert "The budget of $2" in report.stopped
    assert report.drafted == report.stored == len(list(tmp_path.iterdir())) == 20


def test_a_task_that_kills_its_workers_is_let_go_of_and_costs_no_other(cluster: object, tmp_path: Path) -> None:
    workspace = a_project(12)
    report = run(workspace, tmp_path, wish=Cluster(workers=2, concurrency=2, most_at_once=4), deadly="7.png")
    assert set(report.failures) == {7}
    assert f"{MOST_LOSSES} workers were lost" in report.failures[7]
    assert report.stored == 11


def test_a_worker_of_another_release_is_refused(cluster: object, tmp_path: Path) -> None:
    engine = RayEngine(a_context(Shared(), folder=tmp_path), make_context=other_release, cluster=Cluster(workers=1))
    with pytest.raises(EngineError, match="The draft version of a worker is"):
        preannotate(a_project(2), engine=engine, store=MemoryStore(), rollout=ROLLOUT, clock=FakeClock())


def test_settings_make_workers_that_ask_the_endpoint_within_its_limit(cluster: object, tmp_path: Path) -> None:
    """The whole road: settings here, inspectors there, four at once at the endpoint for all workers."""
    model = Busy()
    with endpoint(model) as running:
        settings = load_settings(
            _env_file=None,
            database_url=f"sqlite:///{tmp_path}/log.db",
            inspector="openai",
            model="m",
            model_base_url=running.url,
            model_cache=tmp_path / "replies",
            concurrency=3,
            model_concurrency=4,
        )
        copilot = opened(settings)
        workspace = FakeWorkspace(KEY, dict(enumerate(noise_uris(24), start=1)))
        engine = ray_engine(settings, copilot.context, cluster=Cluster(workers=2))
        report = preannotate(
            workspace, engine=engine, store=copilot.store, rollout=copilot.rollout(KEY), clock=copilot.clock
        )
        assert (report.stored, report.failures, report.usage.calls) == (
            24,
            {},
            len(running.turns) + len(running.probes),
        )
        assert model.most == 4
        copilot.store.close()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_dead_endpoint_stops_all_workers_of_a_run(
    database: str, cluster: object, postgres_server: str, tmp_path: Path
) -> None:
    """With SQLite, the run has a circuit breaker; with PostgreSQL, the backends share it too."""
    shared = database == "postgresql"
    with endpoint(lambda _: refusing(400, "The model crashed.")) as running:
        settings = load_settings(
            _env_file=None,
            database_url=fresh_database(postgres_server) if shared else f"sqlite:///{tmp_path}/log.db",
            inspector="openai",
            model="m",
            model_base_url=running.url,
            model_cache=tmp_path / "replies",
            concurrency=2,
        )
        copilot = opened(settings)
        engine = ray_engine(settings, copilot.context, cluster=Cluster(workers=3))
        report = preannotate(
            FakeWorkspace(KEY, dict(enumerate(noise_uris(60), start=1))),
            engine=engine, store=copilot.store, rollout=copilot.rollout(KEY), clock=copilot.clock,
        )  # fmt: skip
        assert re.match(r"The last 2\d calls to the model failed\.", report.stopped)
        assert 20 <= len(report.failures) <= 20 + 6
        backend = copilot.process.shared.breaker
        assert (backend is not None) is shared
        if backend is not None:
            backend.check()
            with pytest.raises(ModelHalted):
                backend.check()
        copilot.store.close()


def other_release(shared: Shared) -> Any:
    from dataclasses import replace  # noqa: PLC0415  # runs on another node

    return replace(a_context(shared, folder=Path()), min_score=0.31)


def test_a_node_that_is_killed_in_mid_run_loses_and_doubles_nothing(
    cluster: tuple[Any, list[Any]], tmp_path: Path
) -> None:
    """Half the workers are gone at once, by SIGKILL, with blocks under way; the run ends as if nothing had been."""
    workspace = a_project(120)
    ray_cluster, added = cluster
    ours = ray.get_runtime_context().get_node_id()  # all nodes are on one machine: this process is at home on one
    victim = next(node for node in added if node.node_id != ours)

    def kill_a_node() -> None:
        while len(list(tmp_path.iterdir())) < 30:
            time.sleep(0.05)
        ray_cluster.remove_node(victim, allow_graceful=False)

    killer = threading.Thread(target=kill_a_node)
    killer.start()
    report = run(workspace, tmp_path, wish=Cluster(workers=4, concurrency=2, most_at_once=8))
    killer.join()
    assert (report.drafted, report.stored, report.failures) == (120, 120, {})
    assert one_each(workspace)
    again = sum(looks(tmp_path).values()) - 120
    assert 0 <= again <= 2 * 2 * 2 * 4, "only what the killed workers had under way is looked at again"
