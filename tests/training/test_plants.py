"""The plants that the built-in inspector is fitted and judged by, and the fit of strengths."""

from __future__ import annotations

import zlib
from itertools import pairwise

import cv2
import numpy as np

from accuracy import tasks, tasks_that_show
from fit_strengths import STRENGTHS, fit_strength
from photo_inspector.scoring.calibration import Curve, Term
from pictures import facade
from plant_whole import shows_lean, turned
from samples import Sample


def test_lean_shows_where_straight_edges_are_level_and_nowhere_else() -> None:
    assert shows_lean(facade())
    assert not shows_lean(turned(facade(), 6, cubic=True)), "it leans already"
    assert not shows_lean(np.full((200, 200, 3), 128, np.uint8))
    grain = np.random.default_rng(1).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    assert not shows_lean(cv2.GaussianBlur(grain, (0, 0), 6))  # type: ignore[arg-type]  # OpenCV's stubs


def test_tilt_is_planted_in_any_photograph_and_once_more_where_it_shows() -> None:
    plain = ("plain", np.full((200, 200, 3), 128, np.uint8))
    photos = [("facade", facade()), plain]
    assert {name for name, _, recipe, _ in tasks(photos, 4) if recipe == "tilt"} == {"facade", "plain"}
    assert {(name, recipe) for name, _, recipe, _ in tasks_that_show(photos, 4)} == {("facade", "tilt")}
    assert not tasks_that_show([plain], 4)


def test_what_is_worse_by_every_number_is_never_called_the_lesser_flaw() -> None:
    """Even where the examples, taken alone, would bend a curve back."""
    rng = np.random.default_rng(zlib.crc32(b"strength"))
    names = STRENGTHS["noise"]
    examples = []
    for grain in rng.uniform(0, 4, 200):
        told = {name: grain + rng.normal(0, 0.1) for name in names}
        strength = float(np.exp((grain - 1) ** 2 / 4 + rng.normal(0, 0.05)))
        examples.append(Sample("", "", "noise", strength, told, {}))
    fitted = fit_strength("noise", examples)
    terms = fitted["terms"]
    assert isinstance(terms, list)
    curve = Curve(float(str(fitted["bias"])), tuple(Term(str(t[0]), *(float(v) for v in t[1:])) for t in terms))
    rising = [curve.sum(dict.fromkeys(names, level)) for level in np.linspace(-1, 5, 60)]
    assert all(after >= before - 1e-4 for before, after in pairwise(rising))
    assert rising[-1] - rising[0] > 0.5
