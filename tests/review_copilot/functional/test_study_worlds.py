"""Causes planted in projects that were simulated from the documented table alone are found and named."""

from __future__ import annotations

import pytest

from review_copilot.study.flags import Cause
from review_copilot.study.project_study import study
from study_worlds import excused, right, table_of_world
from worlds import WORLDS

PLANTED = [
    ("plain", 31, Cause.MISSED),
    ("versions", 32, Cause.MODEL_CHANGE),
    ("versions", 33, Cause.GUIDELINE_CHANGE),
    ("touching", 34, Cause.PLACE_VAGUE),
    ("touching", 35, Cause.WORDING_DISLIKED),
    ("rare", 36, Cause.RARE_POOLED),
    ("copying", 37, Cause.BULK_HOURS),
    ("copying", 38, Cause.FATIGUE),
    ("novel", 39, Cause.UNCOVERED),
    ("seasons", 40, Cause.DRIFT),
]


@pytest.mark.parametrize(("name", "seed", "cause"), PLANTED)
def test_a_planted_cause_is_found_and_nothing_false(name: str, seed: int, cause: Cause) -> None:
    world = WORLDS[name](seed, causes=[str(cause)])
    found = study(table_of_world(world))
    (truth,) = [truth for truth in world.truth if truth.cause == cause]
    assert any(right(flag, truth, found) for flag in found.flags)
    assert all(any(right(f, t, found) for t in world.truth) or excused(f, world) for f in found.flags)
    assert all(flag.tasks for flag in found.flags)


def test_a_project_in_which_everything_is_wrong_gets_an_answer() -> None:
    """What is usual there is learnt from the illness; the bar is not."""
    world = WORLDS["bad"](41, causes=[])
    flagged = {
        c for flag in study(table_of_world(world)).flags if flag.cause is Cause.MODEL_WRONG for c in flag.criteria
    }
    assert flagged == {c for truth in world.truth for c in truth.criteria}


@pytest.mark.parametrize("name", ["tiny", "seasons", "versions", "crowd"])
def test_nothing_is_flagged_where_nothing_is_wrong(name: str) -> None:
    assert study(table_of_world(WORLDS[name](42, clean=True))).flags == ()
