"""An evaluation as one HTML page that stands alone and opens offline. Works out no number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import Exposure, Review
from review_copilot.evaluation.evaluation import DifferingImage, Evaluation, Group, Outcome
from review_copilot.evaluation.figures import OF_CRITERIA, Metric
from review_copilot.reports.evaluation_text import METRICS, OUTCOMES, change, interval, value
from review_copilot.reports.page_templates import render
from review_copilot.reports.study_words import UNKNOWN, name_of


@dataclass(frozen=True)
class Cell:
    """One figure of one setup."""

    says: str
    range: str


@dataclass(frozen=True)
class Row:
    """One figure of all setups.

    Attributes:
        name: The figure, or the criterion.
        cells: One per setup.
        change: The difference; empty with one setup.
    """

    name: str
    cells: tuple[Cell, ...]
    change: str = ""


@dataclass(frozen=True)
class Panel:
    """What the people or one setup say about an image.

    Attributes:
        title: Who says it.
        picture: A crop as a data URI; empty without one.
        verdict: The verdict; a dash without one.
        lines: One text per region.
    """

    title: str
    picture: str
    verdict: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """One image on which two setups differ."""

    name: str
    errors: tuple[int, int]
    blind: bool
    panels: tuple[Panel, ...]


def to_html(evaluation: Evaluation, *, crops: Mapping[int, tuple[str, str, str]]) -> str:
    """The page.

    Args:
        evaluation: What to show.
        crops: See `flows.evaluation_crops`.
    """
    return render(
        "evaluation.html.j2",
        evaluation=evaluation,
        several=len(evaluation.setups) > 1,
        outcome=OUTCOMES[evaluation.outcome] if evaluation.outcome else "",
        calm=evaluation.outcome is not Outcome.WORSE,
        groups=[
            (title, note, group, rows(group), criterion_tables(evaluation, group))
            for title, note, group in _groups(evaluation)
        ],
        pairs=[_pair(image, evaluation, crops) for image in evaluation.differing[: max(len(crops), 40)]],
    )


def rows(group: Group) -> tuple[Row, ...]:
    """The figures of all criteria together, without those that nobody counted."""
    found = []
    for metric, name in METRICS.items():
        row = _row(group, "", metric, name)
        if row is not None:
            found.append(row)
    return tuple(found)


def criterion_tables(evaluation: Evaluation, group: Group) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """For precision, recall, F1, and severity: the figure of each criterion that was suggested or marked."""
    tables = []
    for metric in OF_CRITERIA:
        found = [
            _row(group, criterion, metric, name_of(criterion, evaluation.setups[0].guideline))
            for criterion in evaluation.criteria
        ]
        tables.append((METRICS[metric], tuple(row for row in found if row is not None)))
    return tuple((name, found) for name, found in tables if found)


def _groups(evaluation: Evaluation) -> Sequence[tuple[str, str, Group]]:
    groups = [("All images", "", evaluation.everything)]
    if evaluation.blind is not None:
        note = "Reviewers saw no draft of these images, so no setup has influenced what they submitted."
        groups.insert(0, ("Blind images", note, evaluation.blind))
    return groups


def _row(group: Group, criterion: str, metric: Metric, name: str) -> Row | None:
    found = [own[criterion, metric] for own in group.figures]
    if all(math.isnan(figure.value) for figure in found):
        return None
    cells = tuple(Cell(value(metric, f.value), interval(metric, f)) for f in found)
    compared = len(found) > 1 and metric is not Metric.TRUTH_WORDS
    return Row(name, cells, change(metric, group.differences[criterion, metric]) if compared else "")


def _pair(image: DifferingImage, evaluation: Evaluation, crops: Mapping[int, tuple[str, str, str]]) -> Pair:
    truth = image.truth
    pictures = crops.get(truth.task.key.task_id, ("", "", ""))
    guideline = evaluation.setups[0].guideline
    people = Panel(
        "People",
        pictures[0],
        truth.verdict.value if truth.verdict else UNKNOWN,
        tuple(
            _line(guideline, r.criterion_id, r.severity.value if r.severity else "", r.rationale) for r in truth.regions
        ),
    )
    drafts = (
        _draft(setup.name, picture, review, setup.guideline)
        for setup, picture, review in zip(evaluation.setups, pictures[1:], image.reviews, strict=True)
    )
    return Pair(truth.name, image.errors, truth.blind, (people, *drafts))


def _draft(title: str, picture: str, review: Review, guideline: Guideline) -> Panel:
    if review.exposure is Exposure.FAILED:
        return Panel(title, picture, UNKNOWN, (f"No draft: {review.error}",))
    lines = (_line(guideline, s.criterion_id, s.severity.value, s.rationale) for s in review.suggestions)
    return Panel(title, picture, review.verdict.value, tuple(lines))


def _line(guideline: Guideline, criterion_id: str, severity: str, rationale: str) -> str:
    said = f"{name_of(criterion_id, guideline)}{f', {severity}' if severity else ''}"
    return f"{said}: {rationale}" if rationale else said
