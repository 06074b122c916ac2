"""`review-copilot inspect`: inspect image files, without Label Studio."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from review_copilot.cli.file_engine import file_workers
from review_copilot.cli.quiet_logging import quiet_failures
from review_copilot.domain.review import Exposure, Review
from review_copilot.domain.suggestion import Usage
from review_copilot.errors import LibraryError
from review_copilot.flows.inspect_files import inspect_files
from review_copilot.reports.inspection_text import to_json_line, to_table
from review_copilot.settings import load_settings

LEAST_FOR_BAR = 5
"""Minimum number of files for a progress bar."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("inspect")(inspect)


def inspect(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Image files, or folders to search for images.")],
    reference: Annotated[Path | None, typer.Option(help="Reference image to compare with.")] = None,
    guideline: Annotated[str | None, typer.Option(help="Built-in guideline, or the path of a YAML file.")] = None,
    inspector: Annotated[str | None, typer.Option(help="Inspector to use.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Inspect image files and print suggested defects, without Label Studio.

    The exit code is 1 if a file cannot be read. The other files are still inspected.
    """
    quiet_failures(context)
    chosen = {"guideline": guideline, "inspector": inspector}
    settings = load_settings(**{name: value for name, value in chosen.items() if value is not None})
    files = list(_files(paths))
    failures = flagged = 0
    usage = Usage()
    stderr = Console(stderr=True)
    shown = []
    began = time.monotonic()
    with file_workers(settings, files=len(files)) as workers:
        reviews = inspect_files(
            (str(path) for path in files),
            review=workers.review,
            pool=workers.pool,
            reference=str(reference) if reference else "",
            at_once=2 * workers.size,
        )
        for name, review in _shown(reviews, count=len(files), console=stderr):
            failures += review.exposure is Exposure.FAILED
            flagged += bool(review.suggestions)
            usage = usage.plus(review.usage or Usage())
            if as_json:
                print(to_json_line(name, review), flush=True)
            else:
                shown.append((name, review))
    if not as_json:
        Console().print(to_table(shown))
        took_s = time.monotonic() - began
        stderr.print(
            f"{len(files)} images, {failures} unreadable, {flagged} with suggestions; "
            f"{took_s:.1f} s, {len(files) / took_s:.1f} per second"
        )
    if usage != Usage():
        stderr.print(
            f"{usage.calls} model calls, {usage.prompt_tokens} prompt and {usage.completion_tokens} completion tokens, "
            f"${usage.cost_usd:.4f} at the price table's rates"
        )
    if failures:
        raise typer.Exit(1)


def _shown(reviews: Iterator[tuple[str, Review]], *, count: int, console: Console) -> Iterator[tuple[str, Review]]:
    """The reviews in order, with a progress bar if the console is a terminal."""
    columns = (
        TextColumn("inspecting"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=count < LEAST_FOR_BAR) as bar:
        yield from bar.track(reviews, total=count)


def _files(paths: list[Path]) -> list[Path]:
    """The given files, and the files in the given folders that Pillow supports by extension, sorted."""
    endings = {ending for ending in Image.registered_extensions() if ending not in {".pdf", ".mpg", ".mpeg"}}
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(sorted(p for p in path.rglob("*") if p.suffix.lower() in endings and p.is_file()))
        else:
            found.append(path)
    if not found:
        raise LibraryError(
            "The folders contain no image.", hint=f"Supported file extensions: {' '.join(sorted(endings))}"
        )
    return found
