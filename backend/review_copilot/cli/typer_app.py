"""All commands as one Typer app, with one file per group. Loads only the file of the command that runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Annotated

import typer

from review_copilot import __version__
from review_copilot.errors import CopilotError, InspectorUnavailable, LabelConfigError, LibraryError, SettingsError


@dataclass(frozen=True, slots=True)
class Entry:
    """One command or group of commands in the list that `--help` prints.

    Attributes:
        file: Module of this package that registers it.
        help: First line of the command's docstring; a test compares the two.
    """

    file: str
    help: str


COMMANDS: Mapping[str, Entry] = MappingProxyType({
    "demo": Entry("demo_commands", "Start Label Studio and a backend, with a dozen drafted photos to review."),
    "inspect": Entry("inspect_commands", "Inspect image files and print suggested defects, without Label Studio."),
    "label-config": Entry("guideline_commands", "Print the Label Studio labeling interface of a guideline."),
    "guideline": Entry("guideline_commands", "List, show, and check guidelines."),
    "prompt": Entry("model_commands", "Show what is sent to a model."),
    "probe": Entry("model_commands", "Detect which box format a model uses, and store it as a profile."),
    "evaluate": Entry("evaluate_commands", "Compare drafts with reviews by people, for one setup or two."),
    "connect": Entry("project_commands", "Connect a project to the running backend. Safe to run again."),
    "disconnect": Entry("project_commands", "Undo `connect`. Annotations and drafts stay."),
    "preannotate": Entry("project_commands", "Draft the tasks that have no draft, and show the drafts to reviewers."),
    "sync": Entry("project_commands", "Update the override log from Label Studio."),
    "project": Entry("setup_commands", "Show, change, and list the setups of projects."),
    "predictions": Entry("prediction_commands", "List and remove the predictions in Label Studio."),
    "rollback": Entry("prediction_commands", "Show the drafts of the previous roll-out again, without model calls."),
    "serve": Entry("backend_commands", "Run the ML backend for Label Studio, and keep the override log up to date."),
    "status": Entry("backend_commands", "Show the state of the running backend."),
    "doctor": Entry("doctor_commands", "Check the installation or a project, and show what fixes each fault."),
    "overrides": Entry("override_commands", "List, export, and import the override log."),
    "log": Entry("log_commands", "Back up and restore the log, and remove a person from it."),
    "study": Entry("study_commands", "Write the report from an exported log, without a database."),
    "report": Entry("report_commands", "Write a report on what reviewers override and what to do first."),
})  # fmt: skip
"""Every command, in the order in which `--help` lists them."""

_FIXED_BY_THE_USER = (SettingsError, LibraryError, InspectorUnavailable, LabelConfigError)


def build_app(typed: str = "") -> typer.Typer:
    """The app for the typed command, or a list of all commands if the typed name is not one of them.

    The list contains only names and help, because importing every command takes seconds.
    """
    if typed in COMMANDS:
        return _app([COMMANDS[typed].file])
    app = _bare_app(plain=True)
    for name, entry in COMMANDS.items():
        app.command(name, help=entry.help, short_help=entry.help)(lambda: None)
    return app


def build_whole_app() -> typer.Typer:
    """All commands with all their options, for shell completion and tests."""
    return _app(list(dict.fromkeys(entry.file for entry in COMMANDS.values())))


def run() -> None:
    """Run the command that was typed.

    Expected errors are printed in a line or two, without a traceback. The exit code is 2 if the user can fix the
    error in a setting or a file, otherwise 1.
    """
    completing = any(name.startswith("_REVIEW_COPILOT_COMPLETE") for name in os.environ)
    app = build_whole_app() if completing else build_app(sys.argv[1] if len(sys.argv) > 1 else "")
    try:
        app()
    except CopilotError as error:
        typer.echo(f"Error: {error.public}", err=True)
        if error.hint:
            typer.echo(error.hint, err=True)
        raise SystemExit(2 if isinstance(error, _FIXED_BY_THE_USER) else 1) from None
    finally:
        _close_what_was_opened()


def _close_what_was_opened() -> None:
    """Close databases and connections, if the command loaded the module that opens them."""
    opened = sys.modules.get("review_copilot.cli.command_process")
    if opened is not None:
        opened.close_processes()


def _app(files: list[str]) -> typer.Typer:
    app = _bare_app()
    for file in files:
        register: Callable[[typer.Typer], None] = import_module(f"review_copilot.cli.{file}").register
        register(app)
    return app


def _bare_app(*, plain: bool = False) -> typer.Typer:
    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None if plain else "rich",  # drawing the rich list takes longer than everything else together
        help="Draft image reviews for Label Studio, log every override, and study the log.",
    )
    app.callback()(_root)
    return app


def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=lambda asked: _print_version(asked=asked),
                           help="Print the version and exit.")
    ] = False,
) -> None:  # fmt: skip
    """Options of `review-copilot` itself."""
    del version


def _print_version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"review-copilot {__version__}")
        raise typer.Exit
