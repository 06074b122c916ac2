"""`review-copilot log`: back up and restore the log, and remove a person from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from review_copilot.bootstrap.data_home import prepare_home
from review_copilot.cli.command_process import process_of
from review_copilot.errors import StoreError
from review_copilot.settings import load_settings
from review_copilot.store import backup, restore, shown


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Back up and restore the log, and remove a person from it.")
    group.command("forget")(forget)
    group.command("backup")(write_backup)
    group.command("restore")(read_backup)
    app.add_typer(group, name="log")


_NOT_REACHED = (
    "Packed columns were emptied too. The reply cache and the measured crops name no people. Not reached: Label "
    "Studio; backups, exports, and reports that were written before; what somebody wrote about this person in a note; "
    "and files that a model provider keeps. A running dashboard shows the change within 20 seconds."
)
"""What `forget` changes beside the revisions, and what it cannot change."""


def forget(
    reviewer: Annotated[
        str, typer.Option("--reviewer", help="User id or pseudonym, as `overrides list` shows it under `by`.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Replace a person with an anonymous label in every revision. Rows and counts stay."""
    settings = load_settings()
    if not yes:
        where = shown(settings.database_url)
        typer.confirm(f'Remove "{reviewer}" from the log {where}? You cannot undo this.', abort=True, err=True)
    named = process_of(settings).store.forget(reviewer)
    if not named:
        raise StoreError(
            f'The log has no person "{reviewer}".',
            hint="Use the id or pseudonym that `review-copilot overrides list` shows under `by`.",
        )
    typer.echo(f"{_counted(named, 'revision')} named this person and no longer {'does' if named == 1 else 'do'}.")
    typer.echo(_NOT_REACHED, err=True)


def write_backup(
    file: Annotated[Path, typer.Argument(help="Backup file; compressed if the name ends in .gz.")],
) -> None:
    """Back up the whole database to one file. The backend can keep running."""
    settings = load_settings()
    prepare_home(settings)
    url = settings.database_url
    counts = backup(url, file)
    typer.echo(f"{_rows(counts)} of {shown(url)} written to {file}.")


def read_backup(
    file: Annotated[Path, typer.Argument(help="A file from `log backup`, of this release or an older one.")],
) -> None:
    """Restore a backup into an empty database, SQLite or PostgreSQL."""
    settings = load_settings()
    prepare_home(settings)
    url = settings.database_url
    counts = restore(file, url)
    typer.echo(f"{_rows(counts)} of {file} read into {shown(url)}.")


def _rows(counts: Mapping[str, int]) -> str:
    """The number of rows, in all and by table."""
    of_each = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    return _counted(sum(counts.values()), "row") + (f" ({of_each})" if of_each else "")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
