"""Reviewers work on a real Label Studio while real faults happen; then log and ledger are held side by side.

`REVIEW_COPILOT_FAULT_EVENTS` says how many actions befall each fault, `REVIEW_COPILOT_FAULT_SEED` which they are, and
`REVIEW_COPILOT_FAULT_FIGURES` names the file that the figures go to.
"""

from __future__ import annotations

import os
import resource
import time
from concurrent.futures import wait
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from fault_bench import Bench, Figures, Plan
from fault_environment import (
    LabelStudio,
    OutcomeCounts,
    SmallDisk,
    SteppingClock,
    limit_files,
    lock_database,
    may_mount,
)
from postgres import running_postgres

pytestmark = [pytest.mark.labelstudio, pytest.mark.timeout(3600)]

PLAN = Plan(
    events=int(os.environ.get("REVIEW_COPILOT_FAULT_EVENTS", "24")),
    seed=int(os.environ.get("REVIEW_COPILOT_FAULT_SEED", "1")),
)
KILLS = 3
SPOILT = OutcomeCounts(lost=0.3, late=0.2, doubled=0.25)


def killed_during_webhooks(bench: Bench) -> None:
    """SIGKILL again and again while events come in, at times of the seed's choosing."""
    random = Random(bench.plan.seed)
    for _ in range(KILLS):
        time.sleep(random.uniform(0.0, 1.5))
        bench.backend.kill()
        time.sleep(0.5)
        bench.backend.start()
    bench.working.result()
    assert bench.road.not_taken


def killed_during_a_sweep(bench: Bench) -> None:
    """The backend sleeps while people work; each time it begins to sweep what it missed, SIGKILL."""
    bench.backend.stop()
    wait([bench.working])
    cut = 0
    with bench.store() as store:
        (project,) = store.projects()
        while cut < KILLS:
            bench.backend.start()
            until = time.monotonic() + 20
            while store.unfinished_sweep(project) is None and time.monotonic() < until:
                time.sleep(0.001)
            bench.backend.kill()
            assert time.monotonic() < until, "the backend did not sweep"
            cut += store.unfinished_sweep(project) is not None
    bench.backend.start()


def backend_down(bench: Bench) -> None:
    """Down for the whole round: no webhook arrives, and Label Studio never sends one again."""
    bench.backend.stop()
    wait([bench.working])
    assert bench.road.not_taken >= bench.plan.events
    bench.backend.start()


def database_locked(bench: Bench) -> None:
    """Somebody else holds the write lock for longer than Label Studio waits for an answer."""
    lock_database(bench.database, seconds=4.0)
    bench.working.result()
    assert bench.road.not_taken


def webhooks_doubled_reordered_lost(bench: Bench) -> None:
    """Of ten webhooks three are lost, two come late and last first, two or three come twice."""
    bench.road.outcome_counts = SPOILT


def label_studio_restarted(bench: Bench) -> None:
    """While people draw breath, under the eyes of a sweeping backend, and with events still on their way."""
    bench.road.outcome_counts = replace(SPOILT, late=0.5)
    time.sleep(1)
    with bench.reviewers.resting:
        bench.server.stop()
        time.sleep(2)
        bench.server.start()


def file_quota_reached(bench: Bench) -> None:
    """Not a byte more may be written to any file."""
    pids = bench.backend.pids()
    limit_files(pids, max_bytes=0)
    time.sleep(3)
    limit_files(pids, max_bytes=resource.RLIM_INFINITY)
    bench.working.result()
    assert bench.road.not_taken


FAULTS = {
    "SIGKILL during webhooks": killed_during_webhooks,
    "SIGKILL during a sweep": killed_during_a_sweep,
    "backend down": backend_down,
    "database locked": database_locked,
    "webhooks doubled, reordered, lost": webhooks_doubled_reordered_lost,
    "Label Studio restarted": label_studio_restarted,
    "file quota reached": file_quota_reached,
}


