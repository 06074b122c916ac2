"""An evaluation as a table for the command line. Knows wording; works out no number."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rich.markup import escape
from rich.table import Table

from review_copilot.evaluation.evaluation import Evaluation, Outcome
from review_copilot.evaluation.figures import OF_CRITERIA, Difference, Figure, Metric
from review_copilot.reports.study_words import UNKNOWN, dollars, name_of

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.SAME: "The same setup.",
    Outcome.WORSE: "The other setup is worse.",
    Outcome.BETTER: "The other setup is better.",
    Outcome.NOT_WORSE: "The other setup is not worse.",
    Outcome.UNDECIDED: "Undecided: more reviewed images are needed.",
}

METRICS: Mapping[Metric, str] = {
    Metric.PRECISION: "Precision",
    Metric.RECALL: "Recall",
    Metric.F1: "F1 at IoU 0.5",
    Metric.SEVERITY: "Same severity",
    Metric.VERDICT: "Same verdict",
    Metric.WORDS: "Words per rationale",
    Metric.TRUTH_WORDS: "Words per rationale of people",
    Metric.WITHIN_LIMIT: "Rationales within the limit",
    Metric.NAME_PLACE: "Rationales that name a place",
    Metric.WORDS_KEPT: "Rationale's words that people also use",
    Metric.COST: "Cost per image",
    Metric.TOKENS: "Tokens per image",
    Metric.LATENCY: "Seconds per image",
}
_SHARES = frozenset(
    {
        *OF_CRITERIA, Metric.VERDICT, Metric.WITHIN_LIMIT, Metric.NAME_PLACE, Metric.WORDS_KEPT,
    }
)  # fmt: skip


def value(metric: Metric, number: float) -> str:
    """A figure without its interval; a dash if it is unknown."""
    if math.isnan(number):
        return UNKNOWN
    if metric in _SHARES:
        return f"{100 * number:.0f} %"
    if metric is Metric.COST:
        return dollars(number)
    return f"{number:,.0f}" if metric is Metric.TOKENS else f"{number:.1f}" if number < 100 else f"{number:.0f}"


def interval(metric: Metric, figure: Figure) -> str:
    """The 95 % interval of a figure, such as "70 % to 84 %"; empty if it is unknown."""
    if math.isnan(figure.value):
        return ""
    return f"{value(metric, figure.low)} to {value(metric, figure.high)}"


def change(metric: Metric, difference: Difference) -> str:
    """A difference with its interval, such as "+4 (−1 to +9) points"; a dash if it is unknown."""
    if math.isnan(difference.value):
        return UNKNOWN
    shown = [_signed(metric, number) for number in (difference.value, difference.low, difference.high)]
    unit = " points" if metric in _SHARES else ""
    return f"{shown[0]} ({shown[1]} to {shown[2]}){unit}"


def _signed(metric: Metric, number: float) -> str:
    if metric in _SHARES:
        text = f"{100 * number:+.0f}"
    elif metric is Metric.COST:
        text = f"{number:+.4f}"
    else:
        text = f"{number:+.1f}"
    return text.replace("-", "−")


def to_table(evaluation: Evaluation) -> Table:
    """One row per figure of all criteria together, then F1 of each criterion that was found or missed."""
    group = evaluation.everything
    title = f"{group.images} images with {group.regions} regions"
    table = Table(title=title, header_style="bold")
    table.add_column("figure")
    for setup in evaluation.setups:
        table.add_column(escape(setup.name), overflow="fold")
    if len(evaluation.setups) > 1:
        table.add_column("difference", overflow="fold")
    for metric in METRICS:
        _add(table, METRICS[metric], evaluation, "", metric)
    table.add_section()
    for criterion in evaluation.criteria:
        if any(own[criterion, Metric.F1].of for own in group.figures):
            name = name_of(criterion, evaluation.setups[0].guideline)
            _add(table, f"F1 of {escape(name)}", evaluation, criterion, Metric.F1)
    return table


def _add(table: Table, name: str, evaluation: Evaluation, criterion: str, metric: Metric) -> None:
    found = [own[criterion, metric] for own in evaluation.everything.figures]
    if all(math.isnan(figure.value) for figure in found):
        return
    cells = [f"{value(metric, f.value)}  [dim]{interval(metric, f)}[/]" for f in found]
    if len(found) > 1:
        same = metric is Metric.TRUTH_WORDS  # of people, and not of a setup
        cells.append("" if same else change(metric, evaluation.everything.differences[criterion, metric]))
    table.add_row(name, *cells)
