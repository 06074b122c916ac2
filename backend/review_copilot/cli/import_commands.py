"""`review-copilot overrides import`: add earlier reviews to the log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from review_copilot.bootstrap.process import Process
from review_copilot.cli.command_process import process_of
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import LibraryError, SettingsError
from review_copilot.flows.import_log import ImportReport, import_tasks
from review_copilot.flows.packed_log import pack_log
from review_copilot.labelstudio.exports import ExportReader, records
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.mapping import read_label_config
from review_copilot.settings import load_settings

SHOWN_PROBLEMS = 20
"""Problems that are printed; the others are counted."""

HOW_TO_GET_A_FULL_ONE = (
    "Label Studio's one-click JSON export contains the ids of predictions, not their content. For a full export, "
    'create a snapshot: POST /api/projects/N/exports/ with {"serialization_options": {"predictions": '
    '{"only_id": false}}}, then download it. '
    " Or read the project directly: review-copilot overrides import --from-project N."
)


def import_overrides(
    file: Annotated[
        Path | None, typer.Argument(help="A JSON export of Label Studio that includes predictions.")
    ] = None,
    project: Annotated[
        int | None, typer.Option("--project", help="Record it as this project of the configured Label Studio.")
    ] = None,
    from_project: Annotated[
        int | None, typer.Option("--from-project", help="Read this Label Studio project instead of a file.")
    ] = None,
    label_config: Annotated[
        Path | None,
        typer.Option("--label-config", help="Label config of the project. Default: generated from the guideline."),
    ] = None,
) -> None:
    """Import annotations and the predictions they started from. Importing twice changes nothing.

    Predictions in the file count as what reviewers saw. The exit code is 1 if a record was skipped.
    """
    if (file is None) == (from_project is None):
        raise SettingsError(
            "The import needs one source.", hint="Give either the path of a JSON export, or --from-project N."
        )
    if file is not None:
        process = process_of(load_settings())
        report = _from_file(file, process, project_id=project, label_config=label_config)
    else:
        process = process_of(load_settings())
        report = _from_project(process, from_project or 0)
    _show(report)
    for key in process.store.projects():
        pack_log(process.store, key)  # so that the first report is fast
    if report.skipped:
        raise typer.Exit(1)


def _from_file(path: Path, process: Process, *, project_id: int | None, label_config: Path | None) -> ImportReport:
    guideline = process.setup_of().guideline
    try:
        xml = label_config.read_text(encoding="utf-8") if label_config else generate(guideline)
        size = path.stat().st_size
        file = path.open("rb")
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(
            f"{label_config if label_config and not path.is_file() else path} cannot be read.",
            hint="Check the path of the export and of the label config.",
        ) from error
    reader = ExportReader(
        labels=read_label_config(xml, guideline),
        guideline=guideline,
        instance=f"file:{path.stem}",
        project=None if project_id is None else _known_project(process, project_id),
    )
    with file, _bar(DownloadColumn()) as bar:
        job = bar.add_task("importing", total=size)
        report = import_tasks(
            reader.tasks(records(file)),
            store=process.store,
            on_progress=lambda _: bar.update(job, completed=min(file.tell(), size)),
        )
        bar.update(job, completed=size)
    return report


def _from_project(process: Process, project_id: int) -> ImportReport:
    label_studio = process.required_label_studio
    workspace = label_studio.opener.open(project_id)
    reader = ExportReader(
        labels=workspace.labels,
        guideline=process.setup_of(workspace.key).guideline,
        instance=process.instance.name,
        project=workspace.key,
    )
    with label_studio.client, _bar(MofNCompleteColumn()) as bar:
        job = bar.add_task("importing", total=workspace.count_tasks())
        return import_tasks(
            reader.tasks(label_studio.client.tasks(project_id)),
            store=process.store,
            on_progress=lambda now: bar.update(job, completed=now.tasks),
        )


def _known_project(process: Process, project_id: int) -> ProjectKey:
    """The newest project in the log with that id, so that the import is added to it; else a key without a stamp."""
    known = [
        key for key in process.store.projects() if (key.instance, key.project_id) == (process.instance.name, project_id)
    ]
    return known[-1] if known else ProjectKey(process.instance.name, project_id, "")


def _show(report: ImportReport) -> None:
    console = Console(stderr=True, soft_wrap=True)
    for problem in report.problems[:SHOWN_PROBLEMS]:
        console.print(f"[yellow]{escape(problem)}[/]")
    more = len(report.problems[SHOWN_PROBLEMS:]) + report.problems_left_out
    if more:
        console.print(f"[yellow]... and {more} more.[/]")
    if report.ids_only:
        console.print(
            f"[yellow]{report.ids_only} tasks contain only the ids of their predictions and were skipped.[/] "
            f"{escape(HOW_TO_GET_A_FULL_ONE)}"
        )
    if report.without_review:
        console.print(
            f"{report.without_review} annotations have no prediction, so all of their regions count as added."
        )
    print(
        f"{report.tasks} tasks read, {report.skipped} skipped: {report.annotations} annotations compared with "
        f"{report.predictions} predictions, {report.revisions} new revisions with {report.rows} rows."
    )


def _bar(count: DownloadColumn | MofNCompleteColumn) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), count, TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)
