"""All commands as one Typer app, one file per group of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

import typer

from review_copilot.errors import CopilotError, InspectorUnavailable, LabelConfigError, LibraryError, SettingsError

FILES: Mapping[str, str] = MappingProxyType({
    "demo": "demo",
    "inspect": "inspect",
    "label-config": "guidelines", "guideline": "guidelines",
    "prompt": "models", "probe": "models",
    "connect": "project", "disconnect": "project", "preannotate": "project", "sync": "project",
    "predictions": "predictions", "rollback": "predictions",
    "serve": "backend", "status": "backend",
    "overrides": "overrides",
    "log": "log",
    "report": "report",
})  # fmt: skip
"""Which file of this package holds each command."""

_MENDABLE_HERE = (SettingsError, LibraryError, InspectorUnavailable, LabelConfigError)


def build_app(typed: str = "") -> typer.Typer:
    """The commands of the file that holds the one typed; all when it is none of them.

    A command starts in half the time when the libraries of the others are not loaded.
    """
    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="The copilot drafts, the reviewer decides, the log learns.",
    )
    app.callback()(lambda: None)  # keeps a command one of several while it is the only one
    for file in [FILES[typed]] if typed in FILES else dict.fromkeys(FILES.values()):
        import_module(f"review_copilot.cli.{file}").register(app)
    return app


def run() -> None:
    """Run the command that was typed.

    What goes wrong on purpose is said in a line or two, without a traceback. Exit code 2 when the caller can mend it in
    a setting or a file, 1 otherwise.
    """
    app = build_app(sys.argv[1] if len(sys.argv) > 1 else "")
    try:
        app()
    except CopilotError as error:
        typer.echo(f"Error: {error.public}", err=True)
        if error.hint:
            typer.echo(error.hint, err=True)
        raise SystemExit(2 if isinstance(error, _MENDABLE_HERE) else 1) from None
