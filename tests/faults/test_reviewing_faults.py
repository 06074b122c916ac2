"""Reviewers work on a real Label Studio while real faults happen; then log and ledger are held side by side.

`REVIEW_COPILOT_FAULT_EVENTS` says how many actions each round has, `REVIEW_COPILOT_FAULT_SEED` which they are, and
`REVIEW_COPILOT_FAULT_FIGURES` names the file that the figures go to.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from fakes import FakeClock
from fault_house import SECRET, Backend, LabelStudio, Road, SmallDisk, lock_database
from postgres import running_postgres
from review_copilot.demo.label_studio import free_port
from review_copilot.domain.override import Subject
from review_copilot.labelstudio.label_config import generate
from review_copilot.library import load_guideline
from review_copilot.ports import Store
from review_copilot.store import open_store
from scripted_reviewers import SKIPPED, Reviewers

pytestmark = [pytest.mark.labelstudio, pytest.mark.timeout(3600)]

EVENTS = int(os.environ.get("REVIEW_COPILOT_FAULT_EVENTS", "24"))
SEED = int(os.environ.get("REVIEW_COPILOT_FAULT_SEED", "1"))
FIGURES = os.environ.get("REVIEW_COPILOT_FAULT_FIGURES", "")
ROUNDS = 2
"""The first round is quiet, so that there is something to edit and delete; the fault befalls the others."""

Rows = Counter[tuple[int, int, str]]


@pytest.fixture(scope="module")
def label_studio_house(
    label_studio_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabelStudio]:
    """A server of our own, for it is restarted."""
    server = LabelStudio(label_studio_environment, tmp_path_factory.mktemp("label-studio"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


class Bench:
    """One project, one backend with a database, one team of reviewers."""

    def __init__(self, server: LabelStudio, stack: ExitStack, folder: Path, *, database_url: str = "") -> None:
        self.server = server
        self.stack = stack
        self.database = folder / "log.db"
        self.url = database_url or f"sqlite:///{self.database}"
        self.client = stack.enter_context(server.client())
        guideline = load_guideline("photo-quality")
        self.project_id = self.client.create_project(title="Faults", label_config=generate(guideline)).id
        self.client.import_tasks(self.project_id, [{"image": f"http://example.org/{n}.png"} for n in range(20)])
        port = free_port()
        self.backend = Backend(
            url=f"http://127.0.0.1:{port}",
            folder=folder / "backend",
            environment={
                "REVIEW_COPILOT_LABEL_STUDIO_URL": server.url,
                "REVIEW_COPILOT_LABEL_STUDIO_TOKEN": server.token,
                "REVIEW_COPILOT_DATABASE_URL": self.url,
                "REVIEW_COPILOT_ALLOW_ANONYMOUS": "true",
                "REVIEW_COPILOT_WEBHOOK_SECRET": SECRET,
                "REVIEW_COPILOT_SWEEP_EVERY_S": "1",
            },
        )
        self.road = Road(self.backend.url, seed=SEED)
        stack.callback(self.road.close)
        self.client.add_webhook({"project": self.project_id, "url": self.road.url, "send_for_all_actions": True})
        self.backend.start()
        stack.callback(self.backend.stop)
        tasks = [int(task["id"]) for task in self.client.tasks(self.project_id, include=("id",), everything=False)]
        self.working: Future[None] = Future()
        self.reviewers = Reviewers(self.client, tasks, Random(SEED))

    def run(self, fault: Callable[[Bench], None]) -> tuple[Rows, Rows]:
        """Work through the rounds, the fault beside all but the first; returns what is lost and what is too much."""
        self.reviewers.work(EVENTS)
        self.backend.sync(self.project_id)
        for _ in range(ROUNDS - 1):
            with ThreadPoolExecutor(1) as pool:
                self.working = pool.submit(self.reviewers.work, EVENTS)
                fault(self)
                self.working.result()
            self.road.settle()
            self.backend.sync(self.project_id)
        return self.compare()

    def compare(self) -> tuple[Rows, Rows]:
        store = open_store(self.url, clock=FakeClock())
        held, standing = rows(store, current=False), rows(store, current=True)
        assert len(store.waiting()) == 0
        store.close()
        ledger = self.reviewers.ledger
        assert standing == ledger.standing()
        return ledger.rows() - held, held - ledger.rows()


def rows(store: Store, *, current: bool) -> Rows:
    """(task, annotation, what was written) as the log has it."""
    return Counter(
        (row.key.task_id, row.annotation_id, SKIPPED if row.override.subject is Subject.TASK else row.override.text_to)
        for row in store.overrides(current=current)
        if row.override.subject in {Subject.TASK, Subject.REGION}
    )


def no_fault(bench: Bench) -> None:
    """Nothing happens; two processes sweep at once all the same."""
    bench.backend.sync(bench.project_id)


def killed_again_and_again(bench: Bench) -> None:
    """SIGKILL at times of the seed's choosing: in webhooks, in sweeps, right after the start."""
    random = Random(SEED)
    for _ in range(3):
        time.sleep(random.uniform(0.0, 1.5))
        bench.backend.kill()
        bench.backend.start()


