"""Planted causes are found and named; nothing is found where nothing is wrong. The worlds are simulated."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from review_copilot.study.flags import Cause, Flag
from review_copilot.study.gap_counts import digest
from review_copilot.study.gaps import find_gaps
from review_copilot.study.project_study import Study, study
from review_copilot.study.table import OverrideTable, table_of
from study_rows import logged_rows
from study_second_world import Planted, SecondPlan, make_second
from study_world import CAUSES, Plan, Truth, make_world

CRITERIA = tuple(f"PQ-{i:02d}" for i in range(1, 9))


@cache
def world(cause: str, *, seed: int = 1, rate: float = 0.5, tasks: int = 800) -> tuple[OverrideTable, Truth]:
    made = make_world(Plan(seed=seed, cause=cause, rate=rate, tasks=tasks, criteria=CRITERIA, criterion_width=0.25))
    return table_of(logged_rows(made)), made.truth


@cache
def studied(cause: str) -> Study:
    return study(world(cause)[0])


def flags_of(table: OverrideTable) -> tuple[Flag, ...]:
    return find_gaps(lambda without: digest(table, without)).flags


@pytest.mark.parametrize("cause", [Cause(c) for c in CAUSES if c != "reviewer"])
def test_a_planted_cause_is_found_and_nothing_else(cause: Cause) -> None:
    table, truth = world(cause)
    assert [(f.cause, set(f.criteria)) for f in flags_of(table)] == [(cause, set(truth.criteria))]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_planted_reviewer_is_found_and_named(seed: int) -> None:
    """Half of these accept everything in seconds, the others override what all others confirm."""
    table, truth = world(Cause.REVIEWER, seed=seed)
    assert [(f.cause, f.evidence.reviewer) for f in flags_of(table)] == [(Cause.REVIEWER, truth.reviewer)]


@pytest.mark.parametrize("seed", [1, 2])
def test_several_causes_in_one_project_do_not_hide_each_other(seed: int) -> None:
    """Half of the criteria are no children of nature, one person is odd, and a pattern is new."""
    plants = tuple(Planted(cause, 0.7) for cause in CAUSES)
    made, truths = make_second(SecondPlan(seed, plants, criteria=tuple(f"PQ-{i:02d}" for i in range(1, 14))))
    planted = {(t.cause, frozenset(t.criteria), t.reviewer or None) for t in truths}
    found = {(f.cause, frozenset(f.criteria), f.evidence.reviewer) for f in flags_of(table_of(logged_rows(made)))}
    assert found == planted


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_flagged_where_nothing_is_wrong(seed: int) -> None:
    assert flags_of(world("", seed=seed)[0]) == ()


def test_looking_every_day_raises_no_false_alarm() -> None:
    table, _ = world("", seed=2)
    for day in np.unique(table.time_s // 86400)[2::4].tolist():
        assert flags_of(table.where(table.time_s < day * 86400)) == ()


@pytest.mark.parametrize("cause", [Cause(c) for c in CAUSES])
def test_every_flag_leads_to_tasks_and_three_typical_cases(cause: Cause) -> None:
    table, _ = world(cause)
    known = set(table.task.tolist())
    for flag in studied(cause).flags:
        assert set(flag.tasks) <= known
        assert len(flag.tasks) >= 3
        assert len({case.task for case in flag.cases}) == 3
        assert all(case.why.endswith(".") for case in flag.cases)


def test_a_drift_names_its_date_with_an_interval() -> None:
    _, truth = world(Cause.DRIFT)
    evidence = studied(Cause.DRIFT).flags[0].evidence
    assert truth.at is not None
    assert evidence.changed_from is not None
    assert evidence.changed_to is not None
    assert evidence.changed_from <= truth.at.date().isoformat() <= evidence.changed_to


def test_few_reviews_say_that_they_are_not_enough() -> None:
    table, _ = world("", seed=0)
    early = table.where(table.task <= 60)
    outlooks = find_gaps(lambda without: digest(early, without)).outlooks
    assert len(outlooks) == len(CRITERIA)
    assert all(o.more_reviews > 0 and o.words == "Not enough reviews yet." for o in outlooks)
    late = find_gaps(lambda without: digest(table, without)).outlooks
    assert sum(o.more_reviews for o in late) < sum(o.more_reviews for o in outlooks)


def test_an_empty_log_says_nothing() -> None:
    gaps = find_gaps(lambda _: digest(table_of([])))
    assert (gaps.flags, gaps.outlooks, gaps.standings) == ((), (), ())


def test_q_is_small_for_the_planted_criterion_only() -> None:
    table, truth = world(Cause.MODEL_WRONG)
    standings = find_gaps(lambda without: digest(table, without)).standings
    assert {s.criterion for s in standings if s.q < 0.05} == set(truth.criteria)
    assert all(s.rate_low <= s.overridden / s.reviews <= s.rate_high for s in standings)


def test_a_reviewer_who_is_alone_is_not_compared() -> None:
    """With two people one cannot say which of them is the odd one."""
    table, truth = world(Cause.REVIEWER, seed=2)
    pair = [
        table.reviewers.index(truth.reviewer),
        next(i for i, n in enumerate(table.reviewers) if n != truth.reviewer),
    ]
    assert all(f.cause is not Cause.REVIEWER for f in flags_of(table.where(np.isin(table.reviewer, pair))))
