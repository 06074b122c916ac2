"""Shares with their uncertainty, and many tests at once."""

from __future__ import annotations

import numpy as np
import pytest

from review_copilot.study.rates import difference, discoveries, q_values, wilson


def test_wilson_interval_is_the_published_one() -> None:
    """Newcombe (1998), table I: 81 of 263 gives .2553 to .3662; 0 of 20 gives 0 to .1611."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_nothing_tried_is_nothing_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_difference_interval_is_the_published_one() -> None:
    """Newcombe (1998), second paper, table II, case a by method 10: 56/70 - 48/80 = .2, .0524 to .3339."""
    assert difference(56, 70, before_yes=48, before_of=80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    assert q_values(np.array([0.01, 0.04, 0.03, 0.5])).tolist() == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert q_values(np.zeros(0)).tolist() == []


def test_one_e_value_must_pay_for_all_questions() -> None:
    log_e = np.log(np.array([79.0, 1.0, 1.0, 1.0]))
    assert not discoveries(log_e, alpha=0.05).any()
    assert discoveries(log_e + np.log(81 / 79), alpha=0.05).tolist() == [True, False, False, False]


def test_two_e_values_pay_for_each_other() -> None:
    assert discoveries(np.log(np.array([41.0, 41.0, 1.0, 1.0])), alpha=0.05).tolist() == [True, True, False, False]
    assert discoveries(np.zeros(0), alpha=0.05).tolist() == []
