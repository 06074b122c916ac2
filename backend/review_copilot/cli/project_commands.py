"""`connect`, `disconnect`, `preannotate`, `sync`: connect, draft, and update one project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from review_copilot.bootstrap.adopt_setup import refuse_other_setup, refuse_unknown_setup
from review_copilot.bootstrap.backend import build_backend
from review_copilot.bootstrap.engines import ray_engine, thread_engine
from review_copilot.bootstrap.estimates import estimate_run
from review_copilot.bootstrap.parts import backend_of
from review_copilot.bootstrap.process import Process, own_budget
from review_copilot.bootstrap.reviewing import blind_share_of
from review_copilot.bootstrap.running_backend import require_same_secrets
from review_copilot.bootstrap.setups import changed_setup, default_setup, guideline_of, setup_in_force
from review_copilot.cli.command_process import process_of
from review_copilot.cli.quiet_logging import quiet_failures
from review_copilot.cli.setup_options import (
    BlindShareChoice,
    GuidelineChoice,
    InspectorChoice,
    LeaveChoice,
    ModelChoice,
    ProjectOption,
)
from review_copilot.cli.sync_command import sync
from review_copilot.domain.review import ProjectKey
from review_copilot.engines.ray_cluster import Cluster
from review_copilot.errors import CopilotError, SettingsError
from review_copilot.flows import preannotate as flow
from review_copilot.flows.draft_project import DraftedProject, DraftingTools, draft_project
from review_copilot.flows.review_context import rollout_of
from review_copilot.labelstudio.client import Filter
from review_copilot.labelstudio.config_plan import where_fields_go
from review_copilot.labelstudio.connect import (
    ConnectionPlan,
    ConnectOptions,
    create_project,
    plan_connection,
)
from review_copilot.labelstudio.connect import connect as connect_project
from review_copilot.labelstudio.connect import disconnect as disconnect_project
from review_copilot.labelstudio.connection_report import ConnectionReport, Outcome
from review_copilot.labelstudio.transport import TokenKind
from review_copilot.labelstudio.workspace import project_key
from review_copilot.settings import Settings, load_settings


class EngineName(StrEnum):
    """Where a bulk run executes."""

    THREADS = "threads"
    RAY = "ray"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("connect")(connect)
    app.command("disconnect")(disconnect)
    app.command("preannotate")(preannotate)
    app.command("sync")(sync)


UrlOption = Annotated[str | None, typer.Option("--url", help="Label Studio URL. Default: from the settings.")]
TokenOption = Annotated[str | None, typer.Option("--token", help="Access token. Default: from the settings.")]
OUTCOME_STYLE = {Outcome.MADE: "green", Outcome.CHANGED: "yellow", Outcome.KEPT: "dim", Outcome.REMOVED: "yellow"}


def connect(
    url: UrlOption = None,
    token: TokenOption = None,
    project: Annotated[int | None, typer.Option("--project", help="Id of an existing project.")] = None,
    create: Annotated[str | None, typer.Option(metavar="TITLE", help="Create a project with this title.")] = None,
    replace_config: Annotated[
        bool, typer.Option("--replace-config", help="Replace a label config that Review Copilot did not generate.")
    ] = False,
    add_labels: Annotated[
        bool, typer.Option("--add-labels", help="Add the guideline's labels to a label config that people wrote.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only print what would be stored where.")] = False,
    reference: Annotated[bool, typer.Option("--reference", help="Show the task's $reference image.")] = False,
    prompt: Annotated[bool, typer.Option("--prompt", help="Show the task's $prompt text.")] = False,
    guideline: GuidelineChoice = None,
    inspector: InspectorChoice = None,
    model: ModelChoice = None,
    blind_share: BlindShareChoice = None,
    images_may_leave: LeaveChoice = None,
) -> None:
    """Connect a project to the running backend. Safe to run again."""
    if (project is None) == (create is None):
        raise SettingsError(
            "`connect` needs one project.", hint="Give either --project N, or --create TITLE for a new one."
        )
    if check and project is None:
        raise SettingsError("`connect --check` needs an existing project.", hint="Give --project N.")
    process = process_of(_settings(label_studio_url=url, label_studio_token=token))
    client, settings, store = process.required_label_studio.client, process.settings, process.store
    require_same_secrets(backend_of(settings))
    existing = project_key(client.project(project), instance=process.instance.name) if project is not None else None
    before = setup_in_force(existing, setups=store, settings=settings) if existing else default_setup(settings)
    if existing and guideline is None and inspector is None:
        refuse_unknown_setup(store.drafted_before_setups(existing), project=existing, setup=before)
    setup = changed_setup(
        before,
        settings,
        guideline=guideline,
        inspector=inspector,
        model=model,
        blind_share=blind_share,
        images_may_leave=images_may_leave,
    )
    options = ConnectOptions(
        guideline=guideline_of(setup),
        replace_config=replace_config,
        add_labels=add_labels,
        reference=reference,
        prompt=prompt,
        earlier=tuple(guideline_of(version.setup) for version in store.setups(existing)) if existing else (),
    )
    plan = None
    if project is not None:
        plan = plan_connection(client, client.project(project), options)
        _show_plan(plan, options)
        if check:
            return
    project_id = project if project is not None else create_project(client, title=create or "", options=options)
    key = project_key(client.project(project_id), instance=process.instance.name)
    earlier = store.setup(key)
    version = store.store_setup(key, setup)  # first, because Label Studio calls the backend while it connects
    try:
        options = replace(options, blind_share=setup.blind_share or blind_share_of(settings).of(project_id))
        report = connect_project(
            client,
            project_id,
            backend=backend_of(settings),
            options=options,
            plan=plan,
            secrets=process.webhook_secrets,
        )
    except CopilotError:
        if earlier is not None:
            store.store_setup(key, earlier.setup)
        if create is not None:
            typer.echo(
                f"Project {project_id} was created. Fix the error, then run: connect --project {project_id}", err=True
            )
        raise
    if store.new_tasks_since(key) is None:
        store.mark_new_tasks(key, client.now() or process.clock.now())
    _show_report(report, token=client.token_kind)
    typer.echo(f"Setup {version.number}: guideline {setup.guideline_id}, inspector {setup.inspector}.")
    typer.echo("The backend drafts new tasks by itself while it runs.")


def disconnect(project: ProjectOption, url: UrlOption = None, token: TokenOption = None) -> None:
    """Undo `connect`. Annotations and drafts stay."""
    process = process_of(_settings(label_studio_url=url, label_studio_token=token))
    client = process.required_label_studio.client
    report = disconnect_project(
        client, project, backend_url=backend_of(process.settings).url, secrets=process.webhook_secrets
    )
    process.store.mark_new_tasks(project_key(client.project(project), instance=process.instance.name), None)
    _show_report(report, token=client.token_kind)


def _show_plan(plan: ConnectionPlan, options: ConnectOptions) -> None:
    console = Console()
    for part, tag in where_fields_go(plan.config.labels, options.guideline):
        console.print(f"  {part:16} -> {escape(tag)}", soft_wrap=True, highlight=False)
    change = "changes" if plan.config.is_change else "is kept"
    console.print(f"  The label config {change}. {escape(plan.config.detail)}", soft_wrap=True, highlight=False)
    for line in plan.config.missing:
        console.print(f"    {escape(line)}", soft_wrap=True, highlight=False)
    console.print(f"  {escape(plan.trial.words)}", soft_wrap=True, highlight=False)
    for problem in (*plan.config.labels.problems, *plan.trial.invalid):
        console.print(f"  [yellow]note[/] {escape(problem)}", soft_wrap=True, highlight=False)


def _show_report(report: ConnectionReport, *, token: TokenKind) -> None:
    console = Console()
    console.print(f"Project {report.project_id} [bold]{escape(report.title)}[/], with a {token.value} token")
    for step in report.steps:
        outcome = f"[{OUTCOME_STYLE[step.outcome]}]{step.outcome.value:8}[/]"
        console.print(f"  {outcome} {step.part:13} {escape(step.detail)}", soft_wrap=True)
    for problem in report.problems:
        console.print(f"  [yellow]note[/]     {escape(problem)}", soft_wrap=True)
    console.print(report.url, soft_wrap=True)


def preannotate(
    context: typer.Context,
    project: ProjectOption,
    limit: Annotated[int | None, typer.Option(min=1, help="Draft at most this many tasks.")] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Images inspected at the same time; on a cluster, by each worker.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Stop after spending this amount (USD).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, without doing it.")] = False,
    view: Annotated[int | None, typer.Option(help="Only tasks of this Data Manager tab (its id).")] = None,
    engine: Annotated[
        EngineName, typer.Option(help="Run on this machine's threads, or on a Ray cluster.")
    ] = EngineName.THREADS,
    ray_address: Annotated[
        str,
        typer.Option("--ray-address", help="Ray cluster, such as 'auto' or 'ray://HEAD:10001'. Default: a local one."),
    ] = "",
    workers: Annotated[int, typer.Option(min=1, help="Number of Ray workers, each with its own inspector.")] = 2,
    gpus: Annotated[float, typer.Option(min=0, help="GPUs per worker, such as 0.5, for local models.")] = 0.0,
    guideline: Annotated[
        str | None, typer.Option(help="Stop unless the project's setup has this guideline: a name, or a file.")
    ] = None,
    inspector: Annotated[str | None, typer.Option(help="Stop unless the project's setup has this inspector.")] = None,
    carry_over: Annotated[
        bool, typer.Option("--carry-over", help="Copy the old drafts of all other tasks, and show the new roll-out.")
    ] = False,
    filter_: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", metavar="'COLUMN OPERATOR VALUE'", help="Only matching tasks, such as 'data.shift equal night'."
        ),
    ] = None,
) -> None:
    """Draft the tasks that have no draft, and show the drafts to reviewers.

    You can stop it and run it again at any time; it continues where it stopped. Reviewers see the drafts of the
    previous roll-out until every task with a draft has a new one. Tasks that a reviewer has started keep theirs.
    """
    quiet_failures(context)
    settings = _settings(concurrency=concurrency, model_budget_usd=budget or None)
    process = process_of(settings, shared=own_budget(settings) if budget else None)
    workspace = process.required_label_studio.opener.open(project)
    _check_setup(process, workspace.key, guideline=guideline, inspector=inspector)
    setup = process.setup_of(workspace.key)
    rollout = rollout_of(workspace.key, store=process.store, setup_of=process.setup_of)
    filters = [_filter(words) for words in filter_ or ()]
    only = workspace.select(view=view, filters=filters) if filters or view is not None else None
    scope = flow.Scope(only=only, limit=limit, budget_usd=budget, dry=dry_run)
    cluster = Cluster(address=ray_address, workers=workers, gpus=gpus)
    spread = (
        ray_engine(settings, setup, cluster=cluster) if engine is EngineName.RAY else thread_engine(settings, setup)
    )
    tools = DraftingTools(engine=spread, learning=build_backend(process).learning, opener_of=process.opener_of)
    console = Console(stderr=True)
    with _bar(console) as bar:
        job = bar.add_task("drafting", total=None, pace="")
        drafted = draft_project(
            workspace,
            rollout=rollout,
            tools=tools,
            scope=scope,
            carry_rest=carry_over,
            on_progress=lambda now: bar.update(job, completed=now.done, total=now.total, pace=_pace(now)),
        )
    report = drafted.progress
    if dry_run:
        print(
            f"{rollout}: would draft {report.drafted}, deliver {report.resumed} from an earlier run, "
            f"skip {report.skipped}."
        )
        sample = workspace.tasks(only=only)
        estimate = estimate_run(
            sample, count=report.drafted, settings=settings, setup=setup, on_unreadable=_unreadable(console)
        )
        print(estimate or f"{report.drafted} images, no model calls, no cost")
        return
    _say_drafted(drafted, console=console)
    if report.failures or report.undelivered or report.stopped:
        raise typer.Exit(1)


def _check_setup(process: Process, key: ProjectKey, *, guideline: str | None, inspector: str | None) -> None:
    """Stop before the project is drafted with another guideline or inspector than that of its setup.

    Raises:
        SettingsError: They differ.
        GuidelineError: The guideline cannot be read.
    """
    setup = setup_in_force(key, setups=process.store, settings=process.settings)
    refuse_unknown_setup(process.store.drafted_before_setups(key), project=key, setup=setup)
    wanted = changed_setup(setup, process.settings, guideline=guideline, inspector=inspector)
    refuse_other_setup(setup, wanted=wanted, project_id=key.project_id)


def _unreadable(console: Console) -> Callable[[int, CopilotError], None]:
    def say(task_id: int, error: CopilotError) -> None:
        console.print(f"[yellow]task {task_id}:[/] {escape(str(error))}", soft_wrap=True)

    return say


def _say_drafted(drafted: DraftedProject, *, console: Console) -> None:
    report = drafted.progress
    for task_id, reason in sorted(report.failures.items()):
        console.print(f"[red]task {task_id} has no draft:[/] {escape(reason)}", soft_wrap=True)
    if report.stopped:
        console.print(f"[red]Stopped:[/] {escape(report.stopped)}", soft_wrap=True)
    if report.undelivered:
        console.print(f"[red]Label Studio rejected the drafts of tasks {list(report.undelivered)}[/]")
    print(
        f"{drafted.rollout}: {report.drafted} drafted with {report.suggestions} suggestions, "
        f"{report.skipped} already had a draft, {report.withheld} withheld, "
        f"{report.resumed} delivered from an earlier run, {len(report.failures)} failed; "
        f"{report.stored + report.carried} predictions stored{' and pinned' if report.pinned else ''}."
    )
    _say_switch(drafted)
    if report.unstored:
        print(
            f"{report.unstored} suggestions were not stored, because the label config has no label for them. "
            "To see which, run review-copilot connect --project N --check."
        )
    if report.alike:
        print(
            f"{report.alike} tasks show the same image as another task, or almost the same. Their drafts name the "
            "other tasks."
        )
    if report.usage.calls or report.usage.cache_hit:
        spent = report.usage
        cost = f"${spent.cost_usd:.4f} at the price table's rates" if spent.cost_usd else "no known price"
        print(
            f"Model: {spent.calls} calls, {spent.prompt_tokens} prompt tokens ({spent.cached_tokens} of them cached), "
            f"{spent.completion_tokens} completion tokens, {cost}."
        )


def _say_switch(drafted: DraftedProject) -> None:
    report = drafted.progress
    if not drafted.replaces:
        return
    if not report.pinned:
        why = f"{report.waiting} tasks have only that draft" if report.waiting else "no task has a new draft"
        print(
            f"Reviewers still see {drafted.replaces}: {why}. Run preannotate again to draft them, or add --carry-over "
            "to keep their drafts."
        )
        return
    carried = f"{report.carried} of its drafts were copied. " if report.carried else ""
    removed = f" {drafted.removed} predictions of older roll-outs were removed." if drafted.removed else ""
    print(
        f"It replaces {drafted.replaces}. {carried}The old drafts stay in Label Studio until the next roll-out, for "
        f"reviewers who have a task open.{removed}"
    )


def _pace(now: flow.Progress) -> str:
    cost = f"  ${now.usage.cost_usd:.2f}" if now.usage.cost_usd else ""
    return f"{now.per_s:.1f}/s{cost}"


def _filter(words: str) -> Filter:
    """A Data Manager filter from a text of the form COLUMN OPERATOR VALUE.

    Raises:
        SettingsError: The text has fewer than three words.
    """
    column, operator, value = [*words.split(maxsplit=2), "", "", ""][:3]
    if not value:
        raise SettingsError(f"The filter {words!r} is not valid.", hint="Use COLUMN OPERATOR VALUE.")
    return Filter(column, operator, "Number" if value.isdigit() else "String", int(value) if value.isdigit() else value)


def _settings(**given: object) -> Settings:
    """The settings; values from the command line take precedence."""
    return load_settings(**{name: value for name, value in given.items() if value is not None})


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
