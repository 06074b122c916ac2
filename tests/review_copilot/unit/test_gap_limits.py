"""Every limit of the flags just under and just over. The figures are written down here, not computed from a log."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from scipy.special import betainc, betaincinv, expit, logit

from review_copilot.study.confusion import LEAST_BACK, PAIR, both_ways, chance_of_way, confused_pairs
from review_copilot.study.criterion_figures import Figures, Stream, confidence, times
from review_copilot.study.flags import EXCEPTION, Cause, Flag, Gaps, Policy
from review_copilot.study.gap_counts import Digest, GapCounts, Shared, Submissions
from review_copilot.study.gaps import (
    MAYBE_DRIFT,
    MOST_SAID,
    MOSTLY,
    SURELY_DRIFT,
    _boost,
    _chance_of_severity,
    _criterion_flags,
    _date,
    _may_be_confused,
    _said_unclear,
    _Signs,
    _single,
    _stands_out,
    find_gaps,
)
from review_copilot.study.natural_variation import Contrast, contrast, log_likelihood
from review_copilot.study.rate_changes import Change
from review_copilot.study.rates import wilson
from review_copilot.study.table import Outcome
from review_copilot.study.ties import Tie, log_said_unclear

RULES = Policy()
NO_CHANGE = Change(-9.0, -9.0, 20000, 19990, 20010, 0.1, 0.5)
AGREED = Tie(suggestions=10, disputed=1, tie=0.8, log_loose=-3.0)
NOTHING = np.zeros(0, int)


def a_contrast(*, natural: float = 0.1, log_e: float = 5.0) -> Contrast:
    two = np.ones(2)
    return Contrast(
        log_e=log_e * two,
        log_bound=log_e * two,
        rate=0.5 * two,
        shrunken=0.1 * two,
        natural=natural * two,
        natural_high=0.2 * two,
        natural_low=0.05 * two,
        inside=np.zeros((2, 1)),
        outside=np.zeros((2, 1)),
    )


def a_stream(yes: float, *, of: float = 100.0, natural: float = 0.1) -> Stream:
    return Stream(
        np.array([[yes], [10.0]]), np.array([[of], [100.0]]), np.zeros(2), np.zeros(1), a_contrast(natural=natural)
    )


def a_quiet_stream() -> Stream:
    """Two changes of severity in a hundred, as is natural."""
    return replace(a_stream(2.0, natural=0.02), contrast=a_contrast(natural=0.02, log_e=0.0))


def some_counts(*cells: tuple[int, int, int, int]) -> Digest:
    """Cells of (criterion, outcome, target, count); one reviewer, one day."""
    criterion, outcome, target, count = np.array(cells, int).reshape(-1, 4).T
    same = np.zeros(len(cells), int)
    gap_counts = GapCounts(criterion, same, same, same + 1, outcome, target, same, count, ("PQ-01", "PQ-02"), ("ada",))
    shared = Shared(NOTHING, NOTHING, NOTHING, NOTHING)
    return Digest(gap_counts, shared, Submissions(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, np.zeros(0), 0))


FIGURES = Figures(
    names=("PQ-01", "PQ-02"),
    criteria=np.array([0, 1]),
    reviewers=np.array([0]),
    counts=some_counts((0, Outcome.KEPT, -1, 100)),
    any=a_stream(50.0),
    severity=a_stream(2.0, natural=0.02),
    rest=a_stream(48.0),
    log_e=np.array([6.0, 0.0]),
    log_bound=np.array([6.0, 0.0]),
    moves=np.zeros((2, 2)),
    total=np.array([100.0, 100.0]),
    reviews=np.array([100, 100]),
    overridden=np.array([50, 10]),
    severities=np.array([2, 0]),
    unclear=np.array([0, 0]),
    ties=(AGREED, AGREED),
    changes=(NO_CHANGE, NO_CHANGE),
)
HIGH = _Signs(drifted=False, high=True, vague=False, said=-0.5)


def cause_of(known: Figures, signs: _Signs, rules: Policy = RULES) -> Cause | None:
    flag = _single(known, 0, signs, rules)
    return flag.cause if flag else None


def changed(**fields: float) -> Figures:
    return replace(FIGURES, changes=(replace(NO_CHANGE, **fields), NO_CHANGE))  # type: ignore[arg-type]  # a test's own


class TestDrift:
    """A drift must be five times likelier than a rate that was always high; three times puts other causes off."""

    SIGNS = replace(HIGH, drifted=True)

    @pytest.mark.parametrize(("times_likelier", "cause"), [(5.001, Cause.DRIFT), (4.999, None), (3.001, None)])
    def test_is_called_one_from_five_times(self, times_likelier: float, cause: Cause | None) -> None:
        assert cause_of(changed(log_against_high=math.log(times_likelier)), self.SIGNS) is cause
        assert (SURELY_DRIFT, MAYBE_DRIFT) == (5.0, 3.0)

    @pytest.mark.parametrize(("times_likelier", "cause"), [(2.999, Cause.MODEL_WRONG), (3.001, None)])
    def test_that_may_be_one_puts_off_another_cause(self, times_likelier: float, cause: Cause | None) -> None:
        assert cause_of(changed(log_against_high=math.log(times_likelier)), self.SIGNS) is cause

    @pytest.mark.parametrize(
        ("after", "cause"), [(0.2001, Cause.DRIFT), (0.1999, None), (-0.0001, Cause.DRIFT), (0.0001, None)]
    )
    def test_moves_the_rate_by_the_effect_up_or_down(self, after: float, cause: Cause | None) -> None:
        known = changed(log_against_high=9.0, before=0.1, after=after)
        assert cause_of(known, self.SIGNS) is cause

    def test_needs_the_discovery(self) -> None:
        assert cause_of(changed(log_against_high=9.0), HIGH) is None

    def test_is_dated(self) -> None:
        """Day 20 000 is 2024-10-04."""
        flag = cast("Flag", _single(changed(log_against_high=9.0, log_e=2.0), 0, self.SIGNS, RULES))
        assert flag.summary == (
            "The override rate went from 10 % to 50 % about 2024-10-04 (between 2024-09-24 and 2024-10-14)."
        )
        evidence = flag.evidence
        assert (evidence.changed_on, evidence.changed_from, evidence.changed_to) == (
            "2024-10-04",
            "2024-09-24",
            "2024-10-14",
        )
        assert (evidence.rate_before, evidence.rate_after, evidence.overridden) == (0.1, 0.5, 50)
        assert evidence.times_likelier == pytest.approx(math.exp(2.0))
        assert flag.criteria == ("PQ-01",)
        assert flag.confidence == pytest.approx(expit(2.0 + math.log(0.25)))

    @pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
    def test_dates_are_in_utc_wherever_it_runs(self, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            assert (_date(0), _date(20000)) == ("1970-01-01", "2024-10-04")
        time.tzset()


class TestSeverity:
    """The share of the excess that changes the severity alone."""

    def test_is_judged_by_the_posterior_of_its_share(self) -> None:
        """40 beyond nature (50 - 10): six tenths, 24, and 2 natural ones of 50 overrides is a share of .52."""
        chance = _chance_of_severity(replace(FIGURES, severity=a_stream(30.0, natural=0.02)), 0, 40.0)
        assert chance == pytest.approx(1 - betainc(30.5, 20.5, 0.52))
        assert MOSTLY == 0.6

    def test_share_is_never_all(self) -> None:
        known = replace(FIGURES, any=a_stream(1.0), severity=a_stream(1.0, natural=0.5))
        assert _chance_of_severity(known, 0, 0.0) == pytest.approx(1 - betainc(1.5, 0.5, 0.99))

    @staticmethod
    def known(chance: float) -> Figures:
        """Figures in which that is the chance that most of the excess is severity."""
        low, high = 0.0, 50.0
        for _ in range(60):
            middle = (low + high) / 2
            less = _chance_of_severity(replace(FIGURES, severity=a_stream(middle, natural=0.02)), 0, 40.0) < chance
            low, high = (middle, high) if less else (low, middle)
        return replace(FIGURES, severity=a_stream(low, natural=0.02))

    @pytest.mark.parametrize(
        ("chance", "vague", "cause"),
        [
            (0.701, True, Cause.SEVERITY_VAGUE),
            (0.699, True, None),
            (0.699, False, None),
            (0.301, False, None),
            (0.299, False, Cause.MODEL_WRONG),
            (0.299, True, Cause.MODEL_WRONG),
        ],
    )
    def test_names_a_cause_only_when_decided(self, chance: float, *, vague: bool, cause: Cause | None) -> None:
        assert cause_of(self.known(chance), replace(HIGH, vague=vague)) is cause

    def test_alone_is_enough_and_neither_is_nothing(self) -> None:
        vague_only = _Signs(drifted=False, high=False, vague=True, said=0.0)
        assert cause_of(self.known(0.9), vague_only) is Cause.SEVERITY_VAGUE
        assert cause_of(self.known(0.2), vague_only) is None
        assert cause_of(self.known(0.9), replace(HIGH, high=False)) is None

    def test_flag_says_how_often(self) -> None:
        known = replace(self.known(0.9), severities=np.array([30, 0]))
        flag = cast("Flag", _single(known, 0, replace(HIGH, vague=True), RULES))
        assert flag.summary == "Reviewers change only the severity of 30 % of 100 suggestions; natural here is 2 %."
        assert flag.criteria == ("PQ-01",)
        assert flag.confidence == pytest.approx(expit(5.0 + math.log(0.25)))
        assert (flag.evidence.overridden, flag.evidence.natural) == (30, 0.02)


class TestConfused:
    """A confusion of two criteria goes both ways; what may be one puts another cause off."""

    @pytest.mark.parametrize(("moved", "cause"), [(20.01, None), (19.99, Cause.MODEL_WRONG)])
    def test_half_of_the_excess_may_be_one(self, moved: float, cause: Cause | None) -> None:
        """40 overrides beyond nature, of which half go to one other criterion; of the way back little is known."""
        known = replace(FIGURES, moves=np.array([[0.0, moved], [0.0, 0.0]]), total=np.array([100.0, 5.0]))
        assert cause_of(known, HIGH) is cause
        assert _may_be_confused(known, 0, 40.0) is (cause is None)

    @pytest.mark.parametrize(("of", "may_be"), [(44.0, True), (46.0, False)])
    def test_until_the_way_back_is_surely_rare(self, of: float, *, may_be: bool) -> None:
        """Nothing came back: Beta(.5, n + .5) is above .03 with a chance of .1 at about 45."""
        known = replace(FIGURES, moves=np.array([[0.0, 30.0], [0.0, 0.0]]), total=np.array([100.0, of]))
        assert (chance_of_way(known, 1, 0) > 0.1) is may_be
        assert _may_be_confused(known, 0, 40.0) is may_be

    def test_chance_of_nothing_tried_is_the_priors(self) -> None:
        """Jeffreys' prior is the arcsine law: 1 - 2 / pi x asin(sqrt(.03))."""
        known = replace(FIGURES, total=np.zeros(2))
        assert chance_of_way(known, 0, 1) == pytest.approx(1 - 2 / math.pi * math.asin(math.sqrt(0.03)))
        assert LEAST_BACK == 0.03

    def test_chance_looks_one_way(self) -> None:
        known = replace(FIGURES, moves=np.array([[0.0, 7.0], [2.0, 0.0]]), total=np.array([100.0, 50.0]))
        assert chance_of_way(known, 0, 1) == pytest.approx(1 - betainc(7.5, 93.5, 0.03))
        assert chance_of_way(known, 1, 0) == pytest.approx(1 - betainc(2.5, 48.5, 0.03))
        more_than_all = replace(known, moves=np.array([[0.0, 101.0], [0.0, 0.0]]))
        assert chance_of_way(more_than_all, 0, 1) == pytest.approx(1 - betainc(101.5, 0.5, 0.03))

    @pytest.mark.parametrize(("share", "both"), [(1.001, True), (0.999, False)])
    @pytest.mark.parametrize("weak", [0, 1])
    def test_each_way_must_be_sure_to_nine_tenths(self, share: float, weak: int, *, both: bool) -> None:
        """Of Beta(m + .5, n - m + .5) a tenth lies below .03: n for m = 5, by bisection."""
        low, high = 5.0, 1000.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if betaincinv(5.5, middle - 4.5, 0.1) > LEAST_BACK else (low, middle)
        total = np.array([20.0, 20.0])
        total[weak] = low / share
        known = replace(FIGURES, moves=np.array([[0.0, 5.0], [5.0, 0.0]]), total=total)
        assert both_ways(known, 0, 1) is both

    def test_is_flagged_with_its_numbers(self) -> None:
        counts = some_counts(
            (0, Outcome.RELABELLED, 1, 40),
            (1, Outcome.RELABELLED, 0, 30),
            (0, Outcome.KEPT, 1, 5),
            (0, Outcome.RELABELLED, 0, 3),
        )
        known = replace(FIGURES, counts=counts, moves=np.array([[0.0, 40.0], [30.0, 0.0]]))
        (flag,) = confused_pairs(known, RULES)
        assert (flag.cause, flag.criteria) == (Cause.CONFUSED, ("PQ-01", "PQ-02"))
        assert flag.summary == "Reviewers relabel PQ-01 as PQ-02 40 times and back 30 times."
        evidence = flag.evidence
        assert (evidence.there, evidence.back, evidence.overridden, evidence.reviews) == (40, 30, 70, 200)
        assert (evidence.rate, (evidence.rate_low, evidence.rate_high)) == (0.35, wilson(70, 200))
        assert flag.confidence > 0.9
        both = contrast(log_likelihood(np.array([[70.0]]), np.array([[200.0]])), effect=0.05, prior=PAIR)
        assert math.log(evidence.times_likelier) == pytest.approx(float(both.log_e[0]))
        assert 0 < evidence.natural < evidence.natural_high < 0.1
        assert logit(flag.confidence) == pytest.approx(math.log(evidence.times_likelier / 4), rel=1e-3)

    def test_is_none_where_it_goes_one_way_or_seldom(self) -> None:
        one_way = replace(FIGURES, moves=np.array([[0.0, 60.0], [0.0, 0.0]]))
        seldom = replace(FIGURES, moves=np.array([[0.0, 1.0], [1.0, 0.0]]))
        assert confused_pairs(one_way, RULES) == confused_pairs(seldom, RULES) == []

    def test_is_set_against_the_reviews_of_both(self) -> None:
        """8 and 8 of 60 and 40 stand out, of 250 and 150 they do not."""
        moves = np.array([[0.0, 8.0], [8.0, 0.0]])
        few, many = (replace(FIGURES, moves=moves, total=np.array(total)) for total in ([60.0, 40.0], [250.0, 150.0]))
        assert [flag.criteria for flag in confused_pairs(few, RULES)] == [("PQ-01", "PQ-02")]
        assert both_ways(few, 0, 1)
        assert confused_pairs(many, replace(RULES, alpha=0.5)) == []

    def test_must_be_a_discovery_too(self) -> None:
        known = replace(FIGURES, moves=np.array([[0.0, 8.0], [8.0, 0.0]]), total=np.array([60.0, 40.0]))
        assert confused_pairs(known, replace(RULES, alpha=1e-30)) == []

    def test_needs_two_criteria(self) -> None:
        assert confused_pairs(replace(FIGURES, names=("PQ-01",), moves=np.zeros((1, 1))), RULES) == []

    def test_each_criterion_is_in_one_pair_the_strongest(self) -> None:
        """A with B, C with D, and A with E a little less: E is left."""
        moves = np.zeros((5, 5))
        for one, two, count in ((0, 1, 40.0), (2, 3, 35.0), (0, 4, 30.0)):
            moves[one, two] = moves[two, one] = count
        known = replace(
            FIGURES,
            names=tuple("ABCDE"),
            criteria=np.arange(5),
            moves=moves,
            total=np.full(5, 100.0),
            reviews=np.full(5, 100),
            counts=some_counts((0, Outcome.RELABELLED, 1, 30)),
        )
        assert [flag.criteria for flag in confused_pairs(known, RULES)] == [("A", "B"), ("C", "D")]