@pytest.mark.parametrize("name", FAULTS)
def test_log_and_ledger_agree(
    label_studio_house: LabelStudio, stack: ExitStack, tmp_path: Path, figures: Figures, name: str
) -> None:
    bench = Bench(label_studio_house, stack, tmp_path, PLAN)
    figures.settle(name, bench, bench.run(FAULTS[name]))


def test_two_workers_and_a_sweep_at_once(
    label_studio_house: LabelStudio, stack: ExitStack, tmp_path: Path, figures: Figures
) -> None:
    """Two processes on one database, each with half of the events and sweeping every second, and `sync` beside them."""
    bench = Bench(label_studio_house, stack, tmp_path, replace(PLAN, backends=2))

    def sweeps(bench: Bench) -> None:
        while not bench.working.done():
            bench.backend.sync(bench.project_id)

    figures.settle("two workers and a sweep at once", bench, bench.run(sweeps))


@pytest.mark.skipif(not may_mount(), reason="No small disk may be mounted here; the file quota stands for it.")
def test_a_disk_that_fills_up(
    label_studio_house: LabelStudio, stack: ExitStack, tmp_path: Path, figures: Figures
) -> None:
    disk = SmallDisk(tmp_path / "disk")
    stack.callback(disk.close)
    bench = Bench(label_studio_house, stack, tmp_path / "disk", PLAN)

    def full(bench: Bench) -> None:
        disk.fill()
        time.sleep(3)
        disk.empty()
        bench.working.result()
        assert bench.road.not_taken

    figures.settle("disk full", bench, bench.run(full))


def test_postgres_restarted(
    label_studio_house: LabelStudio,
    stack: ExitStack,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    figures: Figures,
) -> None:
    postgres = stack.enter_context(running_postgres(tmp_path_factory.mktemp("restarted")))
    bench = Bench(label_studio_house, stack, tmp_path, replace(PLAN, database_url=postgres.url))

    def restarted(_: Bench) -> None:
        postgres.stop()
        time.sleep(2)
        postgres.start()

    figures.settle("PostgreSQL restarted", bench, bench.run(restarted))


def test_the_clock_is_set_back(
    label_studio_environment: Path, stack: ExitStack, tmp_path: Path, figures: Figures
) -> None:
    """By two hours on the machine of Label Studio and backend, and a part of the webhooks is lost."""
    clock = SteppingClock(tmp_path / "time")
    server = LabelStudio(label_studio_environment, tmp_path / "label-studio", variables=clock.variables)
    server.start()
    stack.callback(server.stop)
    bench = Bench(server, stack, tmp_path, replace(PLAN, variables=clock.variables))

    def set_back(bench: Bench) -> None:
        bench.road.outcome_counts = SPOILT
        time.sleep(2)
        before = bench.client.now()
        assert before is not None
        clock.set_back(hours=2)
        until = time.monotonic() + 30
        while (now := bench.client.now()) and now > before:
            assert time.monotonic() < until, "the clock goes on"

    figures.settle("clock set back by two hours", bench, bench.run(set_back))


def test_without_a_token_to_read_with(
    label_studio_house: LabelStudio, stack: ExitStack, tmp_path: Path, figures: Figures
) -> None:
    """Rows come from the events alone, doubled and in any order, and stay unconfirmed until a sweep has read them."""
    bench = Bench(label_studio_house, stack, tmp_path, replace(PLAN, token=False))

    def reordered(bench: Bench) -> None:
        bench.road.outcome_counts = replace(SPOILT, lost=0.0)

    found = bench.run(reordered)
    with bench.store() as store:
        assert not any(row.confirmed for row in store.overrides(current=False))
    figures.settle("no read token, webhooks doubled and reordered", bench, found)
    bench.backend.sync(bench.project_id, token=label_studio_house.token)
    with bench.store() as store:
        assert all(row.confirmed for row in store.overrides())
    assert bench.compare() == found
