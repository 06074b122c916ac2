"""`review-copilot overrides`: list, export, and import the override log."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer
from rich.console import Console

from review_copilot.cli.command_process import process_of
from review_copilot.cli.export_commands import AllRevisions, ProjectFilter, export, logged, projects_of
from review_copilot.cli.import_commands import import_overrides
from review_copilot.reports.override_table import to_summary, to_table
from review_copilot.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="List, export, and import the override log.")
    group.command("list")(show)
    group.command("export")(export)
    group.command("import")(import_overrides)
    app.add_typer(group, name="overrides")


def show(
    project: ProjectFilter = None,
    all_revisions: AllRevisions = False,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of rows.")] = 200,
) -> None:
    """Show the log as a table, with a summary."""
    store = process_of(load_settings()).store
    found = logged(store, projects_of(store, project), all_revisions=all_revisions)
    rows = list(islice(found, limit + 1))
    console = Console()
    if not rows:
        console.print("The log is empty. Run `review-copilot serve` or `review-copilot sync` to fill it.")
        return
    console.print(to_table(rows[:limit]))
    if len(rows) > limit:
        console.print("[dim]There are more rows. Increase --limit, or use `overrides export`.[/]")
    console.print(to_summary(rows[:limit]))
