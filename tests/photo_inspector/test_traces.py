"""What the network of lettering and fine lines says, and how it is read."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from photo_inspector.networks.traces import Traces, traces_of
from pictures import scene


def told(letters: list[list[float]], *, size: tuple[int, int]) -> Traces:
    """Said by hand, of lettering alone."""
    nothing = np.zeros((1, 1), np.float32)
    return Traces(np.array(letters, np.float32), nothing, nothing, size)


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (33, 47), (320, 480)])
def test_it_answers_for_any_size(shape: tuple[int, int]) -> None:
    said = traces_of(np.full((*shape, 3), 90, np.uint8))
    assert said.letters.shape == tuple(-(-length // 8) for length in shape)
    assert said.lines.shape == tuple(-(-length // 4) for length in shape)
    for what in (said.letters, said.lines):
        assert ((what >= 0) & (what <= 1)).all()
        assert said.spread(what, shape=shape).shape == shape
        assert said.near(what, shape=shape).shape == shape


def test_it_sees_lettering_where_it_lies_and_a_line_where_it_runs() -> None:
    """On a scene full of edges, which it takes for neither."""
    pixels = scene()
    cv2.putText(pixels, "SAMPLE", (60, 120), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (255, 255, 255), 4, cv2.LINE_AA)
    cv2.line(pixels, (400, 20), (404, 300), (245, 245, 245), 1, cv2.LINE_AA)
    said = traces_of(pixels)
    letters, lines = (said.spread(what, shape=(320, 480)) for what in (said.letters, said.lines))
    assert letters[80:118, 70:280].mean() > 0.6
    assert letters[180:].mean() < 0.05
    assert lines[40:280, 402].mean() > 0.5
    assert lines[:, 300:380].mean() < 0.1
    assert traces_of(scene()).letters.max() < letters.max()


def test_inside_of_a_box_and_around_it() -> None:
    letters = np.zeros((10, 10))
    letters[4:6, 2:8] = 0.8
    said = told(letters.tolist(), size=(80, 80))
    inside, around = said.within(said.letters, np.array([[0.2, 0.4, 0.8, 0.6], [0, 0, 1, 1]]))
    assert inside == pytest.approx([0.8, 0.8 * 12 / 100])
    assert around == pytest.approx([0, 0])


def test_what_is_near_lettering_is_open_and_the_rest_is_ruled_out() -> None:
    letters = np.zeros((10, 10))
    letters[5, 5] = 0.5
    said = told(letters.tolist(), size=(80, 80))
    near = said.near(said.letters, shape=(40, 40))
    assert near[12:32, 12:32].all()
    assert near.sum() == 20 * 20
