"""`predictions list`, `predictions remove`, `rollback`: manage the predictions in Label Studio."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from review_copilot.cli.command_process import process_of
from review_copilot.cli.setup_options import ProjectOption
from review_copilot.flows.switch_rollout import retire, roll_back
from review_copilot.settings import load_settings

group = typer.Typer(no_args_is_help=True, help="List and remove the predictions in Label Studio.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="predictions")
    app.command("rollback")(rollback)


@group.command("list")
def list_versions(project: ProjectOption) -> None:
    """Show how many predictions each version has, and which version reviewers see."""
    label_studio = process_of(load_settings()).required_label_studio
    pinned = label_studio.opener.open(project).pinned()
    table = Table("model version", "predictions", "shown")
    for version, count in label_studio.client.model_versions(project).items():
        table.add_row(version, str(count), "yes" if version == pinned else "")
    Console().print(table)


@group.command("remove")
def remove(
    project: ProjectOption,
    model_version: Annotated[str, typer.Option("--model-version", help="Version, as `predictions list` shows it.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Include tasks that a reviewer has started. Much faster.")
    ] = False,
) -> None:
    """Remove the predictions of one version. The drafts stay in the database."""
    label_studio = process_of(load_settings()).required_label_studio
    if everything:
        count = label_studio.client.model_versions(project).get(model_version, 0)
        label_studio.client.delete_model_version(project, model_version)
        print(f"{count} predictions of {model_version} removed.")
        return
    change = retire(label_studio.opener.open(project), rollout=model_version)
    print(f"{change.removed} predictions of {model_version} removed. {change.begun} started tasks keep theirs.")


def rollback(
    project: ProjectOption,
    to: Annotated[str, typer.Option("--to", help="Version to show again. Default: the previous one.")] = "",
) -> None:
    """Show the drafts of the previous roll-out again, without model calls."""
    process = process_of(load_settings())
    workspace = process.required_label_studio.opener.open(project)
    label, change = roll_back(workspace, store=process.store, clock=process.clock, to=to)
    print(
        f"{label} is shown again: {change.restored} predictions restored, {change.carried} copied, "
        f"{change.removed} of the newer roll-out removed. {change.begun} started tasks keep theirs. Before the next "
        "preannotate, also restore the guideline or inspector. Otherwise it rolls out the newer content again."
    )
