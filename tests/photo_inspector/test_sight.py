"""What a small network sees at a glance, and what is made of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from photo_inspector.networks.sight import LEANS as SIGHT_LEANS
from photo_inspector.networks.sight import SIZE_PX, pooled, seen_picture, sight
from photo_inspector.pixels.frame import build_frame
from photo_inspector.scoring.measured import measure_whole
from photo_inspector.whole_image.tilt import LEANS, MAPS, Edges, lean_of
from pictures import facade, scene
from plant_tone import exposed, tinted
from plant_whole import turned


def test_pooling_tells_what_is_where() -> None:
    picture = np.zeros((1, 4, 4), np.float32)
    picture[0, :2, 2:] = 8
    assert pooled(picture).tolist() == [2, 8, 0, 8, 0, 0]


def test_a_picture_lies_or_stands_as_it_is_seen() -> None:
    lying, standing = (np.zeros((*shape, 3), np.uint8) for shape in ((300, 400), (400, 300)))
    assert seen_picture(lying).shape == (*SIZE_PX[::-1], 3)
    assert seen_picture(standing).shape == (*SIZE_PX, 3)


@pytest.mark.parametrize("shape", [(1, 1), (300, 40), (40, 300)])
def test_it_answers_for_any_size(shape: tuple[int, int]) -> None:
    said = sight(np.full((*shape, 3), 90, np.uint8))
    assert said.leans.shape == SIGHT_LEANS.shape
    assert said.leans.sum() == pytest.approx(1, abs=1e-5)
    assert np.isfinite([said.tinted, said.green, said.warm, said.overlit, said.stops]).all()


def test_a_mirrored_picture_leans_the_other_way_and_has_the_same_light_and_colors() -> None:
    leaning = turned(facade(), 5, cubic=True)
    said, mirrored = sight(leaning), sight(np.ascontiguousarray(leaning[:, ::-1]))
    assert mirrored.leans == pytest.approx(said.leans[::-1], abs=1e-3)
    assert (mirrored.tinted, mirrored.overlit) == pytest.approx((said.tinted, said.overlit), abs=1e-2)
    assert float(SIGHT_LEANS[int(said.leans.argmax())]) == pytest.approx(5, abs=2)


def test_more_light_and_a_tint_are_seen() -> None:
    plain = scene()
    said = sight(plain)
    assert sight(exposed(plain, 2.0, "light")).overlit > said.overlit
    blue = sight(tinted(plain, np.array([-0.5, 0.0, 0.5], np.float32), "balance"))
    assert blue.tinted > said.tinted
    assert blue.warm < said.warm


def test_threads_do_not_disturb_each_other() -> None:
    pictures = [turned(facade(), degrees, cubic=True) for degrees in (-8, -3, 0, 3, 8, 12)] * 4
    alone = [sight(picture).leans for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = [said.leans for said in pool.map(sight, pictures)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_picture_that_may_lean_to_either_side_does_not_lean() -> None:
    none = Edges(np.zeros((MAPS, LEANS), np.float32), (80, 112))
    either, right = (np.where(np.abs(SIGHT_LEANS - sign) < 3, 1, 0).astype(np.float32) for sign in (0, 8))
    either += np.where(np.abs(np.abs(SIGHT_LEANS) - 8) < 3, 1, 0)
    unsure = lean_of(none, either / either.sum())
    sure = lean_of(none, right / right.sum())
    assert max(unsure.seen, unsure.told, unsure.far) < 0.5
    assert min(sure.seen, sure.told, sure.far) == pytest.approx(1)


def test_a_color_that_is_full_in_one_channel_is_burnt_and_white_is_not() -> None:
    pixels = np.full((100, 100, 3), 120, np.uint8)
    pixels[:20] = (255, 190, 150)
    pixels[20:30] = 255
    found = measure_whole(build_frame(pixels)).light
    assert found.burnt_percent == pytest.approx(20)
    assert found.cut > 3


def test_networks_keep_to_the_thread_that_asks() -> None:
    sight(np.zeros((80, 90, 3), np.uint8))
    pools = ThreadpoolController().select(internal_api="openblas").info()
    of_numpy = [pool["num_threads"] for pool in pools if "numpy" in pool["filepath"]]
    assert of_numpy == [1]
