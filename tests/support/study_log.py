"""Write a simulated project into a store, as the sweep would have; several plants may be mixed into one project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from builders import a_review, a_suggestion
from review_copilot.domain.override import Comparison, LoggedOverride, SubmittedAnnotation
from review_copilot.domain.review import Exposure, ProjectKey, Review, TaskKey
from review_copilot.domain.suggestion import Usage
from review_copilot.flows.packed_log import reading_of_log
from review_copilot.ports import ColumnLog, Store
from review_copilot.study.joining import joined
from review_copilot.study.table import OverrideTable
from study_rows import PROVENANCE, logged_rows
from study_world import Plan, make_world

PHOTO = tuple(f"PQ-{i:02d}" for i in range(1, 16))
APART = 100_000
"""Between the task ids of two plants."""


def fill(store: Store, plans: Sequence[Plan], *, project: ProjectKey) -> None:
    """Simulate each plan with tasks of its own, all in one project."""
    for number, plan in enumerate(plans):
        rows = logged_rows(make_world(plan))
        shift = number * APART
        store.append_all(
            _comparison(list(group), project, shift) for _, group in groupby(rows, key=lambda row: row.annotation_id)
        )


def read_table(log: ColumnLog, project: ProjectKey) -> OverrideTable:
    """The current rows of a project at once."""
    return joined(list(reading_of_log(log, project).tables()))


def _comparison(rows: Sequence[LoggedOverride], project: ProjectKey, shift: int) -> Comparison:
    first = rows[0]
    annotation = SubmittedAnnotation(
        key=TaskKey(project, first.key.task_id + shift),
        annotation_id=first.annotation_id + shift,
        regions=(),
        author=first.author,
        editor=first.editor,
        created_at=first.created_at,
        updated_at=first.updated_at,
        lead_time_s=first.lead_time_s,
        content_hash=f"{first.annotation_id + shift}",
    )
    overrides = tuple(row.override for row in rows)
    return Comparison(annotation, overrides, PROVENANCE, (), exposure=first.exposure)


def drafts(project: ProjectKey) -> list[Review]:
    """One review of each kind that shows no suggestion, and one with a suggestion; each cost a cent."""
    usage = Usage(prompt_tokens=900, completion_tokens=100, cost_usd=0.01, calls=1)
    kinds = (Exposure.SHOWN, Exposure.SHOWN, Exposure.FAILED, Exposure.NOT_READY, Exposure.WITHHELD)
    made = []
    for number, exposure in enumerate(kinds, start=1):
        found = () if number == 2 else (a_suggestion(f"d{number}"),)
        review = a_review(f"draft-{number}", *found, key=TaskKey(project, number), exposure=exposure)
        made.append(replace(review, usage=usage))
    return made
