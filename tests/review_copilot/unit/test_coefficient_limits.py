"""Limits of the coefficients of agreement and of changes over time, each from both sides."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from scipy.special import expit

from review_copilot.study.coefficients import cohen, fleiss, interval_of_patterns, krippendorff, unit_counts
from review_copilot.study.natural_variation import LOGITS, RATES, Prior, contrast, log_likelihood
from review_copilot.study.rate_changes import MOST_PERIODS, OUT_OF_NATURE, Change, changes, period_effects, periods
from review_copilot.study.table import Floats


class TestChanges:
    """Change points."""

    @pytest.mark.parametrize(("days", "made"), [(30, 30), (31, 30)])
    def test_days_stay_days_up_to_thirty(self, days: int, made: int) -> None:
        day = np.arange(days)[::-1]
        count = np.ones(days, int)
        count[3] += days == made  # one day more than the others, which puts no days together
        period, starts = periods(day, count)
        assert (len(starts), MOST_PERIODS) == (made, 30)
        assert period.max() == made - 1
        assert starts[0] == 0
        assert (np.diff(starts) > 0).all()
        if days == made:
            assert starts[period].tolist() == day.tolist()

    def test_periods_have_about_as_many_reviews_each(self) -> None:
        """Sixty days of one review each: two days a period, which begin at every other day."""
        period, starts = periods(np.arange(60), np.ones(60, int))
        assert starts.tolist() == list(range(0, 60, 2))
        assert period.tolist() == [d // 2 for d in range(60)]

    def test_a_day_of_many_reviews_begins_a_period(self) -> None:
        """The first ten of 1 039 reviews are less than a thirtieth; with the thousand, 29 of 30 parts are full."""
        count = np.ones(40, int)
        count[10] = 1000
        period, starts = periods(np.arange(40), count)
        assert starts.tolist() == [0, 10]
        assert period.tolist() == [0] * 10 + [1] * 30

    def test_the_last_day_counts_towards_the_periods(self) -> None:
        """Of 1 039 reviews a thirtieth is 34.6: days of one review each fill it with the thirty-sixth."""
        count = np.ones(40, int)
        count[-1] = 1000
        assert periods(np.arange(40), count)[1].tolist() == [0, 35, 39]

    @staticmethod
    def found(yes: list[float], of: list[float], *, effect: float = 0.1) -> Change:
        """The change of the first of five units; the others stay at 10 %."""
        steady = np.full(len(of), 0.1) * np.array(of)
        events = np.stack([np.array(yes), *[steady] * 4])[:, :, None]
        trials = np.stack([np.array(of)] * 5)[:, :, None]
        natural = contrast(log_likelihood(events.sum(axis=1), trials.sum(axis=1)), effect=effect, prior=Prior())
        starts = np.arange(len(of)) * 10
        return changes(events, trials, offsets=np.zeros(1), starts=starts, contrast=natural, effect=effect)[0]

    def test_a_plain_step_is_dated_and_sized(self) -> None:
        """10 % for four periods, then 60 %."""
        change = self.found([10, 10, 10, 10, 60, 60, 60], [100] * 7)
        assert (change.day, change.first_day, change.last_day) == (40, 40, 40)
        assert change.before == pytest.approx(0.1, abs=0.02)
        assert change.after == pytest.approx(0.6, abs=0.02)
        assert change.log_e > 50
        assert change.log_against_high > 50

    def test_a_rate_back_to_nature_is_a_change_too(self) -> None:
        change = self.found([60, 60, 60, 10, 10, 10, 10], [100] * 7)
        assert change.day == 30
        assert (change.before, change.after) == pytest.approx((0.6, 0.1), abs=0.02)
        assert change.log_e > 50
        assert OUT_OF_NATURE == 0.75

    def test_a_rate_that_stays_is_no_change(self) -> None:
        assert self.found([10] * 7, [100] * 7).log_e < -1

    def test_a_rate_that_was_always_high_is_told_from_a_change(self) -> None:
        assert self.found([60, 60, 60, 60, 60, 60, 80], [100] * 7).log_against_high < 6
        assert self.found([60] * 7, [100] * 7).log_e == -np.inf  # no two parts differ by 2.5 standard errors

    def test_a_day_that_is_not_known_well_has_a_wide_interval(self) -> None:
        change = self.found([0, 0, 1, 2, 3, 4, 4], [6] * 7)
        assert change.first_day < change.day < change.last_day

    def test_in_one_period_nothing_can_change(self) -> None:
        change = self.found([10], [100])
        assert (change.log_e, change.log_against_high) == (-np.inf, 0.0)
        assert (change.day, change.first_day, change.last_day) == (0, 0, 0)
        assert math.isnan(change.before)
        assert math.isnan(change.after)

    @pytest.mark.parametrize("offset", [0.0, 0.7])
    def test_the_evidence_is_the_ratio_of_marginal_likelihoods(self, offset: float) -> None:
        """Three periods, worked as sums over the grid of rates, without logarithms; the reviewer is so strict."""
        yes, of = np.array([1.0, 9.0, 7.0]), np.array([10.0, 10.0, 8.0])
        events = np.stack([yes, *[0.1 * of] * 4])[:, :, None]
        trials = np.stack([of] * 5)[:, :, None]
        natural = contrast(log_likelihood(events.sum(axis=1), trials.sum(axis=1)), effect=0.1, prior=Prior())
        change = changes(
            events, trials, offsets=np.array([offset]), starts=np.array([3, 5, 9]), contrast=natural, effect=0.1
        )[0]
        inside, outside = natural.inside[0], natural.outside[0]
        common = period_effects(events.sum(axis=2), trials.sum(axis=2))[0]
        seen = [expit(LOGITS + offset + common[i]) for i in range(3)]
        first, second, third = (seen[i] ** yes[i] * (1 - seen[i]) ** (of[i] - yes[i]) for i in range(3))
        apart = np.abs(RATES[None, :] - RATES[:, None])
        moves = RATES * (1 - RATES) * np.exp(-apart / 0.25) * (apart >= 0.1)
        moves /= moves.sum(axis=1, keepdims=True)

        def fit(early: Floats, late: Floats) -> float:
            away, back = (early * inside) @ moves @ late, (late * inside) @ moves @ early
            return float(0.75 * away + 0.25 * back)

        fits = [fit(first, second * third), fit(first * second, third)]
        changed, whole = sum(fits) / 2, first * second * third
        stayed = 0.8 * (inside * whole).sum() + 0.2 * (outside * whole).sum()

        def passing(within: Floats) -> float:
            return float((whole / within * inside) @ moves @ within)

        passed = (passing(first) + passing(second) + passing(first * second)) / 3
        stayed = 0.7 * stayed + 0.3 * passed
        assert change.log_e == pytest.approx(math.log(changed / stayed))
        assert change.log_against_high == pytest.approx(math.log(changed / (outside * whole).sum()))

        def mean(likelihood: Floats) -> float:
            weights = likelihood * np.gradient(RATES, LOGITS)
            return float((weights * RATES).sum() / weights.sum())

        assert fits[0] > fits[1]
        assert (change.before, change.after) == pytest.approx((mean(first), mean(second * third)))
        assert fits[0] / sum(fits) > 0.95
        assert (change.day, change.first_day, change.last_day) == (5, 5, 5)


class TestCoefficients:
    """Small tables, worked by hand."""

    def test_counts_of_units_are_in_the_order_of_their_numbers(self) -> None:
        assert unit_counts(np.array([7, 5, 7]), np.array([1, 0, 1]), levels=2).tolist() == [[1, 0], [0, 0], [0, 2]]
        assert unit_counts(np.array([900, 5]), np.array([1, 0]), levels=2).tolist() == [[1, 0], [0, 1]]
        assert unit_counts(np.zeros(0, int), np.zeros(0, int), levels=3).shape == (0, 3)

    def test_alpha_of_three_pairs(self) -> None:
        """aa, ab, bb: 2 of 6 values differ; by chance 3 x 3 x 2 / 30 = .6; 1 - .333 / .6 = 4/9."""
        assert krippendorff(np.array([[2, 0], [1, 1], [0, 2]])) == pytest.approx(4 / 9)

    def test_alpha_leaves_out_single_ratings(self) -> None:
        assert krippendorff(np.array([[2, 0], [1, 1], [0, 2], [1, 0]])) == pytest.approx(4 / 9)
        assert math.isnan(krippendorff(np.array([[1, 0], [0, 1]])))
        assert math.isnan(krippendorff(np.array([[2, 0], [2, 0]])))  # nothing varies, so nothing tells it from chance

    @pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "ratio"])
    def test_an_interval_lies_around_alpha_and_repeats_itself(
        self, metric: Literal["nominal", "ordinal", "interval", "ratio"]
    ) -> None:
        """Levels stand for 0, 10 and 11; nine units of six kinds, and one with a single rating."""
        patterns = np.array([[2, 0, 0], [1, 1, 0], [0, 2, 0], [0, 1, 1], [0, 0, 3], [1, 0, 1], [1, 0, 0]])
        often, values = np.array([2, 1, 2, 1, 2, 1, 1]), np.array([0.0, 10.0, 11.0])
        found = interval_of_patterns(patterns, often, metric=metric, values=values)
        assert found.value == pytest.approx(krippendorff(patterns.repeat(often, axis=0), metric=metric, values=values))
        assert found.low < found.value < found.high <= 1.0
        assert found.units == 9
        assert interval_of_patterns(patterns[::-1], often[::-1], metric=metric, values=values, seed=0) == found
        assert interval_of_patterns(patterns, often, metric=metric, values=values, seed=1) != found
        if metric in {"interval", "ratio"}:
            plain = interval_of_patterns(patterns, often, metric=metric)
            assert plain.value == pytest.approx(krippendorff(patterns.repeat(often, axis=0), metric=metric))
            assert (plain.value, plain.low) != (found.value, found.low)

    def test_replicates_are_measured_like_the_units(self) -> None:
        patterns, often = np.array([[2, 0, 0], [1, 1, 0], [0, 2, 0], [1, 0, 1], [0, 0, 2]]), np.array([3, 2, 3, 2, 3])
        values = np.array([1.0, 2.0, 9.0])
        metrics: tuple[Literal["nominal", "ordinal", "interval", "ratio"], ...] = (
            "nominal",
            "ordinal",
            "interval",
            "ratio",
        )
        lows = [interval_of_patterns(patterns, often, metric=metric, values=values).low for metric in metrics]
        plain = interval_of_patterns(patterns, often, metric="interval").low
        assert len({*lows, plain}) == 5

    def test_alpha_of_a_ratio(self) -> None:
        """Pairs 0-0, 0-1 and 1-3: ((a - b) / (a + b))² is 0, 1 and 1/4. Zero and zero are not apart."""
        found = krippendorff(np.array([[2, 0, 0], [1, 1, 0], [0, 1, 1]]), metric="ratio", values=np.array([0.0, 1, 3]))
        # Seen: 2 x (1 + .25); by chance (3 x 2 x 1 + 3 x 1 x 1 + 2 x 1 x .25) x 2 / 5.
        assert found == pytest.approx(1 - 2.5 / (19 / 5))

    def test_an_interval_of_nothing_is_unknown(self) -> None:
        found = interval_of_patterns(np.array([[1, 0]]), np.array([3]))
        assert np.isnan([found.value, found.low, found.high]).all()
        assert found.units == 0

    def test_cohen_of_a_two_by_two_table(self) -> None:
        """Agreed .7; by chance .5 x .6 + .5 x .4 = .5; kappa .4; chance alone would spread it wider."""
        table = np.array([[40.0, 10.0], [20.0, 30.0]])
        found = cohen(table)
        assert cohen(table, weights="linear") == cohen(table, weights="quadratic") == found
        assert (found.value, found.units) == pytest.approx((0.4, 100))
        assert found.low < found.value < found.high < 1.0
        # Fleiss, Cohen and Everitt: sqrt(sum - (k - c (1 - k))²) / ((1 - c) sqrt(n)), by hand for this table.
        spread = 0.4 * (1 - 1.1 * 0.6) ** 2 + 0.3 * (1 - 0.9 * 0.6) ** 2
        spread += 0.1 * (1.1 * 0.6) ** 2 + 0.2 * (0.9 * 0.6) ** 2
        error = math.sqrt(spread - (0.4 - 0.5 * 0.6) ** 2) / 0.5 / 10
        assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)

    def test_cohen_of_one_level_is_not_defined(self) -> None:
        assert math.isnan(cohen(np.array([[5.0, 0.0], [0.0, 0.0]])).value)
        assert cohen(np.array([[5.0, 0.0], [0.0, 0.0]])).units == 5
        assert cohen(np.zeros((2, 2))).units == 0
        nothing = cohen(np.zeros((2, 2)))
        assert np.isnan([nothing.value, nothing.low, nothing.high]).all()

    def test_unused_levels_change_the_weights_only_when_kept(self) -> None:
        """Two used levels of three: apart by 1 when dropped, by 1/2 when kept."""
        table = np.array([[3.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 0.0, 0.0]])
        assert cohen(table, weights="linear").value == pytest.approx(0.5)
        spread = np.array([[3.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 3.0]])
        # Seen: 9/12 equal, 2/12 one apart, 1/12 two apart. By chance: all margins are a third.
        assert cohen(spread, weights="linear").value == pytest.approx(1 - (2 / 24 + 1 / 12) / (4 / 9))
        assert cohen(spread, weights="quadratic").value == pytest.approx(1 - (2 / 48 + 1 / 12) / (1 / 3))
        kept = np.pad(spread, (0, 1))
        assert cohen(kept, weights="quadratic", drop_unused=False).value == pytest.approx(
            cohen(kept, weights="quadratic").value
        )
        assert cohen(table, weights="linear", drop_unused=False).value == pytest.approx(0.5)

    def test_fleiss_of_three_units(self) -> None:
        """Agreed (1 + 0 + 1) / 3; by chance 1/2; kappa 1/3."""
        found = fleiss(np.array([[2, 0], [1, 1], [0, 2]]))
        assert (found.value, found.units) == pytest.approx((1 / 3, 3))
        assert -1.0 <= found.low < found.value < found.high <= 1.0

    def test_perfect_agreement_on_few_units_is_uncertain(self) -> None:
        for found in (
            fleiss(np.array([[2, 0]] * 5 + [[0, 2]] * 5)),
            cohen(np.diag([5.0, 5.0])),
            interval_of_patterns(np.array([[2, 0], [0, 2]]), np.array([5, 5])),
        ):
            assert (found.value, found.high, found.units) == (1.0, 1.0, 10)
            assert found.low < 0.8

    @pytest.mark.parametrize(
        ("counts", "units"),
        [
            ([[1, 1], [1, 2]], 2),  # not as many ratings each
            ([[1, 0], [0, 1]], 2),  # one rating each
            ([[2, 0], [2, 0]], 2),  # one level only
            ([[0, 0]], 0),
        ],
    )
    def test_fleiss_is_not_always_defined(self, counts: list[list[int]], units: int) -> None:
        found = fleiss(np.array(counts))
        assert np.isnan([found.value, found.low, found.high]).all()
        assert found.units == units

    def test_fleiss_counts_equal_units_at_once(self) -> None:
        one_by_one = fleiss(np.array([[2, 0], [2, 0], [1, 1], [0, 2], [0, 0]]))
        assert fleiss(np.array([[2, 0], [1, 1], [0, 2], [0, 0]]), np.array([2, 1, 1, 5])) == one_by_one
