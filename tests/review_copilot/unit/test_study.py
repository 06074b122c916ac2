"""The study as a whole: counts, agreement, calibration, patterns, bias and the JSON form."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from builders import NOON, a_provenance
from log_rows import a_row
from review_copilot.domain.guideline import UNCOVERED
from review_copilot.domain.override import Aspect, LoggedOverride, OverrideKind, Reason
from review_copilot.study.agreement import agreement
from review_copilot.study.bias import automation_bias
from review_copilot.study.box_agreement import box_agreement, pair_boxes
from review_copilot.study.calibration import calibration
from review_copilot.study.patterns import cluster, novel_patterns
from review_copilot.study.project_study import study
from review_copilot.study.study_json import as_json
from review_copilot.study.table import Outcome, OverrideTable, table_of


def outcome_of(row: LoggedOverride) -> Outcome:
    return Outcome(int(table_of([row]).outcomes()[0]))


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        (a_row(OverrideKind.UNTOUCHED), Outcome.KEPT),
        (a_row(OverrideKind.CONFIRMED, reasons=(Reason.AGREE,)), Outcome.KEPT),
        (a_row(OverrideKind.REJECTED), Outcome.REJECTED),
        (a_row(OverrideKind.EDITED, edits=(Aspect.CRITERION,), criterion_to="PQ-02"), Outcome.RELABELLED),
        (a_row(OverrideKind.EDITED, edits=(Aspect.SEVERITY, Aspect.PLACE)), Outcome.PLACE),
        (a_row(OverrideKind.EDITED, edits=(Aspect.SEVERITY, Aspect.RATIONALE)), Outcome.SEVERITY),
        (a_row(OverrideKind.EDITED, edits=(Aspect.RATIONALE,)), Outcome.TEXT),
        (a_row(OverrideKind.UNTOUCHED, reasons=(Reason.GUIDELINE_UNCLEAR,)), Outcome.MARKED),
    ],
)
def test_each_row_has_one_outcome(row: LoggedOverride, outcome: Outcome) -> None:
    assert outcome_of(row) is outcome


def test_rows_that_nobody_was_shown_or_that_are_about_magic_do_not_count_as_reviewed() -> None:
    rows = [a_row(), a_row(exposure="withheld"), a_row(OverrideKind.TAKEN), a_row(OverrideKind.ADDED)]
    assert table_of(rows).reviewed.tolist() == [True, False, False, False]


def test_uncovered_is_what_is_added_without_criterion_moved_to_novel_or_said() -> None:
    rows = [
        a_row(OverrideKind.ADDED, criterion=""),
        a_row(OverrideKind.ADDED, criterion=UNCOVERED),
        a_row(OverrideKind.ADDED, criterion="PQ-02"),
        a_row(OverrideKind.EDITED, edits=(Aspect.CRITERION,), criterion_to=UNCOVERED),
        a_row(OverrideKind.REJECTED, reasons=(Reason.NOT_COVERED,)),
        a_row(OverrideKind.REJECTED),
    ]
    assert table_of(rows).uncovered.tolist() == [True, True, False, True, True, False]


def test_a_review_counts_when_it_was_made_and_not_when_it_was_imported() -> None:
    assert table_of([a_row(days=2.0)]).time_s.tolist() == [(NOON + timedelta(days=2)).timestamp()]


def test_a_study_counts_what_became_of_each_criterion() -> None:
    rows = [a_row(task=t, annotation=t, days=t) for t in range(1, 9)]
    rows += [a_row(OverrideKind.REJECTED, task=9, annotation=9, reasons=(Reason.NOT_A_DEFECT,), days=9)]
    rows += [a_row(OverrideKind.ADDED, task=9, annotation=9, days=9)]
    found = study(table_of(rows), criteria=("PQ-00", "PQ-01"))
    assert [c.criterion for c in found.criteria] == ["PQ-00", "PQ-01"]
    one = found.criteria[1]
    assert (one.suggestions, one.overridden, one.added, one.reasons) == (9, 1, 1, (("not_a_defect", 1),))
    assert (found.tasks, found.annotations, [w.suggestions for w in found.weeks]) == (9, 9, [7, 2])


def test_a_study_sets_a_new_guideline_revision_beside_the_one_before() -> None:
    old = [a_row(OverrideKind.REJECTED, task=t, annotation=t) for t in range(1, 41)]
    newer = replace(a_provenance(), guideline_revision="bbb")
    new = [replace(a_row(task=t, annotation=t), provenance=newer) for t in range(41, 81)]
    change = study(table_of(old + new)).criteria[0].change
    assert change is not None
    assert (change.before, change.now, change.difference) == ("9f2c1a77aa01", "bbb", -1.0)
    assert change.high < -0.8


def test_revisions_that_overlap_or_come_out_of_order_are_told_by_when_they_were_in_use() -> None:
    """The newest is written first, as an export by task may have it, and one straggler reviews under the old one."""
    newer = replace(a_provenance(), guideline_revision="bbb")
    new = [replace(a_row(task=t, annotation=t, days=30 + t), provenance=newer) for t in range(1, 41)]
    old = [a_row(OverrideKind.REJECTED, task=t, annotation=100 + t, days=t / 2) for t in range(1, 41)]
    late = [a_row(OverrideKind.REJECTED, task=41, annotation=999, days=90)]
    change = study(table_of(new + old + late)).criteria[0].change
    assert change is not None
    assert (change.before, change.now, change.difference) == ("9f2c1a77aa01", "bbb", -1.0)


@pytest.mark.parametrize("rows", [[], [a_row()]], ids=["empty", "one row"])
def test_json_of_a_small_study_has_every_part_and_no_nan(rows: list[LoggedOverride]) -> None:
    written = json.dumps(as_json(study(table_of(rows))), allow_nan=False)
    assert {"flags", "novel_patterns", "agreement", "criteria"} <= set(json.loads(written))


def test_agreement_of_two_people_who_differ_on_one_task_of_four() -> None:
    rows = [a_row(task=t, annotation=10 * t, reviewer="ada") for t in range(1, 5)]
    rows += [a_row(task=t, annotation=10 * t + 1, reviewer="bob") for t in range(1, 4)]
    rows += [a_row(OverrideKind.REJECTED, task=4, annotation=41, reviewer="bob")]
    found = agreement(table_of(rows))
    one = found.criteria[0]
    assert (found.tasks, found.decision.units, one.presence.units) == (4, 4, 4)
    assert one.cohen is not None
    assert one.cohen.value == pytest.approx(0.0)
    assert one.box_f1 == pytest.approx(2 * 3 / 7)
    ada, bob = found.reviewers
    assert (ada.reviewer, ada.decisions, ada.compared, bob.compared) == ("ada", 4, 4, 4)
    assert bob.with_model < ada.with_model


def test_gold_annotations_are_the_standard_for_the_others() -> None:
    rows = [a_row(task=t, annotation=10 * t, reviewer="gold") for t in range(1, 5)]
    rows += [a_row(OverrideKind.REJECTED, task=t, annotation=10 * t + 1, reviewer="bob") for t in range(1, 5)]
    found = agreement(table_of(rows), gold=frozenset({10, 20, 30, 40}))
    assert {r.reviewer: (r.gold, r.with_gold) for r in found.reviewers}["bob"] == (4, 0.0)


def test_boxes_are_paired_once_by_falling_overlap() -> None:
    """One annotation has two boxes on the same place; the other has one: a pair is made once."""
    near, same = [0.1, 0.1, 0.2, 0.21], [0.1, 0.1, 0.2, 0.2]
    box = np.array([near, same, same])
    seen_by = np.full(3, 2)
    found = box_agreement(
        *pair_boxes(np.ones(3, int), np.array([1, 1, 2]), np.zeros(3, int), box, seen_by=seen_by, criteria=1)
    )
    assert found.overall == pytest.approx(2 / 3)
    assert found.by_criterion == (found.overall,)


def test_boxes_of_tasks_with_one_annotation_say_nothing() -> None:
    alone, nobody = np.array([1, 2]), np.ones(2, int)
    found = box_agreement(*pair_boxes(alone, alone, np.zeros(2, int), np.ones((2, 4)), seen_by=nobody, criteria=1))
    assert math.isnan(found.overall)


def test_calibration_of_scores_that_mean_what_they_say() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(20_000)
    good = calibration(score, rng.random(20_000) < score)
    assert good.ece < 0.02
    assert good.brier == pytest.approx(1 / 6, abs=0.01)
    assert good.brier < good.base_brier
    assert calibration(np.ones(4), np.array([True, False, True, False])).ece == 0.5
    assert calibration(np.array([np.nan]), np.array([True])).count == 0


def blind_and_shown() -> OverrideTable:
    shown = [a_row(task=t, annotation=t) for t in range(1, 101)]
    blind = [a_row(OverrideKind.REJECTED, task=t, annotation=t, exposure="withheld") for t in range(101, 151)]
    found = [a_row(OverrideKind.ADDED, task=t, annotation=t, exposure="withheld") for t in range(101, 126)]
    return table_of(shown + blind + found)


def test_blind_tasks_show_what_shown_ones_miss() -> None:
    bias = automation_bias(blind_and_shown())
    assert bias.missed_when_shown is not None
    assert bias.missed_when_shown.blind.rate == 0.5
    assert bias.missed_when_shown.low > 0.3
    assert bias.found_when_shown is not None
    assert bias.found_when_shown.high < -0.9
    assert sum(p.untouched.of for p in bias.by_pace) == 100


def test_patterns_are_put_together_by_their_words_and_named_by_them() -> None:
    rng = np.random.default_rng(1)
    words = (("moire", "stripes", "fabric", "ripple"), ("lamp", "ghost", "flare", "reflection"))
    notes = [(p, " ".join(rng.choice(words[p], size=3, replace=False))) for p in rng.integers(0, 2, 60).tolist()]
    rows = [
        a_row(OverrideKind.ADDED, task=i, annotation=i, criterion=UNCOVERED, note=note, days=i)
        for i, (_, note) in enumerate(notes, start=1)
    ]
    found = novel_patterns(table_of(rows))
    assert len(found) == 2
    assert sum(p.size for p in found) == 60
    for pattern in found:
        assert set(pattern.words) in [set(w) for w in words]
        assert pattern.draft.label.lower() == pattern.name
        assert len(pattern.typical) == 3


def test_crops_tell_patterns_apart_where_nobody_wrote_a_word() -> None:
    rng = np.random.default_rng(1)
    looks = np.concatenate([rng.normal(0, 0.1, (30, 8)), rng.normal(3, 0.1, (30, 8))])
    labels = cluster([""] * 60, features=looks)
    assert len(set(labels[:30].tolist())) == len(set(labels[30:].tolist())) == 1
    assert labels[0] != labels[-1]


def test_too_few_are_no_pattern() -> None:
    assert novel_patterns(table_of([a_row(OverrideKind.ADDED, criterion=UNCOVERED, note="moire")])) == ()
