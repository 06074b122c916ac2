"""`review-copilot demo`: try Review Copilot on this machine."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from review_copilot.demo.run_demo import Demo, closing_line, demo, review_by_script, show_log, show_report, wait_for_log

SCRIPTED_ANNOTATIONS = 6


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(run_demo)


def run_demo(
    once: Annotated[bool, typer.Option("--once", help="Run a scripted reviewer, show the log, and stop.")] = False,
    label_studio_env: Annotated[
        Path, typer.Option(help="Environment with Label Studio 1.23.2, or a folder to install it in.")
    ] = Path(".label-studio"),
    folder: Annotated[
        Path | None, typer.Option(help="Folder that keeps databases and logs. Default: a temporary one.")
    ] = None,
) -> None:
    """Start Label Studio and a backend, with a dozen drafted photos to review."""
    console = Console()
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        """End the wait on SIGINT or SIGTERM; before the wait, or the second time, interrupt the current step."""
        if not waiting or stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    waiting: list[bool] = []
    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)
    with demo(home=label_studio_env, folder=folder, console=console) as up:
        if once:
            review_by_script(up, console=console)
            rows = wait_for_log(up, annotations=SCRIPTED_ANNOTATIONS)
            show_log(rows, console=console)
            show_report(up, console=console)
            print(closing_line(up, rows))
            return
        waiting.append(True)
        _welcome(up, console)
        stop.wait()
        console.print("Stopping ...")


def _welcome(up: Demo, console: Console) -> None:
    account = up.server.account
    console.rule("[bold]Ready")
    settings = up.process.settings
    console.print(f"Review:    {up.server.url}/projects/{up.project_id}/data?labeling=1", soft_wrap=True)
    console.print(f"  sign in: {account.email}  /  {account.password}", soft_wrap=True, highlight=False)
    console.print(f"Dashboard: {up.backend.url}/copilot/?project={up.project_id}", soft_wrap=True)
    console.print(
        f"  sign in: {settings.username}  /  {settings.password.get_secret_value()}", soft_wrap=True, highlight=False
    )
    console.print(f"Backend:   {up.backend.url}   (log: {up.backend.log})", soft_wrap=True)
    console.print("\nThe override log records each annotation that you submit. To see it, run in another terminal:")
    console.print(
        f"  REVIEW_COPILOT_DATABASE_URL={up.process.settings.database_url} review-copilot overrides list",
        soft_wrap=True,
        highlight=False,
    )
    console.print("\nPress Ctrl-C to stop everything.")
