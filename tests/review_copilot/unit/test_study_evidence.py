"""The parts that weigh evidence, on numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from review_copilot.study.alike_crops import adopted_by_looks, joined_by_looks
from review_copilot.study.flags import Cause, Policy
from review_copilot.study.habits import BREAK_S, habit_flags, sessions
from review_copilot.study.pace import Visits
from review_copilot.study.patterns import cluster
from review_copilot.study.pooling import pooled
from review_copilot.study.rate_changes import period_effects
from review_copilot.study.uncovered import log_recurs


def test_units_that_say_nothing_say_nothing_together() -> None:
    said = pooled(np.zeros(4))
    assert said.log_e == pytest.approx(0.0)
    assert said.affected == pytest.approx([0.5] * 4)  # every share is as likely
    assert pooled(np.zeros(0)).log_e == -math.inf


def test_weak_signs_add_up() -> None:
    """One Bayes factor of e**3 among nothing is little; five of them are much; a clear one is named alone."""
    one, five = pooled(np.array([3.0])), pooled(np.full(5, 3.0))
    shares = np.linspace(0.05, 0.95, 19)
    assert one.log_e == pytest.approx(math.log(np.mean(1 - shares + shares * math.exp(3.0))))
    assert five.log_e > 4 * one.log_e
    mixed = pooled(np.array([12.0, -4.0, -4.0]))
    assert mixed.affected[0] > 0.99
    assert mixed.affected[1:].max() < 0.05


@pytest.mark.parametrize(
    ("tasks", "others", "log_ratio"),
    [
        (6, 20, 6 * math.log(6) - 5.0),  # 20 others in 20 themes: one task alike by chance
        (10, 40, 10 * math.log(5) - 8.0),
        (5, 0, 5 * math.log(5 / 0.75) - 4.25),  # three quarters of a task at least
        (2, 40, 0.0),  # as often as chance
    ],
)
def test_a_pattern_recurs_more_often_than_single_things_are_alike(tasks: int, others: int, log_ratio: float) -> None:
    assert log_recurs(tasks, others=others) == pytest.approx(log_ratio)


def test_a_long_pause_ends_a_session() -> None:
    made = np.array([0, 60, 60 + BREAK_S, 61 + 2 * BREAK_S])
    session, place, length = sessions(made)
    assert session.tolist() == [0, 0, 0, 1]
    assert place.tolist() == [0, 1, 2, 0]
    assert length.tolist() == [3, 3, 3, 1]


def visits(late: float, *, hours: tuple[int, ...] = (9, 10, 19), each: int = 12, days: int = 20) -> Visits:
    """One person who overrides 3 of 10 by day, and a share of that in the evening."""
    rng = np.random.default_rng(0)
    made = [day * 86400 + hour * 3600 + i * 120 for day in range(days) for hour in hours for i in range(each)]
    chance = np.array([0.3 * (late if hour == 19 else 1.0) for _ in range(days) for hour in hours for _ in range(each)])
    overridden = (rng.random(len(made)) < chance).astype(np.int32)
    return Visits(np.zeros(len(made), dtype=np.int32), np.array(made), np.ones(len(made), dtype=np.int32), overridden)


def test_whoever_accepts_everything_in_the_evening_is_named_with_the_hours() -> None:
    (flag,) = habit_flags(visits(0.05), ("Ada",), Policy())
    assert flag.cause is Cause.BULK_HOURS
    assert flag.evidence.reviewer == "Ada"
    start, end = flag.evidence.hours or (0, 0)
    assert (19 - start) % 24 < (end - start) % 24
    assert habit_flags(visits(1.0), ("Ada",), Policy()) == []


def test_what_happens_to_all_criteria_at_once_is_an_effect_of_the_period() -> None:
    of = np.full((4, 3), 200.0)
    yes = of * np.array([0.1, 0.4, 0.1])[None, :]
    effects = period_effects(yes, of)
    assert (effects[:, 1] - effects[:, 0] > 1.0).all()
    alone = of * 0.1
    alone[0, 1] = 80.0  # one criterion alone: its own business
    assert abs(period_effects(alone, of)[0]).max() < 0.1


def test_clusters_whose_crops_look_the_same_are_one_and_adopt_what_looks_like_them() -> None:
    one, two = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    looks = np.stack([one] * 4 + [one] * 4 + [two] * 4 + [one, two, np.array([-1.0, 0.0])])
    seen = np.ones(len(looks), dtype=np.bool_)
    labels = np.array([0] * 4 + [1] * 4 + [2] * 4 + [-1, -1, -1])
    joined = joined_by_looks(looks, seen, labels)
    assert joined.tolist() == [0] * 8 + [1] * 4 + [-1] * 3
    assert adopted_by_looks(looks, seen, joined).tolist() == [0] * 8 + [1] * 4 + [0, 1, -1]


def test_words_about_the_guideline_put_nothing_together() -> None:
    """Templates such as "not covered: ..." hold everything together that has nothing in common."""
    strays = ["not covered: bubble wrap", "not covered: sawdust", "not covered: oil film", "not covered: ladder"]
    moire = ["moire on the shirt", "novel: moire pattern", "again moire on the shirt", "moire pattern, nothing fits"]
    eyes = ["red eyes", "novel: red eyes and pupils", "again red pupils", "red eyes, no criterion fits"]
    labels = cluster([*strays, *moire, *moire, *moire, *eyes, *eyes, *eyes]).tolist()
    assert labels[:4] == [-1] * 4
    assert {label for label in labels[4:16] if label >= 0}.isdisjoint(labels[16:])
    assert max(labels) >= 1
