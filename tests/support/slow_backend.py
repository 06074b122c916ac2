"""A backend whose inspector takes its time, as a large model does. Served on a free port of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from werkzeug.serving import make_server

from fake_label_studio import FakeImages, FakeInspector
from review_copilot.bootstrap import Copilot, SystemClock
from review_copilot.demo.label_studio_server import LabelStudioServer
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.flows.predict import DraftService
from review_copilot.ports import ImageSource, Inspector
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from review_copilot.web.pending_worker import PendingDraftWorker

TASKS = 30
LOOK_S = 0.5
DEADLINE_S = 3.0
SEATS = 2


class SlowInspector(FakeInspector):
    """Takes its time, as a large model does."""

    def catalogue(self) -> tuple[Measure, ...]:
        return ()

    def inspect(self, brief: Brief) -> Inspection:
        time.sleep(LOOK_S)
        return super().inspect(brief)


class SlowCopilot(Copilot):
    """A copilot with a slow inspector, and little patience with Label Studio."""

    @cached_property
    def inspector(self) -> Inspector:
        return SlowInspector()

    @cached_property
    def images(self) -> ImageSource:
        return FakeImages()

    @cached_property
    def draft_service(self) -> DraftService:
        return DraftService(self.context, self.store, self.pool, deadline_s=DEADLINE_S, delivers=True, settle_s=2.0)


def a_copilot(server: LabelStudioServer, folder: Path, *, port: int) -> SlowCopilot:
    settings = load_settings(
        _env_file=None,
        label_studio_url=server.url,
        label_studio_token=server.account.legacy_token,
        database_url=f"sqlite:///{folder}/log.db",
        password="open sesame",
        port=port,
        concurrency=SEATS,
    )
    return SlowCopilot(settings, SystemClock())


def close(copilot: SlowCopilot) -> None:
    copilot.pool.close(timeout_s=5)
    copilot.client.close()
    copilot.store.close()


@contextmanager
def served(server: LabelStudioServer, folder: Path) -> Iterator[SlowCopilot]:
    """The backend on a free port; its requests are answered, and nothing works in the background."""
    http = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    copilot = a_copilot(server, folder, port=http.server_port)
    http.app = create_app(copilot)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield copilot
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
        close(copilot)


@contextmanager
def finishing(copilot: SlowCopilot) -> Iterator[None]:
    pending_worker = PendingDraftWorker(copilot)
    pending_worker.start()
    try:
        yield
    finally:
        pending_worker.stop(timeout_s=60)


def wait_for(copilot: SlowCopilot, *, owed: int, within_s: float) -> None:
    ends_at = time.monotonic() + within_s
    while copilot.store.pending_count() > owed:
        assert time.monotonic() < ends_at, f"{copilot.store.pending_count()} drafts are owed still"
        time.sleep(0.5)