def down(bench: Bench) -> None:
    """Down for the whole round: no webhook arrives, and Label Studio never sends one again."""
    bench.backend.stop()
    wait([bench.working])
    bench.backend.start()


def database_locked(bench: Bench) -> None:
    """Somebody else holds the write lock for longer than Label Studio waits for an answer."""
    lock_database(bench.database, seconds=4.0)


def webhooks_spoilt(bench: Bench) -> None:
    """Of ten webhooks three are lost, two come late and last first, two or three come twice."""
    bench.road.bad = True


FAULTS = (no_fault, killed_again_and_again, down, database_locked, webhooks_spoilt)


@pytest.fixture(scope="module")
def figures() -> Iterator[dict[str, dict[str, int]]]:
    """Events, lost and doubled rows by fault; written where the run is told to."""
    kept: dict[str, dict[str, int]] = {}
    yield kept
    if FIGURES:
        total = Counter[str]()
        for one in kept.values():
            total.update(one)
        content = {"seed": SEED, "events_per_round": EVENTS, "faults": kept, "total": dict(total)}
        Path(FIGURES).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def settle(name: str, bench: Bench, found: tuple[Rows, Rows], figures: dict[str, dict[str, int]]) -> None:
    """Write the figures down and hold them against nought."""
    lost, doubled = found
    figures[name.replace("_", " ")] = {
        "events": bench.reviewers.ledger.events.total(),
        "webhooks": bench.road.told,
        "rows": bench.reviewers.ledger.rows().total(),
        "lost": lost.total(),
        "doubled": doubled.total(),
    }
    assert not lost
    assert not doubled


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_log_and_ledger_agree(
    label_studio_house: LabelStudio,
    stack: ExitStack,
    tmp_path: Path,
    figures: dict[str, dict[str, int]],
    fault: Callable[[Bench], None],
) -> None:
    bench = Bench(label_studio_house, stack, tmp_path)
    settle(fault.__name__, bench, bench.run(fault), figures)


def test_a_disk_that_fills_up(
    label_studio_house: LabelStudio, stack: ExitStack, tmp_path: Path, figures: dict[str, dict[str, int]]
) -> None:
    """Where mounting is not allowed the disk stays large, and only the store's own test fills one."""
    disk = SmallDisk(tmp_path / "disk")
    stack.callback(disk.close)
    bench = Bench(label_studio_house, stack, tmp_path / "disk")

    def full(_: Bench) -> None:
        if disk.mounted:
            disk.fill()
            time.sleep(3)
            disk.empty()

    settle("disk full", bench, bench.run(full), figures)


def test_postgres_restarted(
    label_studio_house: LabelStudio,
    stack: ExitStack,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    figures: dict[str, dict[str, int]],
) -> None:
    postgres = stack.enter_context(running_postgres(tmp_path_factory.mktemp("restarted")))
    bench = Bench(label_studio_house, stack, tmp_path, database_url=postgres.url)

    def restarted(_: Bench) -> None:
        postgres.stop()
        time.sleep(2)
        postgres.start()

    settle("PostgreSQL restarted", bench, bench.run(restarted), figures)


def test_label_studio_restarted(
    label_studio_house: LabelStudio, stack: ExitStack, tmp_path: Path, figures: dict[str, dict[str, int]]
) -> None:
    """Between two rounds, under the eyes of a sweeping backend."""
    bench = Bench(label_studio_house, stack, tmp_path)
    bench.reviewers.work(EVENTS)
    label_studio_house.stop()
    label_studio_house.start()
    settle("Label Studio restarted", bench, bench.run(no_fault), figures)
