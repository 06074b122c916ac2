"""The blind share."""

from __future__ import annotations

import pytest

from builders import task_key
from review_copilot.flows.blind_share import is_withheld

TASKS = [task_key(number) for number in range(1, 4001)]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 1.0])
def test_about_that_share_is_withheld(share: float) -> None:
    """Within four standard deviations of a binomial of 4 000."""
    found = sum(is_withheld(key, share=share) for key in TASKS)
    assert abs(found - share * 4000) <= 4 * (4000 * share * (1 - share)) ** 0.5


def test_the_choice_is_the_same_each_time_and_grows_with_the_share() -> None:
    few, more = ({key for key in TASKS if is_withheld(key, share=share)} for share in (0.1, 0.2))
    assert few == {key for key in TASKS if is_withheld(key, share=0.1)}
    assert few < more


def test_another_seed_chooses_others() -> None:
    one, other = ({key for key in TASKS if is_withheld(key, share=0.1, seed=seed)} for seed in ("a", "b"))
    assert len(one & other) < len(one) / 2
