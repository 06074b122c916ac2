"""`review-copilot serve`: the ML backend."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from review_copilot.settings import load_settings
from review_copilot.web.server import serve as run_server


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Requests served at once.")] = 16,
) -> None:
    """Serve the ML backend for Label Studio, and keep the override log up to date."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    chosen = {"host": host, "port": port}
    run_server(load_settings(**{name: value for name, value in chosen.items() if value is not None}), threads=threads)
