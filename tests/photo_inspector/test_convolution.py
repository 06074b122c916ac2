"""Convolutions by OpenCV's network runner, beside the plain sum that they stand for."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from photo_inspector.pixels.convolution import Layer, following
from photo_inspector.pixels.frame import Floats


def plain(picture: Floats, layer: Layer) -> Floats:
    """What the layer says, one number of its kernel after the other."""
    seen = np.pad(picture, ((0, 0), (layer.rim,) * 2, (layer.rim,) * 2))
    side, step = layer.kernel.shape[2], layer.step
    rows, columns = ((length - side) // step + 1 for length in seen.shape[1:])
    said = np.zeros((len(layer.offset), rows, columns), np.float32) + layer.offset[:, None, None]
    for y in range(side):
        for x in range(side):
            under = seen[:, y : y + step * rows : step, x : x + step * columns : step]
            said += np.tensordot(layer.kernel[:, :, y, x], under, axes=1)
    return np.asarray(np.maximum(said, 0), np.float32)


def layers(rng: np.random.Generator) -> list[Layer]:
    """A halving of squares of two, one that keeps the size, and one that halves with a rim."""
    shapes = (((4, 3, 2, 2), 2, 0, False), ((6, 4, 3, 3), 1, 1, True), ((5, 6, 3, 3), 2, 1, True))
    return [
        Layer(
            rng.normal(size=shape).astype(np.float32),
            rng.normal(size=shape[0]).astype(np.float32),
            step=step,
            rim=rim,
            kept=kept,
        )
        for shape, step, rim, kept in shapes
    ]


@pytest.mark.parametrize("size", [(2, 2), (10, 14), (26, 18), (34, 102)])
def test_answers_are_those_of_the_plain_sum(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    first, second, third = layers(rng)
    picture = rng.normal(size=(3, *size)).astype(np.float32)
    middle = plain(plain(picture, first), second)
    said = following([first, second, third]).answers(picture[None])
    assert said[0][0] == pytest.approx(middle, abs=1e-3)
    assert said[1][0] == pytest.approx(plain(middle, third), abs=1e-3)


def test_threads_do_not_disturb_each_other() -> None:
    rng = np.random.default_rng(2)
    network = following(layers(rng))
    pictures = [rng.normal(size=(1, 3, 8 + 2 * turn, 30)).astype(np.float32) for turn in range(24)]
    alone = [network.answers(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(network.answers, pictures))
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-3)
