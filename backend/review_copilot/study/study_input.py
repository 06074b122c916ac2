"""The door of the study for a log of any origin: the documented override table and what may stand beside it.

    columns = LogColumns(...)                       # or reports.read_overrides.read_export("overrides.parquet").columns
    found = study_input(StudyInput(number_columns(columns), criteria={"PQ-01": CriterionText("Blur", "Out of focus.")}))
    print(as_json(found))

docs/override-export.md documents the table, docs/report.md what the study returns. Nothing here knows a database, a
Label Studio or a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from review_copilot.study.flags import Case, Policy
from review_copilot.study.project_study import Study, study
from review_copilot.study.table import Floats, OverrideTable


@dataclass(frozen=True)
class CriterionText:
    """What the guideline says of a criterion: its label, and its text."""

    label: str
    text: str = ""


@dataclass(frozen=True)
class StudyInput:
    """Everything that a study can use. Only the table is needed.

    Attributes:
        table: Current rows of one project, from `table.number_columns`.
        criteria: Id to label and text, in the order in which to list them; criteria of the table that are missing here
            come after.
        features: What the crop of each row of `table.uncovered` looks like, one vector a row, NaN where there is no
            crop; None for notes alone.
        gold: Ids of annotations that are the standard.
        picture: The address of a picture of a row, by row id; empty where there is none. None for no pictures.
        link: The address of a task, by task id. None for no links.
        policy: When to raise a flag.
    """

    table: OverrideTable
    criteria: Mapping[str, CriterionText] = field(default_factory=dict)
    features: Floats | None = None
    gold: frozenset[int] = frozenset()
    picture: Callable[[int], str] | None = None
    link: Callable[[int], str] | None = None
    policy: Policy = field(default_factory=Policy)


def study_input(given: StudyInput) -> Study:
    """Study what is given; the cases of flags carry its pictures and links."""
    found = study(
        given.table,
        policy=given.policy,
        criteria=tuple(given.criteria),
        gold=given.gold,
        features=given.features,
    )
    flags = tuple(replace(flag, cases=tuple(_shown(case, given) for case in flag.cases)) for flag in found.flags)
    return replace(found, flags=flags)


def _shown(case: Case, given: StudyInput) -> Case:
    return replace(
        case,
        picture=given.picture(case.row) if given.picture else "",
        link=given.link(case.task) if given.link else "",
    )
