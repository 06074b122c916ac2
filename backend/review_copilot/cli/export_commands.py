"""`review-copilot overrides export`: write the log as a table, or as training data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.markup import escape

from review_copilot.bootstrap.process import Process
from review_copilot.bootstrap.reviewing import model_setup
from review_copilot.cli.command_process import process_of
from review_copilot.domain.override import LoggedOverride, OverrideKind
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import SettingsError
from review_copilot.flows.submissions import Submission, submissions
from review_copilot.inspectors.training_words import training_words
from review_copilot.ports import Store
from review_copilot.private_files import create_private, keep_private, open_private
from review_copilot.reports.coco import write_coco
from review_copilot.reports.finetune import write_finetune
from review_copilot.reports.override_columns import narrowed
from review_copilot.reports.skipped_counts import Written
from review_copilot.reports.write_overrides import write_csv, write_jsonl, write_parquet
from review_copilot.settings import load_settings
from review_copilot.store import names_of

ProjectFilter = Annotated[int | None, typer.Option("--project", help="Only this Label Studio project.")]
AllRevisions = Annotated[
    bool, typer.Option("--all-revisions", help="Include revised and deleted rows, not only current ones.")
]


class Format(StrEnum):
    """Formats that `export` writes."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    FINETUNE = "finetune"
    COCO = "coco"


_OF_ANNOTATIONS = frozenset({Format.FINETUNE, Format.COCO})


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date. Use 2026-03-02 or 2026-03-02T12:00:00+01:00.") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def export(
    file_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="csv, jsonl, parquet: rows of the log. finetune: chat examples from confirmed and corrected reviews. "
            "coco: the submitted boxes.",
        ),
    ] = Format.CSV,
    out: Annotated[Path | None, typer.Option(help="Output file. Default: standard output.")] = None,
    project: ProjectFilter = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=_time, metavar="DATE", help="Only rows logged at or after this time (UTC unless it has an offset)."
        ),
    ] = None,
    criterion: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this criterion, suggested or submitted.")
    ] = None,
    kind: Annotated[OverrideKind | None, typer.Option(help="Only this outcome.")] = None,
    reviewer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this author or editor, by id or pseudonym.")
    ] = None,
    all_revisions: AllRevisions = False,
    untouched: Annotated[
        bool, typer.Option("--untouched", help="finetune: include drafts without any feedback.")
    ] = False,
) -> None:
    """Export the log as CSV, JSONL, or Parquet, or as training data. See docs/override-export.md."""
    if file_format in _OF_ANNOTATIONS and (criterion is not None or kind is not None or all_revisions):
        raise SettingsError(
            f"{file_format.value} exports whole annotations, so --criterion, --kind, and --all-revisions "
            "are not available.",
            hint="Use --project, --since, and --reviewer instead.",
        )
    if untouched and file_format is not Format.FINETUNE:
        raise SettingsError("--untouched requires --format finetune.")
    process = process_of(load_settings())
    projects = projects_of(process.store, project)
    key = process.settings.pseudonym_key.get_secret_value()
    names = None if reviewer is None else names_of(reviewer, key)
    with _writing(out):
        if file_format in _OF_ANNOTATIONS:
            found = _submissions(process.store, projects, since=since, names=names)
            written = _write_training(process, found, out, file_format=file_format, untouched=untouched)
        else:
            all_rows = logged(process.store, projects, since=since, all_revisions=all_revisions)
            rows = narrowed(all_rows, criterion=criterion, kind=kind, reviewers=names)
            written = Written(_write_table(rows, out, file_format=file_format))
    _say(written, file_format=file_format, out=out)


def projects_of(store: Store, project_id: int | None) -> list[ProjectKey]:
    """The projects in the log with that id; all projects if None."""
    return [key for key in store.projects() if project_id in (None, key.project_id)]


def logged(
    store: Store, projects: list[ProjectKey], *, since: datetime | None = None, all_revisions: bool
) -> Iterator[LoggedOverride]:
    """Rows of the log, project by project."""
    for key in projects:
        yield from store.overrides(project=key, since=since, current=not all_revisions)


def _submissions(
    store: Store, projects: list[ProjectKey], *, since: datetime | None, names: frozenset[str] | None
) -> Iterator[Submission]:
    """Current annotations, project by project."""
    for key in projects:
        for found in submissions(store, project=key, since=since):
            annotation = found.comparison.annotation
            if names is None or not names.isdisjoint((annotation.author, annotation.editor)):
                yield found


def _write_training(
    process: Process, found: Iterator[Submission], out: Path | None, *, file_format: Format, untouched: bool
) -> Written:
    guideline = process.setup_of().guideline
    if file_format is Format.COCO:
        with _opened(out) as stream:
            return write_coco(found, stream, guideline=guideline)
    words = training_words(model_setup(process.settings), guideline)
    with _opened(out) as stream:
        return write_finetune(found, stream, words=words, guideline=guideline, untouched=untouched)


def _write_table(rows: Iterator[LoggedOverride], out: Path | None, *, file_format: Format) -> int:
    if file_format is Format.PARQUET:
        if out is None:
            raise SettingsError("Parquet needs an output file.", hint="Add --out overrides.parquet")
        create_private(out)
        keep_private(out)
        return write_parquet(rows, out)
    write = write_csv if file_format is Format.CSV else write_jsonl
    with _opened(out) as stream:
        return write(rows, stream)


def _opened(out: Path | None) -> AbstractContextManager[TextIO]:
    return open_private(out, newline="") if out else nullcontext(sys.stdout)


@contextmanager
def _writing(out: Path | None) -> Iterator[None]:
    """Translate the error of a file that cannot be written."""
    try:
        yield
    except OSError as error:
        if out is None:
            raise
        raise SettingsError(
            f"{out} cannot be written: {error.strerror}.", hint="Choose another file with --out."
        ) from error


def _say(written: Written, *, file_format: Format, out: Path | None) -> None:
    """Print to stderr what was written and what was skipped."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    one, many = {Format.FINETUNE: ("example", "examples"), Format.COCO: ("box", "boxes")}.get(
        file_format, ("row", "rows")
    )
    console.print(
        f"{written.written} {one if written.written == 1 else many} written{f' to {escape(str(out))}' if out else ''}."
    )
    for reason, count in written.left_out.most_common():
        console.print(f"[yellow]{count} skipped:[/] {escape(reason)}.")
    if not written.written and not written.left_out:
        console.print("No matching rows. Run `review-copilot overrides list` to see the log.")
