"""`review-copilot doctor`: check an installation and a project, and name the line that fixes each fault."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from review_copilot.bootstrap.doctor.check import Check, State, is_sound
from review_copilot.bootstrap.doctor.examine import examine
from review_copilot.bootstrap.doctor.explain_task import explain
from review_copilot.cli.command_process import process_of
from review_copilot.errors import SettingsError
from review_copilot.settings import load_settings

_STYLE = {State.RIGHT: "green", State.WRONG: "bold red", State.NOTE: "yellow", State.SKIPPED: "dim"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    project: Annotated[int | None, typer.Option("--project", help="Also check this project.")] = None,
    task: Annotated[int | None, typer.Option("--task", help="Explain the draft of this task of the project.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check the installation or a project, and show what fixes each fault.

    The exit code is 1 if something is wrong. With --project, it saves the project's title unchanged, so that Label
    Studio sends a webhook, and asks the project's model for a short reply. With --task, it only reads.
    """
    settings = load_settings()
    if task is not None and project is None:
        raise SettingsError("`doctor --task` needs the task's project.", hint="Add --project N.")
    if task is not None and project is not None:
        checks = explain(process_of(settings), project, task_id=task)
    else:
        checks = examine(settings, project_id=project)
    if as_json:
        print(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        _show(checks)
    if not is_sound(checks):
        raise typer.Exit(1)


def _show(checks: tuple[Check, ...]) -> None:
    """Print one line per check, and the fix on a line of its own that no terminal width breaks."""
    console = Console()
    width = max(len(check.name) for check in checks)
    for check in checks:
        state = f"[{_STYLE[check.state]}]{check.state.value:7}[/]"
        console.print(f"{state}  {escape(check.name):{width}}  {escape(check.found)}", soft_wrap=True, highlight=False)
        if check.fix:
            console.print(f"{'':7}  {'fix':>{width}}  {escape(check.fix)}", soft_wrap=True, highlight=False)
    wrong = sum(check.state is State.WRONG for check in checks)
    console.print(f"{wrong} of {len(checks)} checks found a fault." if wrong else "No fault found.")
