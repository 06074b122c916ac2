"""The command line: one Typer app, one file per group of commands."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="The copilot drafts, the reviewer decides, the log learns.")


def main() -> None:
    """Entry point of the `review-copilot` command."""
    app()
