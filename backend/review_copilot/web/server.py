"""Run the application in gunicorn, with the sweeper, the pending draft worker, and the learning worker."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from review_copilot.bootstrap.backend import build_backend
from review_copilot.bootstrap.doctor.check import State
from review_copilot.bootstrap.doctor.start_lines import start_lines
from review_copilot.bootstrap.process import open_process
from review_copilot.library import load_guideline
from review_copilot.settings import Settings
from review_copilot.web.app import create_app
from review_copilot.web.auth import Authenticator
from review_copilot.web.buffering_worker import BufferingWorker
from review_copilot.web.learning_worker import LearningWorker
from review_copilot.web.pending_worker import PendingDraftWorker
from review_copilot.web.sweeper import Sweeper
from review_copilot.web.token_watch import TOKEN_WATCH

log = logging.getLogger(__name__)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn with one worker process and several threads. The worker creates the application after the fork."""

    def __init__(self, settings: Settings, *, threads: int) -> None:
        self._settings = settings
        self._threads = threads
        super().__init__()

    def load_config(self) -> None:
        """Pass the settings to gunicorn, which reads no files or environment variables of its own."""
        options: dict[str, Any] = {
            "bind": [f"{self._settings.host}:{self._settings.port}"],
            "workers": 1,
            "worker_class": BufferingWorker,
            "threads": self._threads,
            "timeout": 120,  # Label Studio itself waits 100 s
            "graceful_timeout": 20,
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "info",
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Create the application and start its threads, in the worker process."""
        process = open_process(self._settings)
        parts = build_backend(process)
        app = create_app(parts)
        opener = process.label_studio.opener if process.label_studio else None
        if opener is None:
            log.warning(
                "No Label Studio token is set, so the log is written from webhooks only and its rows stay unconfirmed. "
                "Set REVIEW_COPILOT_LABEL_STUDIO_TOKEN."
            )
        sweeper = Sweeper(
            process.store,
            instance=process.instance.name,
            opener=opener,
            bodies=parts.bodies,
            every_s=self._settings.sweep_every_s,
            locks=process.shared.named_locks,
            token=app.extensions[TOKEN_WATCH],
            setup_of=process.setup_of,
        )
        app.extensions["review_copilot.woken"] = sweeper.woken
        sweeper.start()
        LearningWorker(parts.learning, opener_of=process.opener_of, locks=process.shared.named_locks).start()
        if opener is not None:
            PendingDraftWorker(parts.service, opener).start()
        return app


def serve(settings: Settings, *, threads: int = 16) -> None:
    """Run the server until it is stopped.

    Raises:
        SettingsError: The settings would let anyone send requests. Raised before anything starts.
        LibraryError: The guideline cannot be read.
        StoreError: The database cannot be opened.
    """
    Authenticator.from_settings(settings)
    load_guideline(settings.guideline)
    process = open_process(settings)  # reports wrong settings now, not at the first request
    try:
        for check in start_lines(process):
            fix = f" Fix: {check.fix}" if check.fix else ""
            log.log(
                logging.WARNING if check.state is State.WRONG else logging.INFO,
                "%s: %s%s",
                check.name,
                check.found,
                fix,
            )
    finally:
        process.close()
    Server(settings, threads=threads).run()
