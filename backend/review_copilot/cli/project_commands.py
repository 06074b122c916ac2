"""`connect`, `disconnect`, `preannotate`, `sync`: what an admin does with one project."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from review_copilot.bootstrap import Copilot, create_copilot, with_own_budget
from review_copilot.cli.model_commands import estimate_run
from review_copilot.cli.quiet_logging import quiet_failures
from review_copilot.engines.ray_cluster import Cluster
from review_copilot.errors import CopilotError, SettingsError
from review_copilot.flows import preannotate as flow
from review_copilot.flows.learn_from_reviews import learn
from review_copilot.flows.sweep import empty_inbox, sweep_project
from review_copilot.flows.switch_rollout import retire
from review_copilot.labelstudio.client import Filter
from review_copilot.labelstudio.connect import ConnectionReport, ConnectOptions, Outcome, create_project
from review_copilot.labelstudio.connect import connect as tie
from review_copilot.labelstudio.connect import disconnect as untie
from review_copilot.labelstudio.transport import TokenKind
from review_copilot.settings import load_settings

ProjectOption = Annotated[int, typer.Option("--project", help="Label Studio's project id.")]


class EngineName(StrEnum):
    """Where a bulk run is done."""

    THREADS = "threads"
    RAY = "ray"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("connect")(connect)
    app.command("disconnect")(disconnect)
    app.command("preannotate")(preannotate)
    app.command("sync")(sync)


UrlOption = Annotated[str | None, typer.Option("--url", help="Label Studio's URL; otherwise from the settings.")]
TokenOption = Annotated[str | None, typer.Option("--token", help="Its access token; otherwise from the settings.")]
OUTCOME_STYLE = {Outcome.MADE: "green", Outcome.CHANGED: "yellow", Outcome.KEPT: "dim", Outcome.REMOVED: "yellow"}


def connect(
    url: UrlOption = None,
    token: TokenOption = None,
    project: Annotated[int | None, typer.Option("--project", help="A project that exists.")] = None,
    create: Annotated[str | None, typer.Option(metavar="TITLE", help="Make a new project of that title.")] = None,
    replace_config: Annotated[
        bool, typer.Option("--replace-config", help="Overwrite a label config that people wrote.")
    ] = False,
    reference: Annotated[bool, typer.Option("--reference", help="Show the task's $reference image.")] = False,
    prompt: Annotated[bool, typer.Option("--prompt", help="Show the task's $prompt text.")] = False,
) -> None:
    """Tie a project to the running backend: label config, instructions, webhook, ML backend. Safe to run again."""
    if (project is None) == (create is None):
        raise SettingsError("Say which project.", hint="Either --project N, or --create TITLE for a new one.")
    copilot = ready_copilot(url=url, token=token)
    options = ConnectOptions(
        guideline=copilot.guideline, replace_config=replace_config, reference=reference, prompt=prompt
    )
    project_id = project if project is not None else create_project(copilot.client, title=create or "", options=options)
    try:
        options = replace(options, blind_share=copilot.blind.of(project_id))
        report = tie(copilot.client, project_id, backend=copilot.backend, options=options)
    except CopilotError:
        if create is not None:
            typer.echo(f"Project {project_id} was made. Once that is mended: connect --project {project_id}", err=True)
        raise
    _show_report(report, token=copilot.client.token_kind)


def disconnect(project: ProjectOption, url: UrlOption = None, token: TokenOption = None) -> None:
    """Undo `connect`: the project no longer calls the backend. Everything that people made stays."""
    copilot = ready_copilot(url=url, token=token)
    report = untie(copilot.client, project, backend_url=copilot.backend.url)
    _show_report(report, token=copilot.client.token_kind)


def _show_report(report: ConnectionReport, *, token: TokenKind) -> None:
    console = Console()
    console.print(f"Project {report.project_id} [bold]{escape(report.title)}[/], by a {token.value} token")
    for step in report.steps:
        outcome = f"[{OUTCOME_STYLE[step.outcome]}]{step.outcome.value:8}[/]"
        console.print(f"  {outcome} {step.part:13} {escape(step.detail)}", soft_wrap=True)
    for problem in report.problems:
        console.print(f"  [yellow]note[/]     {escape(problem)}", soft_wrap=True)
    console.print(report.url, soft_wrap=True)


def preannotate(
    project: ProjectOption,
    limit: Annotated[int | None, typer.Option(min=1, help="Draft at most this many tasks.")] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Images inspected at once; on a cluster, by each worker.")
    ] = None,
    budget: Annotated[float | None, typer.Option(min=0, metavar="USD", help="Stop when so much is spent.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    view: Annotated[int | None, typer.Option(help="Only the tasks of this Data Manager tab: its id.")] = None,
    engine: Annotated[EngineName, typer.Option(help="Where the work is done.")] = EngineName.THREADS,
    ray_address: Annotated[
        str, typer.Option("--ray-address", help="Ray cluster: 'auto', 'ray://HEAD:10001'; one on this machine without.")
    ] = "",
    workers: Annotated[int, typer.Option(min=1, help="Workers on the Ray cluster, each with an inspector.")] = 2,
    gpus: Annotated[float, typer.Option(min=0, help="GPUs for each worker, such as 0.5: for local models.")] = 0.0,
    filter_: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="'COLUMN OPERATOR VALUE'", help="Only such tasks: 'data.shift equal night'."),
    ] = None,
) -> None:
    """Draft every task of a project that has no draft yet, and pin the drafts for the label stream.

    Can be stopped and started again at any time: it goes on where it was. Under a new roll-out, tasks that a reviewer
    has begun are left alone, and the drafts of the roll-out before are removed at the end.
    """
    quiet_failures()
    copilot = ready_copilot(concurrency=concurrency, model_budget_usd=budget or None)
    copilot = with_own_budget(copilot) if budget else copilot
    workspace = copilot.opener.open(project)
    rollout = copilot.rollout(workspace.key)
    cluster = Cluster(address=ray_address, workers=workers, gpus=gpus)
    spread = copilot.cluster(cluster) if engine is EngineName.RAY else copilot.threads()
    before = workspace.pinned()
    ours = before != rollout and before in copilot.store.rollouts(workspace.key)
    filters = [_filter(words) for words in filter_ or ()]
    only = workspace.select(view=view, filters=filters) if filters or view is not None else None
    scope = flow.Scope(only=only, limit=limit, budget_usd=budget, dry=dry_run, leave_begun=ours)
    console = Console(stderr=True)
    with _bar(console) as bar:
        job = bar.add_task("drafting", total=None, pace="")
        if not dry_run:
            learn(workspace.key, learning=copilot.learning, opener=copilot.opener)
        report = flow.preannotate(
            workspace,
            engine=spread,
            store=copilot.store,
            rollout=rollout,
            clock=copilot.clock,
            scope=scope,
            remind=copilot.similar_notes,
            on_progress=lambda now: bar.update(job, completed=now.done, total=now.total, pace=_pace(now)),
        )
    if dry_run:
        print(f"{rollout}: would draft {report.drafted}, deliver {report.resumed}, leave {report.skipped}.")
        sample = workspace.tasks(only=only)
        estimate = estimate_run(sample, count=report.drafted, copilot=copilot, console=console)
        print(estimate or f"{report.drafted} images, no model is asked: no cost")
        return
    whole = only is None and limit is None and not report.stopped
    removed = retire(workspace, rollout=before).removed if ours and whole else 0
    _say_drafted(report, rollout=rollout, removed=removed, console=console)
    if report.failures or report.undelivered or report.stopped:
        raise typer.Exit(1)


def _say_drafted(report: flow.Progress, *, rollout: str, removed: int, console: Console) -> None:
    for task_id, reason in sorted(report.failures.items()):
        console.print(f"[red]task {task_id} has no draft:[/] {escape(reason)}", soft_wrap=True)
    if report.stopped:
        console.print(f"[red]Stopped:[/] {escape(report.stopped)}", soft_wrap=True)
    if report.undelivered:
        console.print(f"[red]Label Studio did not take the drafts of tasks {list(report.undelivered)}[/]")
    old = f"; {removed} of the roll-out before removed" if removed else ""
    print(
        f"{rollout}: {report.drafted} drafted with {report.suggestions} suggestions, {report.skipped} had a draft, "
        f"{report.withheld} withheld, "
        f"{report.resumed} delivered from an earlier run, {len(report.failures)} failed; "
        f"{report.stored} predictions stored and pinned{old}."
    )
    if report.alike:
        print(f"{report.alike} tasks show the same picture as another task, or nearly; their drafts say which.")
    if report.usage.calls or report.usage.cache_hit:
        spent = report.usage
        cost = f"${spent.cost_usd:.4f} at the price table's rates" if spent.cost_usd else "no known price"
        print(
            f"Model: {spent.calls} calls, {spent.prompt_tokens} prompt tokens ({spent.cached_tokens} of them cached), "
            f"{spent.completion_tokens} completion tokens, {cost}."
        )


def _pace(now: flow.Progress) -> str:
    cost = f"  ${now.usage.cost_usd:.2f}" if now.usage.cost_usd else ""
    return f"{now.per_s:.1f}/s{cost}"


def _filter(words: str) -> Filter:
    """A filter of the Data Manager from three words.

    Raises:
        SettingsError: There are fewer.
    """
    column, operator, value = [*words.split(maxsplit=2), "", "", ""][:3]
    if not value:
        raise SettingsError(f"The filter {words!r} is not understood.", hint="Say COLUMN OPERATOR VALUE.")
    return Filter(column, operator, "Number" if value.isdigit() else "String", int(value) if value.isdigit() else value)


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
        f"caught up: {report.missed} missed by webhook; {report.tasks} tasks read, {report.annotations} annotations "
        f"compared, {report.revisions} new revisions with {report.rows} rows, {report.deleted} deleted."
    )


def ready_copilot(*, url: str | None = None, token: str | None = None, **others: object) -> Copilot:
    """The copilot of the settings, once it is known to have a token.

    Args:
        url: Label Studio's URL, where it is not the settings'.
        token: Its token, where it is not the settings'.
        others: Other settings by name; None where they stay as they are.

    Raises:
        SettingsError: There is no token to read Label Studio with.
    """
    given = {"label_studio_url": url, "label_studio_token": token, **others}
    copilot = create_copilot(load_settings(**{name: value for name, value in given.items() if value is not None}))
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
        TextColumn("{task.fields[pace]}"),
        console=console,
    )
