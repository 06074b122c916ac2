"""`review-copilot report`: write the study of a project's override log to one file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from threadpoolctl import threadpool_limits

from review_copilot.bootstrap.embedder import embedder_of
from review_copilot.bootstrap.process import Process
from review_copilot.cli.command_process import process_of
from review_copilot.cli.report_formats import Format, written
from review_copilot.domain.review import ProjectKey
from review_copilot.flows.packed_log import reading_of_log
from review_copilot.flows.study_project import Scope, find_project, study_project
from review_copilot.flows.thumbnails import pictures_of, shown_rows
from review_copilot.flows.uncovered_crops import crops_of
from review_copilot.private_files import open_private
from review_copilot.settings import load_settings
from review_copilot.study.table import Floats, OverrideTable


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    project: Annotated[int, typer.Option("--project", help="Project id in the log.")],
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Only annotations from this day on (UTC)."),
    ] = None,
    file_format: Annotated[
        Format, typer.Option("--format", help="Output format. docs/report.md describes the JSON.")
    ] = Format.HTML,
    out: Annotated[Path | None, typer.Option(help="Output file. Default: standard output.")] = None,
    instance: Annotated[str, typer.Option(help="Only this Label Studio, if several have a project with that id.")] = "",
    thumbnails: Annotated[bool, typer.Option(help="Read images, to show thumbnails and to find new patterns.")] = True,
) -> None:
    """Write a report on what reviewers override and what to do first."""
    process = process_of(load_settings())
    key = find_project(process.store.projects(), project, instance=instance)
    scope = Scope(since=since.replace(tzinfo=UTC) if since else None)
    reading = reading_of_log(process.store, key)
    # The matrices are small: several threads spend more time waiting for each other than calculating.
    with threadpool_limits(limits=1, user_api="blas"):
        made = study_project(
            reading,
            process.store.draft_totals(key, since=scope.since),
            project=key,
            guideline=process.setup_of(key).guideline,
            scope=scope,
            clock=process.clock,
            see=_crop_features(process, key) if thumbnails else None,
        )
    made = replace(made, link=process.instance.link_to(key))
    if file_format is Format.HTML and thumbnails:
        pictures = pictures_of(
            made.study,
            shown_rows(made.study, reading),
            project=key,
            opener=process.opener_of(key),
            images=process.images,
            store=process.store,
        )
        made = replace(made, pictures=pictures)
    text = written(made, file_format)
    if out is None:
        sys.stdout.write(text)
        return
    with open_private(out) as file:
        file.write(text)
    Console(stderr=True).print(f"{_count(len(made.study.flags), 'flag')} written to {out}.", soft_wrap=True)


def _crop_features(process: Process, key: ProjectKey) -> Callable[[OverrideTable], Floats | None]:
    """How to compute the features of uncovered crops: with an embedding model, or with measures and stored features."""
    look = partial(crops_of, project=key, opener=process.opener_of(key), images=process.images)
    embedder = embedder_of(process.settings)
    if embedder is not None:
        return partial(look, measure=embedder)
    stored = process.store.reviewed_crops(key)
    return partial(look, known=stored.crops) if stored else look


def _count(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
