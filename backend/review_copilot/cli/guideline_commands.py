"""Commands about guidelines and the labeling interface made from them. Knows no Label Studio server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from review_copilot.domain.guideline import Criterion, Guideline, Severity
from review_copilot.labelstudio.label_config import generate
from review_copilot.library import guideline_names, load_guideline

_GuidelineName = Annotated[str, typer.Option("--guideline", help="A shipped name, or the path of a YAML file.")]


def register(app: typer.Typer) -> None:
    """Add this group to the command line."""
    app.command("label-config")(label_config)
    group = typer.Typer(no_args_is_help=True, help="List, show and check guidelines.")
    group.command("check")(check)
    group.command("list")(list_guidelines)
    group.command("show")(show)
    app.add_typer(group, name="guideline")


def label_config(
    *,
    guideline: _GuidelineName = "photo-quality",
    reference: Annotated[bool, typer.Option("--reference", help="Show the task's $reference image as well.")] = False,
    prompt: Annotated[bool, typer.Option("--prompt", help="Show the task's $prompt text as well.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file instead of the screen.")] = None,
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


def check(file: Annotated[str, typer.Argument(help="The guideline file, or a shipped name.")]) -> None:
    """Check a guideline file and say what is wrong, line by line."""
    guideline = load_guideline(file)
    generate(guideline)
    typer.echo(f"{file} is right: {len(guideline.criteria)} criteria, revision {guideline.revision}.")


def list_guidelines() -> None:
    """List the shipped guidelines."""
    table = Table("name", "title", "version", "revision", "criteria", box=None)
    for name in guideline_names():
        guideline = load_guideline(name)
        table.add_row(name, guideline.title, guideline.version, guideline.revision, str(len(guideline.criteria)))
    Console().print(table)


def show(name: Annotated[str, typer.Argument(help="A shipped name, or the path of a YAML file.")]) -> None:
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
