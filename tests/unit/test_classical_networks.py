"""The small networks that have looked at ordinary photographs."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from pictures import facade
from plant_whole import turned
from review_copilot.inspectors.classical.exposure import light
from review_copilot.inspectors.classical.frame import build_frame
from review_copilot.inspectors.classical.network import Kind, Network, convolved, network, pooled, thumbnail
from review_copilot.inspectors.classical.tilt import SEEN_LEANS, lean_picture, seen_leans


@pytest.mark.parametrize("step", [1, 2])
def test_a_convolution_is_the_sum_over_the_kernel_at_each_place(step: int) -> None:
    rng = np.random.default_rng(2)
    picture, kernel = (rng.normal(size=shape).astype(np.float32) for shape in ((2, 7, 6), (3, 2, 3, 3)))
    padded = np.pad(picture, ((0, 0), (1, 1), (1, 1)))
    expected = [
        [[(padded[:, y : y + 3, x : x + 3] * k).sum() for x in range(0, 6, step)] for y in range(0, 7, step)]
        for k in kernel
    ]
    assert convolved(picture, kernel, step=step) == pytest.approx(np.array(expected), abs=1e-4)


def test_pooling_tells_what_is_where() -> None:
    picture = np.zeros((1, 4, 4), np.float32)
    picture[0, :2, 2:] = 8
    assert pooled(picture).tolist() == [2, 8, 0, 8, 0, 0]


def test_layers_follow_each_other_and_only_the_last_may_say_less_than_nothing() -> None:
    ones = np.ones((1, 1, 3, 3), np.float32)
    tiny = Network((ones,), (np.zeros(1, np.float32),), (np.eye(6, dtype=np.float32)[:1], -np.ones((1, 1), np.float32)),
                   (np.zeros(1, np.float32), np.ones(1, np.float32)))  # fmt: skip
    picture = np.full((1, 4, 4), 0.25, np.float32)
    # nine quarters in the middle, six at edges, four in corners
    assert tiny.answers(picture) == pytest.approx([1 - (4 * 9 + 8 * 6 + 4 * 4) / 16 / 4])


@pytest.mark.parametrize(("kind", "answers"), [("tint", 3), ("light", 2), ("lean", SEEN_LEANS.size)])
def test_each_network_answers_for_any_size(kind: Kind, answers: int) -> None:
    for shape in ((1, 1, 3), (300, 40, 3)):
        pixels = np.full(shape, 90, np.uint8)
        picture = lean_picture(pixels) if kind == "lean" else thumbnail(pixels)
        said = network(kind).answers(picture)
        assert said.shape == (answers,)
        assert np.isfinite(said).all()


def test_a_mirrored_picture_leans_the_other_way() -> None:
    leaning = turned(facade(), 5, cubic=True)
    mirrored = np.ascontiguousarray(leaning[:, ::-1])
    assert seen_leans(mirrored) == pytest.approx(seen_leans(leaning)[::-1], abs=1e-3)
    assert float(SEEN_LEANS[int(seen_leans(leaning).argmax())]) == pytest.approx(5, abs=2)


def test_a_colour_that_is_full_in_one_channel_is_burnt_and_white_is_not() -> None:
    pixels = np.full((100, 100, 3), 120, np.uint8)
    pixels[:20] = (255, 190, 150)
    pixels[20:30] = 255
    found = light(build_frame(pixels))
    assert found.burnt_percent == pytest.approx(20)
    assert found.cut > 3


def test_networks_keep_to_the_thread_that_asks() -> None:
    network("tint").answers(thumbnail(np.zeros((80, 90, 3), np.uint8)))
    pools = ThreadpoolController().select(internal_api="openblas").info()
    of_numpy = [pool["num_threads"] for pool in pools if "numpy" in pool["filepath"]]
    assert of_numpy == [1]
