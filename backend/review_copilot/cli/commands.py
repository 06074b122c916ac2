"""All commands as one Typer app, one file per group of them."""

from __future__ import annotations

import typer

from review_copilot.cli import (
    backend,
    demo,
    guidelines,
    inspect,
    log,
    models,
    overrides,
    predictions,
    project,
    report,
)
from review_copilot.errors import CopilotError, InspectorUnavailable, LabelConfigError, LibraryError, SettingsError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The copilot drafts, the reviewer decides, the log learns.",
)
for group in (demo, inspect, guidelines, models, project, predictions, backend, overrides, log, report):
    group.register(app)

_MENDABLE_HERE = (SettingsError, LibraryError, InspectorUnavailable, LabelConfigError)


def run() -> None:
    """Run the command that was typed.

    What goes wrong on purpose is said in a line or two, without a traceback. Exit code 2 when the caller can mend it in
    a setting or a file, 1 otherwise.
    """
    try:
        app()
    except CopilotError as error:
        typer.echo(f"Error: {error.public}", err=True)
        if error.hint:
            typer.echo(error.hint, err=True)
        raise SystemExit(2 if isinstance(error, _MENDABLE_HERE) else 1) from None
