"""`review-copilot serve` and `status`: run the ML backend, and show its state."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from review_copilot.bootstrap.parts import backend_of
from review_copilot.bootstrap.running_backend import ask_status
from review_copilot.settings import load_settings
from review_copilot.web.logging_setup import set_up_logging
from review_copilot.web.server import serve as run_server


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve")(serve)
    app.command("status")(status)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Requests served at the same time.")] = 16,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log one JSON object per line.")] = False,
) -> None:
    """Run the ML backend for Label Studio, and keep the override log up to date."""
    set_up_logging(as_json=log_json)
    chosen = {"host": host, "port": port}
    run_server(load_settings(**{name: value for name, value in chosen.items() if value is not None}), threads=threads)


def status() -> None:
    """Show the state of the running backend."""
    backend = backend_of(load_settings())
    fields = ask_status(backend).required
    table = Table("", "", show_header=False, title=backend.url)
    for name, value in fields.items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)
