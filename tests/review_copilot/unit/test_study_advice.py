"""Advice names what a threshold costs, what a draft saves, and only words on which notes agree."""

from __future__ import annotations

import numpy as np
import pytest

from log_rows import a_row
from review_copilot.domain.guideline import UNCOVERED
from review_copilot.domain.override import LoggedOverride, OverrideKind
from review_copilot.library import load_guideline
from review_copilot.reports.lowest_score import lowest_score
from review_copilot.reports.study_advice import advice
from review_copilot.study.calibration import calibration
from review_copilot.study.cases import gather
from review_copilot.study.flags import Cause, Evidence, Flag
from review_copilot.study.pace import LeadTimes, time_saved
from review_copilot.study.patterns import novel_patterns
from review_copilot.study.project_study import study
from review_copilot.study.table import table_of

KEPT, REJECTED, ADDED = OverrideKind.UNTOUCHED, OverrideKind.REJECTED, OverrideKind.ADDED
GUIDELINE = load_guideline("photo-quality")
EVIDENCE = Evidence(
    reviews=90,
    overridden=40,
    rate=0.44,
    rate_low=0.35,
    rate_high=0.54,
    natural=0.1,
    natural_high=0.15,
    times_likelier=1e4,
)
WRONG = Flag(Cause.MODEL_WRONG, ("PQ-01",), 0.99, "", EVIDENCE)


def scored(*groups: tuple[float, int, int], criterion: str = "PQ-01", first: int = 1) -> list[LoggedOverride]:
    """For each group: its score, how many suggestions were rejected, and how many were kept."""
    kinds = [(score, kind) for score, no, yes in groups for kind in [REJECTED] * no + [KEPT] * yes]
    return [
        a_row(kind, task=n, annotation=n, criterion=criterion, score=score)
        for n, (score, kind) in enumerate(kinds, start=first)
    ]


def test_advice_names_a_lowest_score_and_what_it_costs_everywhere() -> None:
    rows = scored((0.25, 20, 2), (0.35, 18, 3), (0.8, 2, 45))
    rows += scored((0.25, 0, 7), (0.9, 0, 30), criterion="PQ-02", first=500)
    said = advice(WRONG, GUIDELINE, study(table_of(rows)))
    assert "Under a score of 0.4, reviewers reject 38 of 43." in said.action
    assert "`review-copilot project set --min-score 0.4`" in said.action
    assert "costs 12 suggestions" in said.action  # two and three of this criterion, seven of the other


def test_advice_says_when_no_lowest_score_helps() -> None:
    said = advice(WRONG, GUIDELINE, study(table_of(scored((0.25, 10, 12), (0.55, 20, 22), (0.85, 10, 12)))))
    assert "No lowest score clearly helps" in said.action


def test_advice_says_nothing_of_a_few_scores() -> None:
    few = advice(WRONG, GUIDELINE, study(table_of(scored((0.25, 20, 2), (0.8, 0, 7)))))
    assert few.action == advice(WRONG, GUIDELINE).action


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ((9, 0), (0, 40)),  # fewer than ten are dropped
        ((12, 10), (0, 40)),  # hardly more rejected than kept
        ((20, 2), (20, 20)),  # high scores are rejected more than half as often
        ((40, 2), (0, 0)),  # nothing would be left
    ],
)
def test_no_lowest_score_without_a_clear_gain(low: tuple[int, int], high: tuple[int, int]) -> None:
    counts = [(0.25, *low), (0.75, *high)]
    score = np.concatenate([np.full(no + yes, at) for at, no, yes in counts])
    kept = np.concatenate([np.arange(no + yes) >= no for _, no, yes in counts])
    assert lowest_score(calibration(score, kept), everything=calibration(score, kept)) is None


def times(drafted: list[float], undrafted: list[float]) -> LeadTimes:
    seconds, blind = np.array(drafted + undrafted), np.arange(len(drafted) + len(undrafted)) >= len(drafted)
    return LeadTimes(np.zeros(len(seconds), dtype=np.int32), seconds, ~blind, np.zeros(len(seconds), dtype=bool), blind)


def test_saved_time_is_the_difference_of_medians_with_its_interval() -> None:
    found = time_saved(times([20.0 + i for i in range(41)], [60.0 + i for i in range(41)]))
    assert found is not None
    assert (found.drafted_s, found.undrafted_s, found.saved_s) == (40.0, 80.0, 40.0)
    # Ranks of both medians: 20.5 -+ .98 sqrt(41), so 6 and 7 s to either side.
    assert (found.low_s, found.high_s) == pytest.approx((40 - np.hypot(6, 7), 40 + np.hypot(7, 6)))


def test_intervals_of_saved_time_hold_the_truth() -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        drafted, undrafted = (np.exp(random.normal(np.log(at), 0.6, 15)) for at in (30.0, 45.0))
        found = time_saved(times(drafted.tolist(), undrafted.tolist()))
        assert found is not None
        held += found.low_s <= 15.0 <= found.high_s
    assert held >= 0.92 * 400


def test_saved_time_needs_ten_of_each() -> None:
    assert time_saved(times([20.0] * 50, [30.0] * 9)) is None
    assert time_saved(times([20.0] * 9, [30.0] * 50)) is None


def test_a_flag_carries_what_reviewers_wrote_most() -> None:
    notes = ["soft hair"] * 3 + ["not a fault"] * 2 + ["fine", "ok", ""]
    rows = [a_row(REJECTED, task=n, annotation=n, note=note) for n, note in enumerate(notes, start=1)]
    (told,), _ = gather((WRONG,), (table_of(rows[:4]), table_of(rows[4:])))
    assert told.words == ("soft hair", "not a fault", "fine")


def test_a_draft_criterion_quotes_only_notes_that_agree() -> None:
    """Crops put the regions together. Three notes share a word; two others agree with nobody else."""
    random = np.random.default_rng(1)
    looks = np.concatenate([random.normal(0, 0.1, (30, 8)), random.normal(3, 0.1, (30, 8))])
    notes = ["stripes left", "stripes right", "stripes top", "zebra", "zebra"] + [""] * 55
    rows = [
        a_row(ADDED, task=n, annotation=n, criterion=UNCOVERED, note=note, days=n)
        for n, note in enumerate(notes, start=1)
    ]
    found = novel_patterns(table_of(rows), features=looks)
    assert {note for pattern in found for note in pattern.draft.flag_when} == set(notes[:3])
    silent = next(pattern for pattern in found if 60 in pattern.tasks)
    assert "name it yourself" in silent.draft.definition
