"""`review-copilot overrides`: read the log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from review_copilot.bootstrap import Copilot, create_copilot
from review_copilot.cli.import_overrides import import_overrides
from review_copilot.domain.override import LoggedOverride
from review_copilot.errors import SettingsError
from review_copilot.reports.override_table import to_summary, to_table
from review_copilot.reports.overrides import write_csv, write_jsonl, write_parquet
from review_copilot.settings import load_settings

ProjectFilter = Annotated[int | None, typer.Option("--project", help="Only this project of Label Studio.")]
AllRevisions = Annotated[
    bool, typer.Option("--all-revisions", help="Also what was revised or deleted afterwards, not just what stands now.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="Read and fill the override log.")
    group.command("list")(show)
    group.command("export")(export)
    group.command("import")(import_overrides)
    app.add_typer(group, name="overrides")


def show(
    project: ProjectFilter = None,
    all_revisions: AllRevisions = False,
    limit: Annotated[int, typer.Option(min=1, help="At most this many rows.")] = 200,
) -> None:
    """Show the log as a table, and what it says so far."""
    copilot = create_copilot(load_settings())
    rows = list(islice(logged(copilot, project_id=project, all_revisions=all_revisions), limit + 1))
    console = Console()
    if not rows:
        console.print("The log is empty. It fills while `review-copilot serve` runs, or by `review-copilot sync`.")
        return
    console.print(to_table(rows[:limit]))
    if len(rows) > limit:
        console.print("[dim]There are more rows: raise --limit, or use `overrides export`.[/]")
    console.print(to_summary(rows[:limit]))


class Format(StrEnum):
    """What `export` can write."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


def export(
    file_format: Annotated[Format, typer.Option("--format", help="CSV opens safely in a spreadsheet.")] = Format.CSV,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output when left out.")] = None,
    project: ProjectFilter = None,
    all_revisions: AllRevisions = False,
) -> None:
    """Write the log as CSV, JSONL or Parquet; the columns are documented in docs/override-export.md."""
    rows = logged(create_copilot(load_settings()), project_id=project, all_revisions=all_revisions)
    if file_format is Format.PARQUET:
        if out is None:
            raise SettingsError("Parquet goes to a file.", hint="Say which: --out overrides.parquet")
        count = write_parquet(rows, out)
    else:
        write = write_csv if file_format is Format.CSV else write_jsonl
        with out.open("w", newline="", encoding="utf-8") if out else nullcontext(sys.stdout) as stream:
            count = write(rows, stream)
    Console(stderr=True).print(f"{count} rows written{f' to {out}' if out else ''}.")


def logged(copilot: Copilot, *, project_id: int | None, all_revisions: bool) -> Iterator[LoggedOverride]:
    """Rows of the log, of one project id or of all."""
    keys = [key for key in copilot.store.projects() if project_id in (None, key.project_id)]
    for key in keys:
        yield from copilot.store.overrides(project=key, current=not all_revisions)
