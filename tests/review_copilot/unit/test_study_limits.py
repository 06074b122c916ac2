"""Formulas and limits of the study's figures, with numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from review_copilot.study.box_agreement import LEAST_IOU, box_agreement, pair_boxes
from review_copilot.study.calibration import BINS, calibration, calibration_of, count_scores
from review_copilot.study.gap_counts import Shared
from review_copilot.study.grouped_sums import added
from review_copilot.study.rates import Share, difference, discoveries, percent, q_values, share_of, wilson
from review_copilot.study.ties import log_said_unclear, pooled_tie, review_weights, tie_of


class TestCalibration:
    """Five scores: .22 (kept) and .28 (not) in the third bin; .71 and .75 (kept) and .79 (not) in the eighth."""

    SCORE = np.array([0.22, 0.28, 0.71, 0.75, 0.79])
    KEPT = np.array([True, False, True, True, False])

    def test_the_error_is_the_sum_over_bins_and_not_the_greatest(self) -> None:
        """Third bin: |.5 - 1| = .5; eighth: |2.25 - 2| = .25; over five suggestions .15."""
        assert calibration(self.SCORE, self.KEPT).ece == pytest.approx(0.15)

    def test_brier_is_the_mean_squared_difference(self) -> None:
        """(.78² + .28² + .29² + .25² + .79²) / 5."""
        found = calibration(self.SCORE, self.KEPT)
        assert found.brier == pytest.approx((0.6084 + 0.0784 + 0.0841 + 0.0625 + 0.6241) / 5)

    def test_the_base_rate_is_what_a_score_without_knowledge_would_get(self) -> None:
        """Three of five kept: .6 x .4."""
        assert calibration(self.SCORE, self.KEPT).base_brier == pytest.approx(0.24)

    def test_each_bin_has_its_own_mean_share_and_interval(self) -> None:
        found = calibration(self.SCORE, self.KEPT)
        third, eighth = found.bins[2], found.bins[7]
        assert (third.low, third.high, third.count) == (0.2, 0.3, 2)
        assert (third.mean_score, third.kept) == pytest.approx((0.25, 0.5))
        assert (eighth.count, eighth.mean_score, eighth.kept) == pytest.approx((3, 0.75, 2 / 3))
        assert (eighth.kept_low, eighth.kept_high) == wilson(2, 3)
        empty = found.bins[5]
        assert (empty.count, empty.kept_low, empty.kept_high) == (0, 0.0, 1.0)
        assert math.isnan(empty.mean_score)
        assert math.isnan(empty.kept)
        assert (found.count, len(found.bins), BINS) == (5, 10, 10)

    @pytest.mark.parametrize(
        ("score", "place"), [(0.0, 0), (0.0999, 0), (0.1, 1), (0.9, 9), (0.8999, 8), (1.0, 9), (1.7, 9), (-0.5, 0)]
    )
    def test_a_bin_begins_at_its_lower_end_and_the_last_holds_one(self, score: float, place: int) -> None:
        found = calibration(np.array([score]), np.array([True]))
        assert [b.count for b in found.bins].index(1) == place
        assert found.bins[place].mean_score == min(1.0, max(0.0, score))

    def test_scores_without_a_number_do_not_count(self) -> None:
        found = calibration(np.array([np.nan, 0.5]), np.array([True, False]))
        assert (found.count, found.ece, found.brier, found.base_brier) == (1, 0.5, 0.25, 0.0)

    def test_nothing_is_nothing(self) -> None:
        found = calibration(np.zeros(0), np.zeros(0, bool))
        assert (found.count, len(found.bins)) == (0, 10)
        assert math.isnan(found.ece)
        assert math.isnan(found.brier)
        assert math.isnan(found.base_brier)

    def test_parts_add_up_whatever_the_groups(self) -> None:
        parts = [count_scores(np.full(1, i), self.SCORE[[i]], self.KEPT[[i]]) for i in range(5)]
        assert repr(calibration_of(added(parts))) == repr(calibration(self.SCORE, self.KEPT))


class TestShares:
    """Wilson's and Newcombe's intervals, and false discovery rates."""

    def test_wilson_of_one_in_two(self) -> None:
        """With z² = 3.8415, middle (.5 + .9604) / 2.9207 = .5; half 1.96 / 2.9207 x sqrt(.125 + .2401) = .4055."""
        assert wilson(1, 2) == pytest.approx((0.0945, 0.9055), abs=5e-5)

    @pytest.mark.parametrize(("yes", "of", "expected"), [(0, 5, 0.0), (5, 5, 1.0)])
    def test_wilson_stays_in_bounds(self, yes: int, of: int, expected: float) -> None:
        assert wilson(yes, of)[yes > 0] == pytest.approx(expected)

    def test_wilson_of_one_in_one(self) -> None:
        """From 1 / (1 + 3.8415) to 1."""
        assert wilson(1, 1) == pytest.approx((1 / 4.841459, 1.0))

    def test_wilson_of_another_confidence(self) -> None:
        """One z at .6827: middle (.5 + .25) / 1.5, half 1 / 1.5 x sqrt(.125 + .0625)."""
        half = math.sqrt(0.1875) / 1.5
        assert wilson(1, 2, confidence=0.6826894921) == pytest.approx((0.5 - half, 0.5 + half))

    @pytest.mark.parametrize("of", [0, -1])
    def test_without_trials_anything_may_be(self, of: int) -> None:
        assert wilson(0, of) == (0.0, 1.0)

    def test_a_share_carries_its_counts(self) -> None:
        low, high = wilson(3, 4)
        assert share_of(3, 4) == Share(3, 4, 0.75, low, high)
        assert math.isnan(share_of(0, 0).rate)

    @pytest.mark.parametrize(("of", "before_of"), [(0, 3), (3, 0)])
    def test_a_change_from_or_to_nothing_is_unknown(self, of: int, before_of: int) -> None:
        change, low, high = difference(0, of, before_yes=0, before_of=before_of)
        assert math.isnan(change)
        assert (low, high) == (-1.0, 1.0)

    def test_q_values_never_exceed_one_and_never_fall(self) -> None:
        """.8 x 2 / 1 is bounded by .9 x 2 / 2, which is the greatest."""
        assert q_values(np.array([0.9, 0.8])).tolist() == pytest.approx([0.9, 0.9])
        assert q_values(np.array([1.0])).tolist() == [1.0]
        assert q_values(np.array([1.0, 1.5])).max() == 1.0

    @pytest.mark.parametrize(("e", "found"), [(20.0, True), (19.99, False)])
    def test_a_single_e_value_is_a_discovery_from_one_over_alpha(self, e: float, *, found: bool) -> None:
        assert discoveries(np.log(np.array([e])), alpha=0.05 + 1e-12).tolist() == [found]

    def test_the_last_that_is_enough_takes_the_stronger_ones_with_it(self) -> None:
        """Of three at .1: the second best must reach 3 / (.1 x 2) = 15, and takes the best along."""
        assert discoveries(np.log(np.array([15.1, 1.0, 29.0])), alpha=0.1).tolist() == [True, False, True]

    def test_from_one_trial_on_a_change_is_known(self) -> None:
        assert difference(1, 1, before_yes=0, before_of=1)[0] == 1.0

    @pytest.mark.parametrize(
        ("share", "words"),
        [
            (0.0, "0 %"),
            (0.0094, "0.9 %"),
            (0.0095, "1 %"),
            (0.125, "12 %"),
            (1.0, "100 %"),
            (0.0004, "0.0 %"),
            (0.00949, "0.9 %"),
            (0.00846, "0.8 %"),
        ],
    )
    def test_percent_is_in_tenths_under_one(self, share: float, words: str) -> None:
        assert percent(share) == words


def shared(*cells: tuple[int, int, int, int]) -> Shared:
    """Cells of (criterion, seen by, overrode, count)."""
    criterion, seen_by, overrode, count = np.array(cells).reshape(-1, 4).T
    return Shared(criterion, seen_by, overrode, count)


class TestTies:
    """How people who saw the same suggestions agree."""

    def test_pooled_by_moments(self) -> None:
        """20 pairs, 16 of 40 overrode: expected 5 + 20 x 2 x .4 x .6 = 14.6; differing 2.5 + 4 = 6.5."""
        found = pooled_tie(shared((0, 2, 1, 4), (0, 2, 2, 6), (0, 2, 0, 10)), 1)
        assert found == pytest.approx(1 - 6.5 / 14.6)

    def test_pooled_over_criteria_each_by_its_own_share(self) -> None:
        """All of the first override, none of the second: nothing was expected to differ, so one half remains."""
        assert pooled_tie(shared((0, 2, 2, 500), (1, 2, 0, 500)), 3) == 0.5
        apart = pooled_tie(shared((0, 2, 1, 4), (0, 2, 2, 6), (0, 2, 0, 10)), 1)
        assert pooled_tie(shared((2, 2, 1, 4), (2, 2, 2, 6), (2, 2, 0, 10)), 3) == apart

    def test_pooled_of_three_people(self) -> None:
        """Ten seen by three, of whom one overrode: p = 1/3; 5 + 10 x 6 x 2/9 against 2.5 + 10 x 1 x 2."""
        assert pooled_tie(shared((0, 3, 1, 10)), 1) == pytest.approx(max(0.0, 1 - 22.5 / (5 + 120 / 9)))
        assert pooled_tie(shared((0, 3, 1, 2), (0, 3, 3, 4), (0, 3, 0, 4)), 1) == pytest.approx(
            1 - (2.5 + 2 * 1 * 2) / (5 + 10 * 6 * (14 / 30) * (16 / 30))
        )

    def test_pooled_is_kept_from_the_ends(self) -> None:
        assert pooled_tie(shared((0, 2, 0, 500), (0, 2, 2, 500)), 1) == 0.95
        assert pooled_tie(shared((0, 2, 1, 100)), 1) == 0.0

    def test_what_one_review_counts(self) -> None:
        assert review_weights(0.5, 3).tolist() == pytest.approx([1.0, 1.0, 2 / 3, 0.5])

    def test_said_unclear_by_the_beta_binomial(self) -> None:
        """Once of once, where half is usual: .5 against 1.5 / 4; half and half of both against the usual."""
        assert log_said_unclear(1, of=1, elsewhere=0.5) == pytest.approx(math.log((0.5 + 0.375) / 2 / 0.5))
        # Never of once, where a quarter is usual: .75 against 2.5 / 4.
        assert log_said_unclear(0, of=1, elsewhere=0.25) == pytest.approx(math.log((0.75 + 0.625) / 2 / 0.75))
        # Twice of twice, where half is usual: (10 x 11) / (20 x 21) against (1.5 x 2.5) / (4 x 5).
        assert log_said_unclear(2, of=2, elsewhere=0.5) == pytest.approx(
            math.log((110 / 420 + 3.75 / 20) / 2 / (110 / 420))
        )

    @pytest.mark.parametrize(
        "cells", [((0, 2, 1, 3), (0, 2, 2, 2)), ((0, 3, 0, 4), (0, 3, 2, 1), (0, 2, 0, 2)), ((0, 4, 3, 1),)]
    )
    def test_the_tie_of_a_criterion_is_its_posterior_mean(self, cells: tuple[tuple[int, int, int, int], ...]) -> None:
        """Summed out over the same grid by plain arithmetic."""

        def fit(tie: float) -> float:
            total = 0.0
            for p in np.linspace(0.02, 0.98, 49).tolist():
                likelihood = 1.0
                for _, m, k, n in cells:
                    alone = math.comb(m, k) * p**k * (1 - p) ** (m - k)
                    together = p if k == m else 1 - p if k == 0 else 0.0
                    likelihood *= (tie * together + (1 - tie) * alone) ** n
                total += likelihood
            return total

        ties = np.linspace(0.01, 0.99, 50).tolist()
        fits = [fit(tie) for tie in ties]
        loose = [(1 - t) ** 4 for t in ties]  # Beta(1, 5) but for its constant
        tight = [t**3 * (1 - t) ** 0.5 for t in ties]  # Beta(4, 1.5)

        def mean_under(prior: list[float]) -> float:
            return sum(f * w for f, w in zip(fits, prior, strict=True)) / sum(prior)

        found = tie_of(shared(*cells, (1, 2, 1, 99)), 0)
        assert found.tie == pytest.approx(sum(t * f for t, f in zip(ties, fits, strict=True)) / sum(fits))
        assert found.log_loose == pytest.approx(math.log(mean_under(loose) / mean_under(tight)))
        assert found.suggestions == sum(n for *_, n in cells)
        assert found.disputed == sum(n for _, m, k, n in cells if 0 < k < m)

    def test_without_shared_suggestions_the_prior_remains(self) -> None:
        found = tie_of(shared(), 0)
        assert (found.suggestions, found.disputed) == (0, 0)
        assert found.log_loose == pytest.approx(0.0)
        assert found.tie == pytest.approx(0.5)


class TestBoxes:
    """Boxes of x, y, width, height; F1 is twice the pairs over the chances."""

    @staticmethod
    def f1(
        *boxes: tuple[int, int, int, tuple[float, float, float, float]], seen_by: int = 2, criteria: int = 1
    ) -> tuple[list[float], list[float]]:
        task, annotation, criterion = np.array([b[:3] for b in boxes]).T
        places = np.array([b[3] for b in boxes])
        made, chances = pair_boxes(
            task, annotation, criterion, places, seen_by=np.full(len(boxes), seen_by), criteria=criteria
        )
        return made.tolist(), chances.tolist()

    @pytest.mark.parametrize(("height", "pairs"), [(0.25, 1.0), (0.249, 0.0), (0.251, 1.0)])
    def test_a_pair_is_made_from_an_overlap_of_one_half(self, height: float, pairs: float) -> None:
        whole, part = (0.0, 0.0, 0.5, 0.5), (0.0, 0.0, 0.5, height)
        assert self.f1((1, 1, 0, whole), (1, 2, 0, part)) == ([pairs], [2.0])
        assert LEAST_IOU == 0.5

    def test_neither_another_task_nor_another_criterion_nor_ones_own_box_is_a_pair(self) -> None:
        here = (0.1, 0.1, 0.2, 0.2)
        assert self.f1((1, 1, 0, here), (2, 2, 0, here), criteria=2)[0] == [0.0, 0.0]
        assert self.f1((1, 1, 0, here), (1, 2, 1, here), criteria=2)[0] == [0.0, 0.0]
        assert self.f1((1, 1, 0, here), (1, 1, 0, here))[0] == [0.0]
        assert self.f1((1, 1, 1, here), (1, 2, 1, here), criteria=2) == ([0.0, 1.0], [0.0, 2.0])

    def test_a_box_is_paired_once_for_each_other_annotation(self) -> None:
        """Three people mark one place: three pairs; each box had two chances."""
        here = (0.1, 0.1, 0.2, 0.2)
        made, chances = self.f1(*((1, person, 0, here) for person in (1, 2, 3)), seen_by=3)
        assert (made, chances) == ([3.0], [6.0])
        assert box_agreement(np.array(made), np.array(chances)).overall == 1.0

    def test_the_best_overlap_is_paired_first(self) -> None:
        """A's only box fits B's second best; B's best one is left, as A's box is taken."""
        own, best, second = (0.0, 0.0, 0.4, 0.4), (0.0, 0.0, 0.4, 0.39), (0.0, 0.0, 0.4, 0.3)
        other = (0.0, 0.0, 0.4, 0.28)
        boxes = ((1, 1, 0, own), (1, 1, 0, other), (1, 2, 0, best), (1, 2, 0, second))
        assert self.f1(*boxes)[0] == [2.0]

    def test_the_best_pair_is_made_even_where_two_worse_ones_could_be(self) -> None:
        """Overlaps: .95 of the first two, .55 of each with the other's second, .15 of the second two."""
        one, other = (0.0, 0.0, 0.4, 0.4), (0.0, 0.0, 0.4, 0.38)
        boxes = ((1, 1, 0, one), (1, 1, 0, (0.0, 0.16, 0.4, 0.24)), (1, 2, 0, other), (1, 2, 0, (0.0, 0.0, 0.4, 0.22)))
        assert self.f1(*boxes)[0] == self.f1(*boxes[::-1])[0] == [1.0]

    def test_two_boxes_that_lost_their_best_are_paired_in_the_end(self) -> None:
        """.975 of the first two; the second ones overlap them by .87 and .75, and each other by .6."""
        one, other = (0.0, 0.0, 0.4, 0.4), (0.0, 0.0, 0.39, 0.4)
        boxes = ((1, 1, 0, one), (1, 1, 0, (0.0, 0.0, 0.34, 0.4)), (1, 2, 0, other), (1, 2, 0, (0.1, 0.0, 0.3, 0.4)))
        assert self.f1(*boxes)[0] == self.f1(*boxes[::-1])[0] == [2.0]

    def test_a_box_that_lost_its_best_takes_the_next(self) -> None:
        """B's box is best for A's first; A's second keeps a pair of its own."""
        wide, half, narrow = (0.0, 0.0, 0.4, 0.4), (0.0, 0.0, 0.4, 0.36), (0.0, 0.0, 0.4, 0.22)
        boxes = ((1, 7, 0, wide), (1, 7, 0, narrow), (1, 9, 0, half), (1, 9, 0, (0.0, 0.0, 0.4, 0.2)))
        assert self.f1(*boxes)[0] == [2.0]
        crossed = ((1, 7, 0, narrow), (1, 9, 0, half), (1, 7, 0, wide))
        assert self.f1(*crossed) == ([1.0], [3.0])

    def test_pairs_are_counted_under_their_own_criterion_in_any_order(self) -> None:
        """Two tasks, three people, two criteria; worked by hand: 3 pairs of the first, 1 of the second."""
        here, there = (0.1, 0.1, 0.2, 0.2), (0.6, 0.6, 0.2, 0.2)
        boxes = [
            *((1, person, 0, here) for person in (1, 2, 3)),
            (2, 4, 1, there),
            (2, 5, 1, there),
            (2, 5, 1, here),
            (2, 6, 0, there),
        ]
        for order in (boxes, boxes[::-1], boxes[3:] + boxes[:3]):
            assert self.f1(*order, seen_by=3, criteria=2)[0] == [3.0, 1.0]

    def test_the_share_is_of_the_chances_of_each_criterion(self) -> None:
        found = box_agreement(np.array([1.0, 2.0]), np.array([4.0, 16.0]))
        assert found.overall == pytest.approx(0.3)
        assert found.by_criterion == (0.5, 0.25)
        nobody = box_agreement(np.zeros(1), np.zeros(1))
        assert math.isnan(nobody.overall)
        assert math.isnan(nobody.by_criterion[0])
