"""`sync`: update the override log of one project, and renew its webhook's secret."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from review_copilot.bootstrap.parts import backend_of
from review_copilot.bootstrap.process import Process
from review_copilot.cli.command_process import process_of
from review_copilot.cli.setup_options import ProjectOption
from review_copilot.errors import LabelStudioError, LabelStudioFailed
from review_copilot.flows.sweep import empty_inbox, sweep_project
from review_copilot.labelstudio.connection_report import Outcome
from review_copilot.labelstudio.webhook_setup import renew_webhook
from review_copilot.settings import load_settings


def sync(
    project: ProjectOption,
    everything: Annotated[bool, typer.Option("--all", help="Read all tasks, not only changed ones.")] = False,
) -> None:
    """Update the override log from Label Studio."""
    process = process_of(load_settings())
    opener = process.required_label_studio.opener
    report = empty_inbox(process.store, opener=opener)
    report += sweep_project(opener.open(project), store=process.store, everything=everything)
    for problem in (*report.problems, *_renewed_webhook(process, project)):
        Console(stderr=True).print(f"[yellow]{escape(problem)}[/]")
    print(
        f"The log is up to date: {report.missed} missed by webhook; {report.tasks} tasks read, "
        f"{report.annotations} annotations compared, {report.revisions} new revisions with "
        f"{report.rows} rows, {report.deleted} deleted."
    )
    if report.unreadable:
        raise LabelStudioFailed(
            f"Label Studio failed to return {len(report.unreadable)} tasks (listed above), so they are not in the log.",
            hint="Each sync tries them again.",
        )


def _renewed_webhook(process: Process, project_id: int) -> list[str]:
    """Renew an outdated webhook secret; returns what changed, and why it could not, as sentences."""
    client, backend = process.required_label_studio.client, backend_of(process.settings)
    try:
        steps = renew_webhook(client, project_id, backend, secrets=process.webhook_secrets)
    except LabelStudioError as error:  # the log is up to date all the same
        return [f"The project's webhook was not checked: {error}"]
    return [step.detail for step in steps if step.outcome is not Outcome.KEPT]
