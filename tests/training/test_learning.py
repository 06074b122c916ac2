"""What was learned of ordinary photographs, and how it is learned."""

from __future__ import annotations

import numpy as np
import pytest

from fit_whole import NUMBERS
from photo_inspector.catalogue import MEASURES
from photo_inspector.pixels.frame import build_frame
from photo_inspector.scoring import features
from photo_inspector.scoring.likelihood import fitted_forest, likelihoods
from photo_inspector.scoring.measured import measure_whole
from photo_inspector.scoring.operating_points import least_score
from pictures import scene
from trees import Judge, Table, fit_trees, joined, platt


def test_black_and_white_pictures_carry_no_tint() -> None:
    gray = np.repeat(scene().mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    numbers = features.of_whole(measure_whole(build_frame(gray)))
    assert numbers["cast"] == pytest.approx(0, abs=0.05)
    assert likelihoods(numbers)["colour_cast"] < 0.3


def test_tilt_is_told_by_nothing_but_lean() -> None:
    """What turning a picture does to fine detail is no evidence of tilt."""
    forest = fitted_forest()
    trees = forest.root[forest.flaw == forest.flaws.index("tilt")]
    ends = [*forest.root, forest.asked.size]
    nodes = np.concatenate([np.arange(root, min(end for end in ends if end > root)) for root in trees])
    inner = nodes[forest.low[nodes] != nodes]
    spoken = {forest.numbers[index] for index in forest.asked[inner]}
    assert spoken <= set(NUMBERS["tilt"])
    assert all(name.startswith("lean") or name in {"level", "edges"} for name in spoken)


def test_each_measure_has_an_operating_point() -> None:
    """And so has softness of a part; an unknown name has none."""
    assert all(0 < least_score(name) < 1 for name in (*(m.name for m in MEASURES), "soft_patch"))
    with pytest.raises(KeyError):
        least_score("fiber")


def _toy(*, seed: int, name: str) -> Table:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (400, 2)).astype(np.float32)
    truth = (values[:, 0] ** 2 > 1).astype(np.float32)
    return Table((name, "noise"), values, truth, np.ones(400, np.float32), np.arange(400))


def test_trees_of_several_flaws_answer_together_as_they_do_alone() -> None:
    tables = {"first": _toy(seed=1, name="a"), "second": _toy(seed=2, name="b")}
    judges = {flaw: Judge(table.numbers, fit_trees(table), 0.7, 0.1) for flaw, table in tables.items()}
    forest = joined(judges, least=np.full(2, 0.5, np.float32))
    for a, b, noise in ((0.3, 2.0, 0.1), (-1.7, 0.0, -0.4), (1.1, -0.9, 2.0)):
        values = np.array([{"a": a, "b": b, "noise": noise}[name] for name in forest.numbers], np.float32)
        alone = [
            0.7 * float(judges[flaw].trees.decision_function(np.array([[own, noise]], np.float32))[0]) + 0.1
            for flaw, own in (("first", a), ("second", b))
        ]
        assert forest.odds(values) == pytest.approx(alone, abs=1e-4)
        assert [odd > 0 for odd in alone] == [a * a > 1, b * b > 1]


def test_odds_are_stretched_until_they_come_true() -> None:
    rng = np.random.default_rng(3)
    true_odds = rng.normal(0, 2, 4000)
    truth = (rng.random(4000) < 1 / (1 + np.exp(-true_odds))).astype(np.float32)
    slope, bias = platt(np.asarray(3 * true_odds + 1, np.float32), truth, np.ones(4000, np.float32))
    assert slope == pytest.approx(1 / 3, rel=0.15)
    assert bias == pytest.approx(-1 / 3, abs=0.12)
