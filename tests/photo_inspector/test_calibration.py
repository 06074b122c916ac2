"""The fitted constants and what is made of them."""

from __future__ import annotations

import numpy as np
import pytest

from photo_inspector.catalogue import MEASURES
from photo_inspector.pixels.frame import build_frame
from photo_inspector.scoring import features
from photo_inspector.scoring.calibration import Curve, Surface, Term, strength
from photo_inspector.scoring.judge_whole import read_whole
from photo_inspector.scoring.likelihood import likelihoods
from photo_inspector.scoring.measured import measure_whole
from photo_inspector.wording import place_of, rationale
from pictures import blurred, scene
from review_copilot.domain.geometry import Box


def test_a_curve_weighs_values_and_squares_within_what_the_fit_saw() -> None:
    curve = Curve(1.0, (Term("a", 2.0, 0.5, -1.0, 3.0),))
    assert curve.sum({"a": 2.0}) == pytest.approx(1 + 4 + 2)
    assert curve.sum({"a": 99.0}) == curve.sum({"a": 3.0})


def test_a_surface_weighs_values_and_products_within_what_the_fit_saw() -> None:
    """1 + 2 a + 3 b + a b, with b held to at most 2."""
    surface = Surface(
        ("a", "b"),
        np.array([-9.0, -9.0]),
        np.array([9.0, 2.0]),
        1.0,
        np.array([2.0, 3.0]),
        np.array([[0, 1.0], [0, 0]]),
    )
    assert surface.sums([{"a": 1.0, "b": 1.0}, {"a": 2.0, "b": 50.0}]).tolist() == [7.0, 15.0]


def test_every_measurement_of_the_whole_picture_gives_one_reading() -> None:
    readings = read_whole(measure_whole(build_frame(scene())), saved_quality=None)
    names = [reading.measure for reading in readings]
    local = {"clipped_highlights", "crushed_shadows", "border", "overlay", "dust", "scratch"}
    assert sorted(names) == sorted(m.name for m in MEASURES if m.name not in local)
    assert all(0 <= reading.score <= 1 for reading in readings)


def test_more_blur_is_likelier_and_stronger() -> None:
    """How strong it is, is asked only where it is likely."""
    sigmas = (0.6, 1.5, 2.0, 3.0, 4.0)
    numbers = [features.of_whole(measure_whole(build_frame(blurred(scene(), sigma_px=s)))) for s in sigmas]
    likely = [likelihoods(n)["defocus"] for n in numbers]
    strong = [strength("defocus", n) for n in numbers[1:]]
    assert likely[0] < 0.3
    assert min(likely[1:]) > 0.5
    assert strong == sorted(strong)


def test_a_file_saved_at_low_quality_says_so() -> None:
    readings = read_whole(measure_whole(build_frame(scene())), saved_quality=12)
    (found,) = [r for r in readings if r.measure == "compression"]
    assert found.score > 0.9
    assert found.strength == 88
    assert "quality 12" in found.text


def test_one_tone_is_an_empty_frame_and_nothing_else() -> None:
    readings = read_whole(measure_whole(build_frame(np.full((240, 320, 3), 128, np.uint8))), saved_quality=None)
    assert {r.measure for r in readings if r.score > 0.5} <= {"empty_frame", "low_resolution"}


@pytest.mark.parametrize(
    ("box", "place"),
    [
        (None, "whole image"),
        (Box(0.0, 0.0, 0.2, 0.2), "upper left"),
        (Box(0.4, 0.4, 0.2, 0.2), "center"),
        (Box(0.7, 0.4, 0.2, 0.2), "right side"),
        (Box(0.0, 0.9, 1.0, 0.1), "lower edge"),
        (Box(0.0, 0.0, 0.1, 1.0), "left edge"),
    ],
)
def test_places_have_everyday_names(box: Box | None, place: str) -> None:
    assert place_of(box) == place


def test_the_last_clause_goes_when_words_are_short() -> None:
    text = rationale(box=None, evidence="grain of 9 levels; seen in the sky", max_words=10)
    assert text == "Whole image: grain of 9 levels; seen in the sky."


@pytest.mark.parametrize("name", ["defocus", "under_exposure", "low_contrast", "upscaling", "low_resolution"])
def test_asking_for_one_flaw_gives_the_same_answer_as_asking_for_all(name: str) -> None:
    for pixels in (scene(), scene() // 8, np.zeros((240, 320, 3), np.uint8)):
        every = read_whole(measure_whole(build_frame(pixels)), saved_quality=None)
        some = read_whole(measure_whole(build_frame(pixels)), saved_quality=None, wanted=frozenset({name}))
        (expected,), (found,) = ([r for r in readings if r.measure == name] for readings in (every, some))
        assert found.text == expected.text
        assert (found.score, found.strength) == pytest.approx((expected.score, expected.strength))


def test_what_no_wanted_flaw_asks_for_is_not_measured() -> None:
    whole = measure_whole(build_frame(scene()))
    read_whole(whole, saved_quality=None, wanted=frozenset({"defocus"}))
    assert "tilt" not in vars(whole)
    assert "sharpness" in vars(whole)
