"""Coefficients of agreement equal their published values."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from types import FrameType

import numpy as np
import pytest

from review_copilot.study.coefficients import (
    Metric,
    Weights,
    cohen,
    fleiss,
    interval_of_patterns,
    krippendorff,
    unit_counts,
)
from review_copilot.study.table import Ints
from study_coverage import TARGET, Case, covered

# One string for each rater, one digit for each unit, a dot where the rater gave none.
# Krippendorff's example of three coders, as Wikipedia gives it.
THREE_CODERS = ("....341211333", "1213343......", ".21344.211334")
# Krippendorff (2011), four observers and twelve units.
FOUR_OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
# Fleiss (1971), psychiatric diagnoses, as R's irr ships them.
DIAGNOSES = (
    "422521311511212311215221121215",
    "423521311542242311235421421235",
    "423523334544244311435444421435",
    "453543334544344341455454421435",
    "453543534544344351455454425435",
    "455543544544345552455454545435",
)
# Anxiety ratings, as R's irr ships them.
ANXIETY = ("33345523522615221243", "36462424332333221334", "21443216111233113322")
# Two raters' cross table from the SAS documentation.
SAS = np.array([[0, 4, 1], [0, 8, 0], [0, 1, 5]])
# Wikipedia's example of Fleiss' kappa, fourteen raters.
FOURTEEN = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)


def counts_of(raters: tuple[str, ...]) -> Ints:
    rated = [(unit, int(mark) - 1) for row in raters for unit, mark in enumerate(row) if mark != "."]
    units, values = np.array(rated).T
    return unit_counts(units, values, levels=6)


@pytest.mark.parametrize(
    ("raters", "metric", "published"),
    [
        (THREE_CODERS, "nominal", 0.691),
        (THREE_CODERS, "interval", 0.811),
        (FOUR_OBSERVERS, "nominal", 0.743),
        (FOUR_OBSERVERS, "ordinal", 0.815),
        (FOUR_OBSERVERS, "interval", 0.849),
        (FOUR_OBSERVERS, "ratio", 0.797),
        (DIAGNOSES, "nominal", 0.433),
        (ANXIETY, "ordinal", 0.228),
        (ANXIETY, "nominal", -0.024),
    ],
)
def test_alpha_is_the_published_one(raters: tuple[str, ...], metric: Metric, published: float) -> None:
    alpha = krippendorff(counts_of(raters), metric=metric, values=np.arange(1.0, 7.0))
    assert round(alpha, 3) == published


@pytest.mark.parametrize(
    ("counts", "published"), [(counts_of(DIAGNOSES), 0.430), (FOURTEEN, 0.210)], ids=["diagnoses", "fourteen"]
)
def test_fleiss_kappa_is_the_published_one(counts: Ints, published: float) -> None:
    assert round(fleiss(counts).value, 3) == published


@pytest.mark.parametrize(("weights", "published"), [("none", 0.484), ("linear", 0.470)])
def test_cohens_kappa_is_the_published_one(weights: Weights, published: float) -> None:
    assert round(cohen(SAS, weights=weights).value, 3) == published


@pytest.mark.parametrize(("raters", "shares"), [(2, (0.9, 0.1)), (2, (0.5, 0.5)), (3, (0.6, 0.3, 0.1))])
@pytest.mark.parametrize("units", [10, 30])
def test_intervals_hold_the_truth_in_92_percent_of_small_samples(
    units: int, raters: int, shares: tuple[float, ...]
) -> None:
    """`benchmarks/study.py --only coverage` prints every case. A plain bootstrap covers 38 % of the second one here."""
    for name, held in covered(Case(units, raters, shares, 0.05), samples=100).items():
        assert held >= TARGET, name


@pytest.mark.parametrize(("weights", "published"), [("none", -0.006), ("linear", 0.146), ("quadratic", 0.252)])
def test_cohens_weights_go_by_the_rank_of_used_levels(weights: Weights, published: float) -> None:
    """Neither the second nor the third rater of the anxiety data ever says 5; R's irr drops it."""
    second, third = (np.array([int(mark) - 1 for mark in row]) for row in ANXIETY[1:])
    table = np.bincount(second * 6 + third, minlength=36).reshape(6, 6)
    assert round(cohen(table, weights=weights).value, 3) == published


def test_the_interval_holds_alpha_and_is_repeatable() -> None:
    counts = counts_of(DIAGNOSES)
    found = interval_of_patterns(*np.unique(counts, axis=0, return_counts=True))
    assert found.value == pytest.approx(krippendorff(counts))
    assert found.low < found.value < found.high
    assert found == interval_of_patterns(*np.unique(counts, axis=0, return_counts=True))


def test_alpha_is_unknown_without_a_unit_rated_twice() -> None:
    alone = unit_counts(np.array([1, 2, 3]), np.array([0, 1, 0]), levels=2)
    assert math.isnan(krippendorff(alone))
    assert interval_of_patterns(*np.unique(alone, axis=0, return_counts=True)).units == 0


def test_alpha_is_not_known_where_all_say_the_same() -> None:
    """Where nothing varies, agreement cannot be told from chance."""
    assert np.isnan(krippendorff(np.array([[3, 0], [2, 0]])))
    assert np.isnan(interval_of_patterns(np.array([[3, 0], [2, 0]]), np.array([4, 5])).value)


def test_units_far_apart_are_counted_like_units_in_a_row() -> None:
    far = unit_counts(np.array([5, 10**12, 5]), np.array([0, 1, 1]), levels=2)
    assert far.tolist() == [[1, 1], [0, 1]]


def calls_of(alpha: Callable[[], float]) -> int:
    """How many functions are called, Python's and C's; loops that numpy runs inside one call count once."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        alpha()
    finally:
        sys.setprofile(before)
    return calls


def test_a_million_ratings_take_as_many_calls_as_a_thousand() -> None:
    """No step is done rating by rating, or unit by unit."""
    rng = np.random.default_rng(0)
    few = rng.integers(0, 400, 10**3), rng.integers(0, 4, 10**3)
    many = rng.integers(0, 400_000, 10**6), rng.integers(0, 4, 10**6)
    of_few = calls_of(lambda: krippendorff(unit_counts(*few, levels=4)))
    of_many = calls_of(lambda: krippendorff(unit_counts(*many, levels=4)))
    assert of_few == of_many < 500
    assert abs(krippendorff(unit_counts(*many, levels=4))) < 0.01
