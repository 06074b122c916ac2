"""`connect`, `disconnect`, `preannotate`, `sync`: what an admin does with one project."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from review_copilot.bootstrap import Copilot, create_copilot
from review_copilot.errors import SettingsError
from review_copilot.flows import preannotate as flow
from review_copilot.flows.sweep import empty_inbox, sweep_project
from review_copilot.settings import load_settings

ProjectOption = Annotated[int, typer.Option("--project", help="Label Studio's project id.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("preannotate")(preannotate)
    app.command("sync")(sync)


def preannotate(
    project: ProjectOption,
    limit: Annotated[int | None, typer.Option(min=1, help="Draft at most this many tasks.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Images inspected at once.")] = None,
) -> None:
    """Draft every task of a project that has no draft yet, and pin the drafts for the label stream.

    Can be stopped and started again at any time: it goes on where it was.
    """
    copilot = ready_copilot()
    workspace = copilot.opener.open(project)
    rollout = copilot.rollout(workspace.key)
    console = Console(stderr=True)
    with _bar(console) as bar:
        job = bar.add_task("drafting", total=workspace.count_tasks())
        report = flow.preannotate(
            workspace,
            desk=copilot.desk,
            store=copilot.store,
            rollout=rollout,
            concurrency=concurrency or copilot.settings.concurrency,
            limit=limit,
            on_progress=lambda now: bar.update(job, completed=now.done, total=now.total),
        )
    for task_id, reason in sorted(report.failures.items()):
        console.print(f"[red]task {task_id} has no draft:[/] {escape(reason)}")
    if report.undelivered:
        console.print(f"[red]Label Studio did not take the drafts of tasks {list(report.undelivered)}[/]")
    print(
        f"{rollout}: {report.drafted} drafted with {report.suggestions} suggestions, {report.skipped} had a draft, "
        f"{report.resumed} delivered from an earlier run, {len(report.failures)} failed; "
        f"{report.stored} predictions stored and pinned."
    )
    if report.failures or report.undelivered:
        raise typer.Exit(1)


def sync(
    project: ProjectOption,
    everything: Annotated[bool, typer.Option("--all", help="Look at all tasks, not only at changed ones.")] = False,
) -> None:
    """Bring the override log up to date with Label Studio."""
    copilot = ready_copilot()
    report = empty_inbox(copilot.store, opener=copilot.opener)
    report += sweep_project(copilot.opener.open(project), store=copilot.store, everything=everything)
    for problem in report.problems:
        Console(stderr=True).print(f"[yellow]{escape(problem)}[/]")
    print(
        f"caught up: {report.tasks} tasks read, {report.annotations} annotations compared, "
        f"{report.revisions} new revisions with {report.rows} rows, {report.deleted} deleted."
    )


def ready_copilot() -> Copilot:
    """The copilot of the settings, once it is known to have a token.

    Raises:
        SettingsError: There is no token to read Label Studio with.
    """
    copilot = create_copilot(load_settings())
    if not copilot.has_token:
        raise SettingsError(
            "There is no token for Label Studio.",
            hint="Set REVIEW_COPILOT_LABEL_STUDIO_TOKEN to a personal access token (Account & Settings).",
        )
    return copilot


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
