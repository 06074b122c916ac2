"""A backend whose inspector takes its time, as a large model does. Served on a free port of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from fake_label_studio import FakeImages, FakeInspector
from opened import OpenedCopilot, opened
from review_copilot.bootstrap.backend import BackendParts
from review_copilot.demo.label_studio_server import LabelStudioServer
from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from review_copilot.web.pending_worker import PendingDraftWorker

TASKS = 30
LOOK_S = 0.5
DEADLINE_S = 3.0
SLOTS = 2


@dataclass
class SlowInspector(FakeInspector):
    """Takes its time, as a large model does."""

    look_s: float = LOOK_S

    def inspect(self, brief: Brief) -> Inspection:
        time.sleep(self.look_s)
        return super().inspect(brief)


@dataclass(frozen=True)
class SlowBackend:
    """A backend with a slow inspector and little patience with Label Studio.

    Attributes:
        copilot: Its process.
        parts: Its parts.
        inspector: The slow one.
    """

    copilot: OpenedCopilot
    parts: BackendParts
    inspector: SlowInspector

    def close(self) -> None:
        self.parts.pool.close(timeout_s=5)
        self.copilot.close()


def slow_backend(
    server: LabelStudioServer,
    folder: Path,
    *,
    port: int,
    look_s: float = LOOK_S,
    concurrency: int = SLOTS,
    deadline_s: float = DEADLINE_S,
    settle_s: float = 2.0,
) -> SlowBackend:
    settings = load_settings(
        _env_file=None,
        label_studio_url=server.url,
        label_studio_token=server.account.legacy_token,
        database_url=f"sqlite:///{folder}/log.db",
        password="open sesame",
        port=port,
        concurrency=concurrency,
        predict_deadline_s=deadline_s,
    )
    inspector = SlowInspector(look_s=look_s)
    copilot = opened(settings, inspector=inspector, images=FakeImages())
    parts = copilot.parts()
    return SlowBackend(copilot, replace(parts, service=replace(parts.service, settle_s=settle_s)), inspector)


@contextmanager
def served(server: LabelStudioServer, folder: Path, **patience: Any) -> Iterator[SlowBackend]:
    """The backend on a free port; its requests are answered, and nothing works in the background."""
    http = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    backend = slow_backend(server, folder, port=http.server_port, **patience)
    http.app = create_app(backend.parts)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield backend
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
        backend.close()


@contextmanager
def finishing(backend: SlowBackend) -> Iterator[None]:
    pending_worker = PendingDraftWorker(backend.parts.service, backend.copilot.opener)
    pending_worker.start()
    try:
        yield
    finally:
        pending_worker.stop(timeout_s=60)


def wait_for(backend: SlowBackend, *, pending: int, within_s: float) -> None:
    ends_at = time.monotonic() + within_s
    while (left := backend.copilot.store.pending_count()) > pending:
        assert time.monotonic() < ends_at, f"{left} drafts are still pending"
        time.sleep(0.5)
