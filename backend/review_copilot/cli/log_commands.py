"""`review-copilot log`: look after the log as a whole: forget a person, write it to a file, read it back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from review_copilot.cli.command_process import process_of
from review_copilot.errors import StoreError
from review_copilot.settings import load_settings
from review_copilot.store import backup, restore, shown


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="Back up and restore the log, and remove a person from it.")
    group.command("forget")(forget)
    group.command("backup")(write_backup)
    group.command("restore")(read_backup)
    app.add_typer(group, name="log")


def forget(
    reviewer: Annotated[
        str, typer.Option("--reviewer", help="Who: the id, or the pseudonym, that `overrides list` shows under `by`.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Replace a person by a label that leads nowhere, in every revision; all rows and counts stay."""
    settings = load_settings()
    if not yes:
        where = shown(settings.database_url)
        typer.confirm(f'Take "{reviewer}" out of the log {where}? There is no way back.', abort=True, err=True)
    named = process_of(settings).store.forget(reviewer)
    if not named:
        raise StoreError(
            f'The log names nobody "{reviewer}".',
            hint="Give the id, or the pseudonym, that `review-copilot overrides list` shows under `by`.",
        )
    typer.echo(f"{_counted(named, 'revision')} named this person and no longer {'does' if named == 1 else 'do'}.")
    typer.echo("Earlier backups and exports still name them, and so does Label Studio.", err=True)


def write_backup(
    file: Annotated[Path, typer.Argument(help="Where to; compressed when the name ends in .gz.")],
) -> None:
    """Write everything that the database holds to one file, of one moment; nothing need be stopped for it."""
    url = load_settings().database_url
    counts = backup(url, file)
    typer.echo(f"{_rows(counts)} of {shown(url)} written to {file}.")


def read_backup(
    file: Annotated[Path, typer.Argument(help="A file that `log backup` wrote, in this release or an older one.")],
) -> None:
    """Read a backup into the database of the settings, SQLite or PostgreSQL, which must be empty."""
    url = load_settings().database_url
    counts = restore(file, url)
    typer.echo(f"{_rows(counts)} of {file} read into {shown(url)}.")


def _rows(counts: Mapping[str, int]) -> str:
    """The number of rows, and of which tables."""
    of_each = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    return _counted(sum(counts.values()), "row") + (f" ({of_each})" if of_each else "")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
