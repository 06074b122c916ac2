"""`review-copilot study`: study an exported override log, without a database or Label Studio."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from threadpoolctl import threadpool_limits

from review_copilot.cli.report_formats import Format, written
from review_copilot.domain.draft_totals import Drafts
from review_copilot.domain.guideline import Guideline, NovelPattern, RationaleStyle, VerdictRule
from review_copilot.flows.packed_log import reading_of
from review_copilot.flows.study_project import Scope, study_project
from review_copilot.library import guideline_names, load_guideline
from review_copilot.reports.read_overrides import ExportedLog, read_export
from review_copilot.study.table import number_columns


class _Now:
    """The time of this computer."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("study")(study)


def study(
    file: Annotated[Path, typer.Argument(help="A .csv, .jsonl, or .parquet file from `overrides export`.")],
    out: Annotated[Path | None, typer.Option(help="Output file. Default: standard output.")] = None,
    file_format: Annotated[
        Format, typer.Option("--format", help="Output format. docs/report.md describes the JSON.")
    ] = Format.HTML,
    guideline: Annotated[
        str,
        typer.Option(help="Built-in guideline, or the path of a YAML file. It supplies the names of the criteria."),
    ] = "",
    project: Annotated[
        int | None, typer.Option("--project", help="Project id, if the file contains several projects.")
    ] = None,
) -> None:
    """Write the report from an exported log, without a database."""
    exported = read_export(file, project=project)
    reading = reading_of(number_columns(exported.columns))
    # The matrices are small: several threads spend more time waiting for each other than calculating.
    with threadpool_limits(limits=1, user_api="blas"):
        made = study_project(
            reading,
            Drafts(),
            project=exported.project,
            guideline=_guideline(guideline, exported),
            scope=Scope(),
            clock=_Now(),
        )
    text = written(made, file_format)
    if out is None:
        sys.stdout.write(text)
        return
    out.write_text(text, "utf-8")
    flags = len(made.study.flags)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"{flags} {'flag' if flags == 1 else 'flags'} written to {out}.")
    if exported.left_out:
        console.print(f"{exported.left_out} rows skipped: revised or deleted later.")


def _guideline(named: str, exported: ExportedLog) -> Guideline:
    """The given guideline, else the built-in one that the rows name, else one without criteria."""
    if named:
        return load_guideline(named)
    if exported.guideline_id in guideline_names():
        return load_guideline(exported.guideline_id)
    return Guideline(
        id=exported.guideline_id,
        title=exported.guideline_id or "Exported log",
        version="",
        purpose="",
        criteria=(),
        novel=NovelPattern("Not covered", ""),
        verdict=VerdictRule("", {}, {}),
        rationale=RationaleStyle(0, ""),
        revision="",
    )
