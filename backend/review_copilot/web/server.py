"""Run the application behind gunicorn, with the sweeper, the pending worker and the learning worker beside it."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from review_copilot.bootstrap import Copilot, create_copilot
from review_copilot.settings import Settings
from review_copilot.web.app import create_app
from review_copilot.web.auth import Authenticator
from review_copilot.web.learning_worker import LearningWorker
from review_copilot.web.pending_worker import PendingDraftWorker
from review_copilot.web.sweeper import Sweeper

log = logging.getLogger(__name__)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn with one worker of several threads; the application is made in the worker, after the fork."""

    def __init__(self, settings: Settings, *, threads: int) -> None:
        self._settings = settings
        self._threads = threads
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn; nothing is read from files or its own environment variables."""
        options: dict[str, Any] = {
            "bind": [f"{self._settings.host}:{self._settings.port}"],
            "workers": 1,
            "worker_class": "gthread",
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
        """The application, in the worker."""
        copilot = create_copilot(self._settings)
        app = create_app(copilot)
        if not copilot.has_token:
            log.warning("no Label Studio token is set: the log is written from webhooks alone, and stays unconfirmed")
        sweeper = Sweeper(copilot)
        app.extensions["review_copilot.woken"] = sweeper.woken
        sweeper.start()
        LearningWorker(copilot).start()
        if copilot.has_token:
            PendingDraftWorker(copilot).start()
        return app


def serve(settings: Settings, *, threads: int = 16) -> None:
    """Serve until stopped.

    Raises:
        SettingsError: The backend would be open to strangers; said before anything is started.
    """
    copilot: Copilot = create_copilot(settings)
    Authenticator.from_copilot(copilot)
    _ = copilot.guideline, copilot.store.projects()  # wrong settings are said here, not at the first request
    copilot.store.close()
    Server(settings, threads=threads).run()