class TestWrongOrAmbiguous:
    """Whether people agree about what they override."""

    @staticmethod
    def known(log_loose: float, *, shared: int = 10) -> Figures:
        tie = replace(AGREED, log_loose=log_loose, suggestions=shared)
        return replace(FIGURES, ties=(tie, replace(AGREED, suggestions=shared)))

    @pytest.mark.parametrize(
        ("ambiguous", "cause"),
        [
            (0.701, Cause.AMBIGUOUS),
            (0.699, None),
            (0.301, None),
            (0.299, Cause.MODEL_WRONG),
        ],
    )
    def test_is_named_from_seven_tenths(self, ambiguous: float, cause: Cause | None) -> None:
        assert cause_of(self.known(float(logit(ambiguous)) + 0.5), HIGH) is cause

    @pytest.mark.parametrize(("ambiguous", "cause"), [(0.501, Cause.AMBIGUOUS), (0.499, Cause.MODEL_WRONG)])
    def test_is_named_from_a_half_where_nobody_shares(self, ambiguous: float, cause: Cause) -> None:
        assert cause_of(self.known(float(logit(ambiguous)) + 0.5, shared=0), HIGH) is cause

    def test_said_unclear_adds_to_the_ties(self) -> None:
        assert cause_of(self.known(-1.0), replace(HIGH, said=4.0)) is Cause.AMBIGUOUS

    @pytest.mark.parametrize(("said", "added"), [(-0.5, 0.0), (5.9, 5.9), (6.0, 6.0), (6.1, 6.0)])
    def test_said_unclear_adds_six_to_the_evidence_at_most(self, said: float, added: float) -> None:
        flag = cast("Flag", _single(self.known(2.0), 0, replace(HIGH, said=said), RULES))
        assert flag.evidence.times_likelier == pytest.approx(math.exp(6.0 + added))
        assert flag.confidence == pytest.approx(confidence(6.0 + added) * expit(2.0 + said))
        assert MOST_SAID == 6.0

    def test_flags_say_what_was_seen(self) -> None:
        known = replace(self.known(-3.0), unclear=np.array([4, 0]))
        flag = cast("Flag", _single(known, 0, HIGH, RULES))
        assert flag.summary == (
            "Reviewers override 50 % of 100 suggestions and agree with each other; "
            "this project naturally shows 10 %, seldom above 20 %."
        )
        evidence = flag.evidence
        assert (evidence.shared, evidence.disputed, evidence.tie, evidence.unclear) == (10, 1, 0.8, 4)
        assert (evidence.reviews, evidence.overridden, evidence.rate) == (100, 50, 0.5)
        assert flag.criteria == ("PQ-01",)
        other = cast("Flag", _single(self.known(3.0), 0, HIGH, RULES))
        assert "suggestions and differ from each other;" in other.summary


