"""Commands for guidelines and the labeling interfaces generated from them. Knows no Label Studio server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from review_copilot.domain.guideline import Criterion, Guideline, Severity
from review_copilot.domain.suggestion import Scope
from review_copilot.inspectors.registry import MODEL_INSPECTORS, measure_catalogue
from review_copilot.labelstudio.label_config import generate
from review_copilot.library import guideline_names, load_guideline
from review_copilot.suggest.examiners import examiners_of, warnings_of, wrong_measures

_GuidelineName = Annotated[str, typer.Option("--guideline", help="Built-in guideline, or the path of a YAML file.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("label-config")(label_config)
    group = typer.Typer(no_args_is_help=True, help="List, show, and check guidelines.")
    group.command("check")(check)
    group.command("list")(list_guidelines)
    group.command("measures")(measures)
    group.command("show")(show)
    app.add_typer(group, name="guideline")


def label_config(
    *,
    guideline: _GuidelineName = "photo-quality",
    reference: Annotated[bool, typer.Option("--reference", help="Show the task's $reference image as well.")] = False,
    prompt: Annotated[bool, typer.Option("--prompt", help="Show the task's $prompt text as well.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Output file. Default: standard output.")] = None,
) -> None:
    """Print the Label Studio labeling interface of a guideline."""
    xml = generate(load_guideline(guideline), reference=reference, prompt=prompt)
    if out is None:
        typer.echo(xml, nl=False)
        return
    try:
        out.write_text(xml, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{out} cannot be written: {error.strerror}.", param_hint="--out") from error
    typer.echo(f"Wrote {out}.", err=True)


def check(
    file: Annotated[str, typer.Argument(help="Guideline file, or the name of a built-in guideline.")],
    inspector: Annotated[str, typer.Option(help="Inspector that will use the guideline.")] = "builtin",
    allow_unexamined: Annotated[
        bool, typer.Option("--allow-unexamined", help="Accept criteria that are not examined.")
    ] = False,
) -> None:
    """Check a guideline file, and show what examines each criterion.

    The exit code is 1 if a criterion is not examined or names an unknown measure, and 2 if the file is invalid.
    """
    guideline = load_guideline(file)
    generate(guideline)
    catalogue = measure_catalogue()
    asks_model = inspector in MODEL_INSPECTORS
    found = examiners_of(guideline, catalogue=() if inspector == "openai" else catalogue, model=asks_model)
    table = Table("criterion", "label", "examined by", box=None)
    for examiners in found:
        words = "[red]nothing[/]" if examiners.nobody else escape(examiners.words)
        table.add_row(examiners.criterion.id, escape(examiners.criterion.label), words)
    console = Console(soft_wrap=True)
    console.print(table)
    errors = list(wrong_measures(guideline, catalogue))
    for error in errors:
        console.print(f"[red]error[/]   {escape(error)}")
    for warning in warnings_of(guideline):
        console.print(f"[yellow]warning[/] {escape(warning)}")
    nobody = sum(examiners.nobody for examiners in found)
    if nobody and not allow_unexamined:
        console.print(
            f"{nobody} of {len(found)} criteria are not examined. Drafts report this and never pass. Name a measure, "
            "choose an inspector that uses a model (--inspector hybrid), or add --allow-unexamined."
        )
    typer.echo(f"{file}: {len(guideline.criteria)} criteria, revision {guideline.revision}.")
    if errors or (nobody and not allow_unexamined):
        raise typer.Exit(1)


def measures() -> None:
    """List the measures that a criterion can name, with their units."""
    table = Table("measure", "unit", "reports", "a model can judge it", box=None)
    for measure in measure_catalogue():
        scope = "boxes" if measure.scope is Scope.REGION else "the whole image"
        table.add_row(measure.name, measure.unit, scope, "yes" if measure.model_can_judge else "no")
    Console().print(table)


def list_guidelines() -> None:
    """List the built-in guidelines."""
    table = Table("name", "title", "version", "revision", "criteria", box=None)
    for name in guideline_names():
        guideline = load_guideline(name)
        table.add_row(name, guideline.title, guideline.version, guideline.revision, str(len(guideline.criteria)))
    Console().print(table)


def show(name: Annotated[str, typer.Argument(help="Built-in guideline, or the path of a YAML file.")]) -> None:
    """Show a guideline as reviewers read it."""
    guideline = load_guideline(name)
    console = Console(highlight=False, markup=False)
    console.print(f"{guideline.title} {guideline.version}, revision {guideline.revision}", style="bold")
    for words in (guideline.purpose, f"Verdict: {guideline.verdict.words}", f"Rationale: {guideline.rationale.words}"):
        console.print(words)
    for criterion in guideline.criteria:
        _show_criterion(console, criterion)
    _show_novel(console, guideline)


def _show_criterion(console: Console, criterion: Criterion) -> None:
    console.print(f"\n{criterion.id} {criterion.label}", style="bold")
    console.print(criterion.definition)
    for title, entries in (("Flag when", criterion.flag_when), ("Do not flag when", criterion.do_not_flag_when)):
        console.print(f"{title}:")
        for entry in entries:
            console.print(f"  - {entry}")
    console.print("Severity:")
    for severity in Severity:
        anchor = criterion.severity[severity]
        number = "" if anchor.at_least is None else f" (from {anchor.at_least:g} {criterion.unit})"
        console.print(f"  {severity}{number}: {anchor.words}")
    console.print(f"Example: {criterion.rationale}")
    console.print(f"Measured by: {', '.join(criterion.measures) or 'models only'}", style="dim")


def _show_novel(console: Console, guideline: Guideline) -> None:
    console.print(f"\n{guideline.novel.label}", style="bold")
    console.print(guideline.novel.definition)
