"""A study says only what is known: who agrees, who did the work, and what no criterion claims."""

from __future__ import annotations

import math

import numpy as np
import pytest

from log_rows import a_row
from review_copilot.domain.override import LoggedOverride, OverrideKind
from review_copilot.reports.study_words import agreement_basis
from review_copilot.study.agreement import FEWEST_BLIND, agreement
from review_copilot.study.gap_counts import digest
from review_copilot.study.people import last_of_each
from review_copilot.study.project_study import study
from review_copilot.study.study_json import as_json
from review_copilot.study.table import table_of

KEPT, REJECTED, ADDED = OverrideKind.UNTOUCHED, OverrideKind.REJECTED, OverrideKind.ADDED


def seen_by(people: tuple[str, ...], kinds: tuple[OverrideKind, ...], *, tasks: int) -> list[LoggedOverride]:
    return [
        a_row(kind, task=task, annotation=10 * task + n, reviewer=name)
        for task in range(1, tasks + 1)
        for n, (name, kind) in enumerate(zip(people, kinds, strict=True))
    ]


def test_somebody_who_reviews_twice_agrees_with_nobody() -> None:
    table = table_of(seen_by(("ada", "ada"), (KEPT, KEPT), tasks=20))
    assert not len(digest(table).shared.count)
    found = agreement(table)
    assert (found.tasks, found.headline.units) == (0, 0)
    assert math.isnan(found.headline.value)


def test_the_newest_answer_of_a_person_is_compared() -> None:
    rows = seen_by(("ada", "ada", "bob"), (REJECTED, KEPT, KEPT), tasks=8)
    shared = digest(table_of(rows)).shared
    assert (shared.seen_by.tolist(), shared.overrode.tolist(), shared.count.tolist()) == ([2], [0], [8])


def test_people_without_a_name_may_be_different_people() -> None:
    unit, reviewer = np.array([3, 3, 3, 3, 9]), np.array([0, 0, 1, 1, 1])
    assert last_of_each(unit, reviewer, ("", "ada")).tolist() == [0, 1, 3, 4]
    assert last_of_each(unit[:0], reviewer[:0], ()).tolist() == []


def test_the_headline_is_what_people_decided_and_not_regions_of_one_draft() -> None:
    """Ada keeps every second suggestion, Bob the others; both submit nearly all regions of the draft."""
    rows = []
    for task in range(1, 41):
        ada, bob = (KEPT, REJECTED) if task % 2 else (REJECTED, KEPT)
        rows += [a_row(ada, task=task, annotation=10 * task, reviewer="ada", suggestion_id=f"a{task}")]
        rows += [a_row(bob, task=task, annotation=10 * task + 1, reviewer="bob", suggestion_id=f"a{task}")]
        for n, name in enumerate(("ada", "bob")):
            rows += [a_row(task=task, annotation=10 * task + n, reviewer=name, criterion=f"PQ-{2 + task % 9:02d}")]
    found = agreement(table_of(rows))
    assert found.basis == "decision"
    assert found.headline == found.decision
    assert found.headline.value < 0.1
    assert found.overall.value > 0.5


@pytest.mark.parametrize(("tasks", "basis"), [(FEWEST_BLIND, "blind"), (FEWEST_BLIND - 1, "decision")])
def test_tasks_without_a_draft_are_the_headline_when_there_are_enough(tasks: int, basis: str) -> None:
    rows = seen_by(("ada", "bob"), (KEPT, KEPT), tasks=30)
    for task in range(100, 100 + tasks):
        for n, name in enumerate(("ada", "bob")):
            if task % 3:
                rows.append(a_row(ADDED, task=task, annotation=10 * task + n, reviewer=name, exposure="withheld"))
            else:
                rows.append(a_row(REJECTED, task=task, annotation=10 * task + n, reviewer=name, exposure="withheld"))
    found = agreement(table_of(rows))
    assert found.basis == basis
    assert (found.blind.value, found.blind_tasks) == (1.0, tasks)
    assert ("tasks without a draft" in agreement_basis(found)) == (basis == "blind")


def test_one_reviewer_with_most_of_the_work_is_named() -> None:
    rows = [a_row(task=t, annotation=t, reviewer="ada" if t > 4 else "bob") for t in range(1, 21)]
    found = study(table_of(rows)).busiest
    assert found is not None
    assert (found.reviewer, found.annotations) == ("ada", 16)
    assert study(table_of(rows[1:] + rows[:3])).busiest is not None
    assert study(table_of(rows[:19])).busiest is None  # 15 of 19 are less than 80 %
    assert study(table_of(rows[4:])).busiest is None  # one person does all the work there is


def test_regions_that_no_criterion_claims_are_counted() -> None:
    rows = [a_row(task=1, annotation=1), a_row(ADDED, task=2, annotation=2, criterion="")]
    rows += [a_row(REJECTED, task=3, annotation=3), a_row(OverrideKind.EDITED, task=4, annotation=4, criterion_to="")]
    found = study(table_of(rows))
    assert found.unclaimed == 2
    assert as_json(found)["counts"] == {"rows": 4, "tasks": 4, "annotations": 4, "skipped": 0, "unclaimed": 2}