class TestEvidence:
    """What adds up to a flag."""

    @pytest.mark.parametrize(("log_e", "out"), [(2.501, True), (2.5, False)])
    def test_stands_out_as_an_exception(self, log_e: float, *, out: bool) -> None:
        assert _stands_out(np.array([9.0]), np.array([log_e]), RULES).tolist() == [out]
        assert EXCEPTION == 2.5

    @pytest.mark.parametrize(("e", "out"), [(12.501, True), (12.499, False)])
    def test_stands_out_beyond_the_others(self, e: float, *, out: bool) -> None:
        """One in twelve and a half is eight in a hundred."""
        assert _stands_out(np.log(np.array([e])), np.array([9.0]), RULES).tolist() == [out]
        assert RULES.alpha == 0.08

    def test_said_unclear_is_set_against_the_others(self) -> None:
        """Of the first, 5 of 50; elsewhere (1 + 1) / (10 + 30). Of the second, 1 of 10; (5 + 1) / (50 + 30)."""
        found = _said_unclear(replace(FIGURES, unclear=np.array([5, 1])))
        assert found[0] == pytest.approx(log_said_unclear(5, of=50, elsewhere=0.05))
        assert found[1] == pytest.approx(log_said_unclear(1, of=10, elsewhere=0.075))

    @pytest.mark.parametrize(("yes", "boosted"), [(15.001, True), (14.999, False)])
    def test_said_unclear_counts_where_the_rate_is_up_by_half_the_effect(self, yes: float, *, boosted: bool) -> None:
        """Natural is .1, half of the effect .05, of 100 reviews."""
        found = _boost(replace(FIGURES, any=a_stream(yes)), np.array([3.0, 3.0]), RULES)
        assert found[0] == (pytest.approx(math.log((1 + math.exp(3.0)) / 2)) if boosted else 0.0)
        assert found[1] == 0.0

    def test_said_unclear_boosts_by_six_at_most(self) -> None:
        found = _boost(FIGURES, np.array([99.0, 0.0]), RULES)
        assert found[0] == pytest.approx(math.log((1 + math.exp(6.0)) / 2))

    def test_confidence_and_times_come_from_the_e_value(self) -> None:
        """One in five is no child of nature: even evidence leaves .2, four to one a half."""
        assert confidence(0.0) == pytest.approx(0.2)
        assert confidence(math.log(4.0)) == pytest.approx(0.5)
        assert times(math.log(7.0)) == pytest.approx(7.0)
        assert times(1000.0) == pytest.approx(math.exp(600.0))

    def test_nothing_reviewed_is_nothing_said(self) -> None:
        found = find_gaps(lambda _: some_counts())
        assert (found.flags, found.outlooks, found.standings) == ((), (), ())

    def test_the_policy_is_the_published_one(self) -> None:
        assert Policy(0.10, 0.08, 0.7, 0.05, 0.05) == RULES


