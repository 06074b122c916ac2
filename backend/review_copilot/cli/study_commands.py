"""`review-copilot study`: what an exported override log says, without a database and without a Label Studio."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from review_copilot.cli.report_commands import Format, written
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
    file: Annotated[Path, typer.Argument(help="A .csv, .jsonl or .parquet file from `overrides export`.")],
    out: Annotated[Path | None, typer.Option(help="File to write; standard output when left out.")] = None,
    file_format: Annotated[
        Format, typer.Option("--format", help="JSON is documented in docs/report.md.")
    ] = Format.HTML,
    guideline: Annotated[
        str,
        typer.Option(help="Name of a shipped guideline, or a .yaml file; names and texts of criteria come from it."),
    ] = "",
    project: Annotated[
        int | None, typer.Option("--project", help="Project id, where the file holds several projects.")
    ] = None,
) -> None:
    """Write the same report from an exported log, without a database."""
    exported = read_export(file, project=project)
    made = study_project(
        reading_of(number_columns(exported.columns)),
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
        console.print(f"{exported.left_out} rows left out: superseded or deleted since.")


def _guideline(named: str, exported: ExportedLog) -> Guideline:
    """The guideline that was named, else the shipped one that the rows name, else one that knows no criterion."""
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
