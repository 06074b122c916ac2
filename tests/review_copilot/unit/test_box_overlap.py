"""Overlap of boxes: two at a time and many at a time give the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_copilot.domain.box_overlap import corners, paired_iou, pairwise_iou
from review_copilot.domain.geometry import Box

SIDES = st.floats(0, 1, width=32)
BOXES = st.builds(Box, st.floats(-0.5, 1.5, width=32), st.floats(-0.5, 1.5, width=32), SIDES, SIDES)


def rows(boxes: list[Box]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([(b.x, b.y, b.width, b.height) for b in boxes], np.float64).reshape(-1, 4)


def test_numbers_worked_out_by_hand() -> None:
    """Two squares of side .4 that share a quarter of .04: .04 over .16 + .16 - .04."""
    one, other, apart = Box(0, 0, 0.4, 0.4), Box(0.2, 0.2, 0.4, 0.4), Box(0.8, 0.8, 0.1, 0.1)
    assert one.iou(other) == pytest.approx(0.04 / 0.28)
    assert pairwise_iou(corners([one]), corners([one, other, apart])).tolist() == [
        [1.0, pytest.approx(0.04 / 0.28), 0.0]
    ]
    assert paired_iou(rows([one, one]), rows([other, apart])).tolist() == [pytest.approx(0.04 / 0.28), 0.0]


def test_boxes_without_an_area_overlap_nothing() -> None:
    line = Box(0.1, 0.1, 0.0, 0.5)
    assert line.iou(line) == 0
    assert pairwise_iou(corners([line]), corners([line])).tolist() == [[0.0]]
    assert paired_iou(rows([line]), rows([line])).tolist() == [0.0]


def test_no_boxes_give_no_numbers() -> None:
    assert pairwise_iou(corners([]), corners([Box.whole()])).shape == (0, 1)
    assert paired_iou(rows([]), rows([])).shape == (0,)


@given(st.lists(BOXES, min_size=1, max_size=5), st.lists(BOXES, min_size=1, max_size=5))
def test_many_at_a_time_are_two_at_a_time(ours: list[Box], theirs: list[Box]) -> None:
    one_by_one = [[a.iou(b) for b in theirs] for a in ours]
    assert pairwise_iou(corners(ours), corners(theirs)) == pytest.approx(np.array(one_by_one), abs=1e-9)
    both = list(zip(ours, theirs, strict=False))
    assert paired_iou(rows([a for a, _ in both]), rows([b for _, b in both])) == pytest.approx(
        np.array([a.iou(b) for a, b in both]), abs=1e-9
    )