class TestCriterionFlags:
    """From the evidence of all criteria to at most one flag for each."""

    QUIET = replace(FIGURES, log_e=np.zeros(2), log_bound=np.zeros(2), severity=a_quiet_stream())

    @staticmethod
    def causes(known: Figures) -> list[tuple[Cause, tuple[str, ...]]]:
        return [(flag.cause, flag.criteria) for flag in _criterion_flags(known, RULES)]

    def test_a_high_rate_is_flagged_and_a_natural_one_is_not(self) -> None:
        assert self.causes(self.QUIET) == []
        loud = replace(self.QUIET, log_e=np.array([6.0, 0.0]), log_bound=np.array([6.0, 0.0]))
        assert self.causes(loud) == [(Cause.MODEL_WRONG, ("PQ-01",))]

    @pytest.mark.parametrize(("e", "found"), [(16.67, True), (16.66, False)])
    def test_a_drift_is_a_discovery_at_twelve_in_a_hundred(self, e: float, *, found: bool) -> None:
        """Of two, the best must reach 2 / (1.5 x .08) = 16.67."""
        change = replace(NO_CHANGE, log_e=math.log(e), log_against_high=9.0)
        known = replace(self.QUIET, changes=(change, NO_CHANGE))
        assert self.causes(known) == ([(Cause.DRIFT, ("PQ-01",))] if found else [])

    @pytest.mark.parametrize("weak", ["log_e", "log_bound"])
    def test_said_unclear_boosts_both_kinds_of_evidence(self, weak: str) -> None:
        """40 of 50 overrides call the first one unclear: as good as an e-value of 200."""
        said = replace(self.QUIET, unclear=np.array([40, 0]))
        strong = replace(said, **{"log_e": np.full(2, 6.0), "log_bound": np.array([6.0, 0.0]), weak: np.zeros(2)})  # type: ignore[arg-type]  # fields of Figures
        assert self.causes(strong) == [(Cause.AMBIGUOUS, ("PQ-01",))]
        assert self.causes(said) == [(Cause.AMBIGUOUS, ("PQ-01",))]

    @staticmethod
    def vague(yes: float, *, log_e: float = 5.0) -> Figures:
        """So many of 12.5 overrides of the first change the severity alone, and all 10 of the second."""
        severity = Stream(
            np.array([[yes], [10.0]]),
            np.full((2, 1), 100.0),
            np.zeros(2),
            np.zeros(1),
            a_contrast(natural=0.02, log_e=log_e),
        )
        quiet = TestCriterionFlags.QUIET
        return replace(quiet, any=a_stream(12.5), severity=severity, overridden=np.array([12, 10]))

    @pytest.mark.parametrize(("yes", "found"), [(12.001, True), (11.999, False)])
    def test_severity_is_vague_from_the_effect_above_nature(self, yes: float, *, found: bool) -> None:
        """Natural is .02, the effect .1, of 100 reviews; the second has 10."""
        assert self.causes(self.vague(yes)) == ([(Cause.SEVERITY_VAGUE, ("PQ-01",))] if found else [])

    def test_severity_is_not_vague_without_evidence(self) -> None:
        assert self.causes(self.vague(12.4, log_e=0.0)) == []

    def test_a_pair_takes_its_criteria(self) -> None:
        known = replace(
            self.QUIET,
            log_e=np.full(2, 6.0),
            log_bound=np.full(2, 6.0),
            moves=np.array([[0.0, 40.0], [30.0, 0.0]]),
            counts=some_counts((0, Outcome.RELABELLED, 1, 40), (1, Outcome.RELABELLED, 0, 30)),
        )
        assert self.causes(known) == [(Cause.CONFUSED, ("PQ-01", "PQ-02"))]


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
            criterion, reviewer, same, same + 1, outcome, same - 1, same, count, self.CRITERIA, self.PEOPLE
        )
        six = np.ones(6, int)
        submissions = Submissions(np.arange(6), 0 * six, 100 * six, uncovered * six, 0 * six, np.zeros(6), 600)
        return Digest(gap_counts, Shared(NOTHING, NOTHING, NOTHING, NOTHING), submissions)

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
        digest = replace(some_counts(), submissions=self.digest(frozenset(), eve=4, high=4, uncovered=30).submissions)
        assert [flag.cause for flag in find_gaps(lambda _: digest).flags] == [Cause.UNCOVERED]
