"""Every limit of the flags just under and just over. The figures are written down here, not computed from a log."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from review_copilot.study.causes import FEW, FEWEST_RARE, MOST_SAID, MUCH_MORE, SURELY_DRIFT, date_of
from review_copilot.study.criterion_figures import confidence, times
from review_copilot.study.flags import EXCEPTION, Cause, Evidence, Flag, Gaps, Policy
from review_copilot.study.gap_counts import Digest, GapCounts, Shared, Submissions
from review_copilot.study.gaps import NEAR_DAYS, _elsewhere, _version_near, find_gaps
from review_copilot.study.pace import Visits
from review_copilot.study.rate_changes import Change
from review_copilot.study.table import Outcome

NOTHING = np.zeros(0, int)
GAP_COLUMNS = (
    "criterion", "reviewer", "day", "guideline", "model", "seen_by", "outcome", "touches", "target", "unclear", "count",
)  # fmt: skip


def digest_with(gap_counts: GapCounts, submissions: Submissions, *, criteria: int) -> Digest:
    return Digest(
        gap_counts=gap_counts,
        shared=Shared(NOTHING, NOTHING, NOTHING, NOTHING),
        submissions=submissions,
        added=np.zeros(criteria, int),
        visits=Visits(NOTHING, NOTHING, NOTHING, NOTHING),
        guidelines=("r1",),
        models=("m1",),
    )


def test_the_limits_are_those_that_the_documentation_explains() -> None:
    rules = Policy()
    assert (EXCEPTION, SURELY_DRIFT, MOST_SAID, MUCH_MORE, NEAR_DAYS) == (3.0, 5.0, 6.0, 2.0, 3)
    assert (FEW, FEWEST_RARE) == (15, 3)
    assert (rules.effect, rules.touch_effect, rules.missed_effect, rules.bar) == (0.1, 0.2, 0.05, 1 / 3)
    assert (rules.alpha, rules.decided) == (0.02, 0.7)


def test_confidence_is_the_posterior_with_one_in_five_at_first() -> None:
    assert confidence(0.0) == pytest.approx(0.2)
    assert confidence(math.log(4)) == pytest.approx(0.5)
    assert times(1000.0) == pytest.approx(math.exp(600.0))


def test_days_are_dates() -> None:
    """Day 20 000 is 2024-10-04."""
    assert date_of(20000) == "2024-10-04"


@pytest.mark.parametrize(
    ("log_e", "day", "elsewhere"),
    [(3.001, 20014, True), (2.999, 20014, False), (9.0, 20013, False), (9.0, 19987, False), (9.0, 19986, True)],
)
def test_a_change_surely_lies_elsewhere_than_a_version(log_e: float, day: int, *, elsewhere: bool) -> None:
    """Between days 19 990 and 20 010, three days more on either side."""
    change = Change(log_e, 9.0, 20000, 19990, 20010, 0.1, 0.5)
    assert _elsewhere(change, day) is elsewhere


@pytest.mark.parametrize(("day", "rank"), [(19998, None), (19999, 1), (20005, 1), (20006, None)])
def test_a_drift_coincides_with_a_version_within_three_days(day: int, rank: int | None) -> None:
    evidence = Evidence(
        9,
        3,
        0.3,
        0.1,
        0.6,
        0.1,
        0.2,
        9.0,
        changed_on=date_of(20002),
        changed_from=date_of(20002),
        changed_to=date_of(20002),
    )
    flag = Flag(Cause.DRIFT, ("PQ-01",), 0.9, "", evidence)
    assert _version_near(flag, np.array([19000, day])) == rank
    assert _version_near(replace(flag, cause=Cause.AMBIGUOUS), np.array([19000, day])) is None


class TestFindGaps:
    """Eight criteria and six people; the rates are written down, and nobody shares a suggestion."""

    CRITERIA = tuple(f"PQ-{number:02d}" for number in range(1, 9))
    PEOPLE = ("ada", "bob", "cid", "dot", "eli", "eve")

    def digest(self, without: frozenset[str], *, eve: int, high: int, uncovered: int = 0) -> Digest:
        """40 reviews of each criterion by each person; 4 overridden, `high` of the first, `eve` by the last."""
        cells = []
        for c in range(8):
            for r, name in enumerate(self.PEOPLE):
                overridden = eve if name == "eve" else high if c == 0 else 4
                if name not in without:
                    cells += [(c, r, Outcome.REJECTED, overridden), (c, r, Outcome.KEPT, 40 - overridden)]
        criterion, reviewer, outcome, count = np.array(cells, int).T
        same = np.zeros(len(cells), int)
        gap_counts = GapCounts(
            criterion=criterion,
            reviewer=reviewer,
            day=same,
            guideline=same,
            model=same,
            seen_by=same + 1,
            outcome=outcome,
            touches=same,
            target=same - 1,
            unclear=same,
            count=count,
            criteria=self.CRITERIA,
            reviewers=self.PEOPLE,
        )
        six = np.ones(6, int)
        submissions = Submissions(np.arange(6), 0 * six, 100 * six, uncovered * six, 0 * six, np.zeros(6), 600)
        return digest_with(gap_counts, submissions, criteria=8)

    def found(self, *, eve: int = 4, high: int = 4, uncovered: int = 0) -> tuple[Gaps, list[frozenset[str]]]:
        asked: list[frozenset[str]] = []

        def count(without: frozenset[str]) -> Digest:
            asked.append(without)
            return self.digest(without, eve=eve, high=high, uncovered=uncovered)

        return find_gaps(count), asked

    def test_nothing_is_flagged_by_nature_and_counted_once(self) -> None:
        gaps, asked = self.found()
        assert (gaps.flags, asked) == ((), [frozenset()])
        assert [o.criterion for o in gaps.outlooks] == [s.criterion for s in gaps.standings] == list(self.CRITERIA)

    def test_a_criterion_is_flagged_and_has_no_outlook(self) -> None:
        gaps, asked = self.found(high=24)
        assert [(f.cause, f.criteria) for f in gaps.flags] == [(Cause.MODEL_WRONG, ("PQ-01",))]
        assert asked == [frozenset()]
        assert [o.criterion for o in gaps.outlooks] == list(self.CRITERIA[1:])
        assert gaps.flags[0].evidence.reviews == 240

    def test_a_person_is_flagged_and_criteria_are_judged_by_the_others(self) -> None:
        gaps, asked = self.found(eve=24, high=24)
        assert {(f.cause, f.criteria, f.evidence.reviewer) for f in gaps.flags} == {
            (Cause.REVIEWER, (), "eve"),
            (Cause.MODEL_WRONG, ("PQ-01",), None),
        }
        assert asked == [frozenset(), frozenset({"eve"})]
        (wrong,) = (f for f in gaps.flags if f.criteria)
        assert (wrong.evidence.reviews, wrong.evidence.overridden) == (200, 120)

    def test_what_is_known_of_the_rest_is_known_by_the_others(self) -> None:
        gaps, _ = self.found(eve=24)
        assert [(f.cause, f.evidence.reviewer) for f in gaps.flags] == [(Cause.REVIEWER, "eve")]
        assert {(s.reviews, s.overridden) for s in gaps.standings} == {(200, 20)}

    def test_the_most_certain_comes_first(self) -> None:
        gaps, _ = self.found(eve=24, high=24, uncovered=30)
        confidences = [flag.confidence for flag in gaps.flags]
        assert {flag.cause for flag in gaps.flags} == {Cause.REVIEWER, Cause.MODEL_WRONG, Cause.UNCOVERED}
        assert confidences == sorted(confidences, reverse=True)
        assert len(set(confidences)) > 1

    def test_novel_patterns_are_flagged_where_nothing_was_suggested(self) -> None:
        whole = self.digest(frozenset(), eve=4, high=4, uncovered=30)
        nothing = {field: getattr(whole.gap_counts, field)[:0] for field in GAP_COLUMNS}
        digest = replace(whole, gap_counts=replace(whole.gap_counts, **nothing))
        assert [flag.cause for flag in find_gaps(lambda _: digest).flags] == [Cause.UNCOVERED]
