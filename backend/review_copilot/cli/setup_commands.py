"""`review-copilot project`: show, change, and list the setups of projects."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table

from review_copilot.bootstrap.process import Process
from review_copilot.bootstrap.setups import changed_setup, setup_in_force
from review_copilot.cli.command_process import process_of
from review_copilot.cli.setup_options import (
    BlindShareChoice,
    GuidelineChoice,
    InspectorChoice,
    LeaveChoice,
    MinScoreChoice,
    ModelChoice,
    ProjectOption,
    SecondLookChoice,
)
from review_copilot.domain.review import ProjectKey
from review_copilot.domain.setup import ProjectSetup
from review_copilot.errors import SettingsError
from review_copilot.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Show, change, and list the setups of projects.")
    group.command("show")(show)
    group.command("set")(set_project)
    group.command("history")(history)
    group.command("list")(list_projects)
    app.add_typer(group, name="project")


def show(project: ProjectOption) -> None:
    """Show the setup of a project."""
    process = process_of(load_settings())
    key = _known(process, project)
    version = process.store.setup(key)
    setup = setup_in_force(key, setups=process.store, settings=process.settings)
    table = Table("", "", show_header=False, title=f"Project {project}", box=None)
    for name, value in _rows(setup):
        table.add_row(name, value)
    table.add_row("version", f"{version.number}, {version.stored_at:%Y-%m-%d %H:%M} UTC" if version else "settings")
    Console().print(table)


def set_project(
    project: ProjectOption,
    guideline: GuidelineChoice = None,
    inspector: InspectorChoice = None,
    model: ModelChoice = None,
    min_score: MinScoreChoice = None,
    second_look: SecondLookChoice = None,
    blind_share: BlindShareChoice = None,
    images_may_leave: LeaveChoice = None,
) -> None:
    """Change the setup of a project. The next `preannotate` rolls out the change."""
    process = process_of(load_settings())
    key = _known(process, project)
    before = setup_in_force(key, setups=process.store, settings=process.settings)
    after = changed_setup(
        before,
        process.settings,
        guideline=guideline,
        inspector=inspector,
        model=model,
        min_score=min_score,
        second_look=second_look,
        blind_share=blind_share,
        images_may_leave=images_may_leave,
    )
    version = process.store.store_setup(key, after)
    changed = [
        f"{name}: {was} -> {now}"
        for (name, was), (_, now) in zip(_rows(before), _rows(after), strict=True)
        if was != now
    ]
    typer.echo(f"Project {project}, setup {version.number}: {'; '.join(changed) or 'nothing changed'}.")
    if before.guideline_revision != after.guideline_revision:
        typer.echo(f"Update the label config: review-copilot connect --project {project}", err=True)
    if changed:
        typer.echo(f"Roll out the change: review-copilot preannotate --project {project}", err=True)


def history(project: ProjectOption) -> None:
    """List all setups of a project, oldest first."""
    process = process_of(load_settings())
    versions = process.store.setups(_known(process, project))
    if not versions:
        typer.echo(f"Project {project} has no setup of its own, so the settings apply.")
        return
    table = Table("version", "stored (UTC)", "guideline", "revision", "inspector", "model", box=None)
    for version in versions:
        setup = version.setup
        when = f"{version.stored_at:%Y-%m-%d %H:%M}"
        table.add_row(
            str(version.number), when, setup.guideline_id, setup.guideline_revision, setup.inspector, setup.model
        )
    Console().print(table)


def list_projects() -> None:
    """List the projects in the log with their setups."""
    process = process_of(load_settings())
    table = Table("project", "Label Studio", "guideline", "inspector", "model", "setup", box=None)
    for key in process.store.projects():
        version = process.store.setup(key)
        setup = setup_in_force(key, setups=process.store, settings=process.settings)
        of = str(version.number) if version else "settings"
        table.add_row(str(key.project_id), key.instance, setup.guideline_id, setup.inspector, setup.model, of)
    if not table.row_count:
        typer.echo("The log has no project yet. Connect one: review-copilot connect --project N")
        return
    Console().print(table)


def _known(process: Process, project_id: int) -> ProjectKey:
    """The newest project with that id of the configured Label Studio in the log.

    Raises:
        SettingsError: The log has no such project.
    """
    here = [
        key for key in process.store.projects() if (key.instance, key.project_id) == (process.instance.name, project_id)
    ]
    if not here:
        raise SettingsError(
            f"The log has no project {project_id} of {process.instance.name}.",
            hint=f"Connect it first: review-copilot connect --project {project_id}",
        )
    return here[-1]


def _rows(setup: ProjectSetup) -> list[tuple[str, str]]:
    return [
        ("guideline", f"{setup.guideline_id}, revision {setup.guideline_revision}"),
        ("inspector", setup.inspector),
        ("model", setup.model or "settings"),
        ("lowest score", f"{setup.min_score:g}"),
        ("second look", "on" if setup.second_look else "off"),
        ("blind share", f"{setup.blind_share:.0%}"),
        ("images may leave", "yes" if setup.images_may_leave else "no"),
    ]
