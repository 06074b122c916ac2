"""Reviewers at work on a project while something breaks, and their ledger held against the log. Knows no fault."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from fake_clock import FakeClock
from fault_environment import SECRET, Backend, LabelStudio, Road
from review_copilot.demo.label_studio_server import free_port
from review_copilot.domain.override import Subject
from review_copilot.labelstudio.label_config import generate
from review_copilot.library import load_guideline
from review_copilot.ports import Store
from review_copilot.store import open_store
from scripted_reviewers import SKIPPED, Reviewers

QUIET_AT_MOST = 40
"""Actions before the fault, so that there is something to edit and delete."""

INBOX_EMPTY_WITHIN_S = 60.0

Rows = Counter[tuple[int, int, str]]
"""(task, annotation, what was written) to how often."""


@dataclass(frozen=True)
class Plan:
    """What a round consists of.

    Attributes:
        events: Actions while the fault befalls.
        seed: Which they are.
        database_url: A new SQLite file when empty.
        backends: How many processes share the database, webhooks going to them in turn.
        token: Whether the backend has one to read Label Studio with.
        variables: More of the backend's environment.
    """

    events: int
    seed: int
    database_url: str = ""
    backends: int = 1
    token: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)


class Bench:
    """One project, its backends with one database, one team of reviewers."""

    def __init__(self, server: LabelStudio, stack: ExitStack, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.server = server
        self.database = folder / "log.db"
        self.url = plan.database_url or f"sqlite:///{self.database}"
        self.client = stack.enter_context(server.client())
        guideline = load_guideline("photo-quality")
        self.project_id = self.client.create_project(title="Faults", label_config=generate(guideline)).id
        images = [{"image": f"http://example.org/{n}.png"} for n in range(max(20, plan.events // 2))]
        self.client.import_tasks(self.project_id, images)
        environment = {
            "REVIEW_COPILOT_LABEL_STUDIO_URL": server.url,
            "REVIEW_COPILOT_LABEL_STUDIO_TOKEN": server.token if plan.token else "",
            "REVIEW_COPILOT_DATABASE_URL": self.url,
            "REVIEW_COPILOT_ALLOW_ANONYMOUS": "true",
            "REVIEW_COPILOT_WEBHOOK_SECRET": SECRET,
            "REVIEW_COPILOT_SWEEP_EVERY_S": "1",
            **plan.variables,
        }
        self.backends = [
            Backend(f"http://127.0.0.1:{free_port()}", environment, folder / f"backend-{number}")
            for number in range(plan.backends)
        ]
        self.backend = self.backends[0]
        self.road = Road([backend.url for backend in self.backends], seed=plan.seed)
        stack.callback(self.road.close)
        self.client.add_webhook({"project": self.project_id, "url": self.road.url, "send_for_all_actions": True})
        for backend in self.backends:
            backend.start()
            stack.callback(backend.stop)
        tasks = [int(task["id"]) for task in self.client.tasks(self.project_id, include=("id",), everything=False)]
        self.working: Future[None] = Future()
        self.reviewers = Reviewers(self.client, tasks, Random(plan.seed))

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The log, opened beside the backend."""
        opened = open_store(self.url, clock=FakeClock())
        yield opened
        opened.close()

    def run(self, fault: Callable[[Bench], None]) -> tuple[Rows, Rows]:
        """A quiet round, then one beside the fault; returns what is lost and what is too much."""
        self.reviewers.work(min(self.plan.events, QUIET_AT_MOST))
        self._catch_up()
        with ThreadPoolExecutor(1) as pool:
            self.working = pool.submit(self.reviewers.work, self.plan.events)
            fault(self)
            self.working.result()
        self.road.settle()
        self._catch_up()
        return self.compare()

    def compare(self) -> tuple[Rows, Rows]:
        """What is lost and what is too much; what stands now must agree at once."""
        with self.store() as store:
            held, standing = rows(store, current=False), rows(store, current=True)
            assert len(store.waiting()) == 0
        ledger = self.reviewers.ledger
        assert standing == ledger.standing()
        return ledger.rows() - held, held - ledger.rows()

    def _catch_up(self) -> None:
        """Sweep; without a token there is only the inbox to wait for."""
        if self.plan.token:
            self.backend.sync(self.project_id)
            return
        until = time.monotonic() + INBOX_EMPTY_WITHIN_S
        with self.store() as store:
            while store.waiting() and time.monotonic() < until:
                time.sleep(0.1)


def rows(store: Store, *, current: bool) -> Rows:
    """(task, annotation, what was written) as the log has it."""
    return Counter(
        (row.key.task_id, row.annotation_id, SKIPPED if row.override.subject is Subject.TASK else row.override.text_to)
        for row in store.overrides(current=current)
        if row.override.subject in {Subject.TASK, Subject.REGION}
    )


class Figures:
    """Events, lost and doubled rows by fault, kept in a file: a round that is run again replaces its own only."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def settle(self, fault: str, bench: Bench, found: tuple[Rows, Rows]) -> None:
        """Write a round down and hold it against nought."""
        lost, doubled = found
        ledger = bench.reviewers.ledger
        figures = {
            "actions": ledger.events.total(),
            "actions beside the fault": bench.plan.events,
            "webhooks": bench.road.told,
            "not taken": bench.road.not_taken,
            "rows": ledger.rows().total(),
            "lost": lost.total(),
            "doubled": doubled.total(),
            "seed": bench.plan.seed,
        }
        if self._file is not None:
            kept: dict[str, Any] = json.loads(self._file.read_text("utf-8")) if self._file.exists() else {}
            content = json.dumps(
                dict(sorted((kept | {fault: figures}).items(), key=lambda one: one[0].lower())), indent=1
            )
            self._file.write_text(content + "\n", encoding="utf-8")
        assert not lost
        assert not doubled
