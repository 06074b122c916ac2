"""`review-copilot evaluate`: compare one setup or two with what people reviewed, without changing Label Studio."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from review_copilot.bootstrap.evaluating import (
    KEYS,
    Candidate,
    EvaluationParts,
    candidate_of,
    changed,
    contenders,
    file_fingerprint,
)
from review_copilot.bootstrap.parts import shared_limits
from review_copilot.bootstrap.process import own_budget
from review_copilot.bootstrap.reviewing import image_fetcher
from review_copilot.cli.command_process import process_of
from review_copilot.cli.quiet_logging import quiet_failures
from review_copilot.domain.suggestion import Usage
from review_copilot.errors import SettingsError
from review_copilot.evaluation.evaluation import Evaluation, Outcome
from review_copilot.evaluation.evaluation_json import as_json
from review_copilot.evaluation.truth import Truth
from review_copilot.flows.evaluate import Run, run_evaluation
from review_copilot.flows.evaluation_crops import evaluation_crops
from review_copilot.flows.reviewed_truth import reviewed_images, sample
from review_copilot.flows.study_project import find_project
from review_copilot.library.truth_file import read_truth
from review_copilot.private_files import open_private
from review_copilot.reports.evaluation_html import to_html
from review_copilot.reports.evaluation_text import OUTCOMES, to_table
from review_copilot.settings import Settings, load_settings

_CHANGES = f"KEY=VALUE; keys: {', '.join(KEYS)}."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate)


@dataclass(frozen=True)
class _Question:
    """What is evaluated.

    Attributes:
        truths: The images with what people say.
        left_out: Reason to number of what was left out.
        candidates: The setups by name.
        parts: What they share.
    """

    truths: tuple[Truth, ...]
    left_out: Counter[str]
    candidates: tuple[tuple[str, Candidate], ...]
    parts: EvaluationParts


def evaluate(
    context: typer.Context,
    truth: Annotated[
        Path | None,
        typer.Argument(help="Folder or file with known defects: COCO (.json), or lines of `inspect --json` (.jsonl)."),
    ] = None,
    project: Annotated[int | None, typer.Option("--project", help="Reviewed tasks of this project in the log.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=f"Change the setup: {_CHANGES}")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", metavar="KEY=VALUE", help="Compare with the same setup and this change. Repeatable."),
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0, max=1, help="Loss of F1 or verdict agreement that is acceptable, 0 to 1.")
    ] = 0.02,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Evaluate at most this many images, chosen at random.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Stop after spending this amount (USD).")
    ] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Images inspected at the same time.")] = None,
    out: Annotated[Path, typer.Option(help="HTML file. The JSON file has the same name and the ending .json.")] = Path(
        "evaluation.html"
    ),
    drafts: Annotated[Path, typer.Option(help="Folder that keeps the drafts, so that a run can continue.")] = Path(
        "review-copilot-evaluations"
    ),
    images: Annotated[Path | None, typer.Option(help="Folder of the images. Default: that of the file.")] = None,
    map_: Annotated[
        list[str] | None, typer.Option("--map", metavar="NAME=ID", help="Criterion of a category with another name.")
    ] = None,
) -> None:
    """Compare drafts with reviews by people, for one setup or two.

    Label Studio is not changed. The exit code is 1 if the setup of --against is worse by more than the margin, or if
    the run stopped early.
    """
    quiet_failures(context)
    if (truth is None) == (project is None):
        raise SettingsError("Name either a folder with known defects or a project.", hint="Use --project N, or a path.")
    given = {"concurrency": concurrency, "model_budget_usd": budget or None}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if truth is not None:
        asked = _of_file(
            truth, settings, changes=set_ or (), against=against, drafts=drafts, images=images, named=_named(map_)
        )
    else:
        asked = _of_project(project or 0, settings, changes=set_ or (), against=against, drafts=drafts)
    truths = sample(asked.truths, limit)
    if not truths:
        raise SettingsError(
            "No reviewed image can be evaluated.", hint=_why(asked.left_out) or "Review some tasks first."
        )
    with _bar(console) as bar:
        job = bar.add_task("evaluating", total=None)
        evaluation, run = run_evaluation(
            truths,
            contenders(asked.candidates, asked.parts),
            margin=margin,
            fingerprint=file_fingerprint,
            on_progress=lambda now: bar.update(job, completed=now.done, total=now.total),
        )
    _say_run(run, asked.left_out, console)
    _write(evaluation, asked.parts, out)
    Console(highlight=False).print(to_table(evaluation))
    if evaluation.outcome is not None:
        print(f"{OUTCOMES[evaluation.outcome]} {' '.join(evaluation.reasons)}")
    console.print(f"Written to {escape(str(out))} and {escape(str(out.with_suffix('.json')))}.")
    if run.stopped or evaluation.outcome is Outcome.WORSE:
        raise typer.Exit(1)


def _of_file(
    truth: Path, settings: Settings, *, changes: Sequence[str], against: Sequence[str] | None, drafts: Path,
    images: Path | None, named: dict[str, str],
) -> _Question:  # fmt: skip
    candidates = _candidates(candidate_of(None, settings), changes, against)
    known = read_truth(truth, guideline=candidates[0][1].guideline, named=named, images=images)
    shared = own_budget(settings)
    parts = EvaluationParts(image_fetcher(settings, plain_files=True), drafts, lambda _: shared)
    return _Question(known.truths, known.left_out, candidates, parts)


def _of_project(
    project: int, settings: Settings, *, changes: Sequence[str], against: Sequence[str] | None, drafts: Path
) -> _Question:
    shared = own_budget(settings)
    process = process_of(settings, shared=shared)
    key = find_project(process.store.projects(), project)
    version = process.store.setup(key)
    candidates = _candidates(candidate_of(version.setup if version else None, settings), changes, against)
    opener = process.opener_of(key)
    workspace = opener.open(key.project_id) if opener is not None else None
    if workspace is not None and workspace.key != key:
        raise SettingsError(
            f"Project {project} in Label Studio is not the project in the log: it was created again.",
            hint="Sync it first: review-copilot sync --project N",
        )
    known = reviewed_images(process.store, project=key, workspace=workspace)
    parts = EvaluationParts(
        process.images,
        drafts,
        lambda own: shared_limits(own, store=process.store, clock=process.clock, given=shared),
    )
    return _Question(known.truths, known.left_out, candidates, parts)


def _candidates(
    base: Candidate, changes: Sequence[str], against: Sequence[str] | None
) -> tuple[tuple[str, Candidate], ...]:
    first = changed(base, changes) if changes else base
    name = ", ".join(changes) or "setup in force"
    if against is None:
        return ((name, first),)
    return (name, first), (", ".join(against), changed(first, against))


def _named(texts: list[str] | None) -> dict[str, str]:
    named = {}
    for text in texts or ():
        name, equals, criterion = text.rpartition("=")
        if not equals or not name.strip():
            raise SettingsError(f"{text!r} maps nothing.", hint='Use --map "NAME=ID", such as --map "scratch=PQ-14".')
        named[name.strip()] = criterion.strip()
    return named


def _why(left_out: Counter[str]) -> str:
    return "; ".join(f"{count} left out: {reason}" for reason, count in left_out.most_common())


def _say_run(run: Run, left_out: Counter[str], console: Console) -> None:
    for reason, count in left_out.most_common():
        console.print(f"[yellow]{count} left out:[/] {escape(reason)}.")
    for name, reason in sorted(run.unreadable.items()):
        console.print(f"[yellow]{escape(name)} is left out:[/] {escape(reason)}")
    for name, reason in sorted(run.failures.items()):
        console.print(f"[red]{escape(name)} has no draft, which counts as missed:[/] {escape(reason)}")
    if run.stopped:
        console.print(
            f"[red]Stopped after {run.done} of {run.total} drafts:[/] {escape(run.stopped)} "
            "Run the command again to continue."
        )
    if run.usage != Usage():
        spent = run.usage
        cost = f"${spent.cost_usd:.4f} at the price table's rates" if spent.cost_usd else "no known price"
        console.print(f"{run.made} new drafts, {spent.calls} model calls, {cost}.")
    else:
        console.print(f"{run.made} new drafts, {run.done - run.made} from earlier runs.")


def _write(evaluation: Evaluation, parts: EvaluationParts, out: Path) -> None:
    crops = evaluation_crops(evaluation.differing, images=parts.images)
    content = {out: to_html(evaluation, crops=crops)}
    content[out.with_suffix(".json")] = (
        json.dumps(as_json(evaluation), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )
    for path, text in content.items():
        try:
            with open_private(path) as file:
                file.write(text)
        except OSError as error:
            raise SettingsError(
                f"{path} cannot be written: {error.strerror}.", hint="Choose another file with --out."
            ) from error


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console,
        transient=True,
    )  # fmt: skip
