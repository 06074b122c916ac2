"""Parts of masks, pairs and ranks: the small things that measurements of places are made of."""

import cv2
import numpy as np
import pytest

from photo_inspector.pixels.frame import Gray
from photo_inspector.pixels.linking import chained, chains, pairs_within
from photo_inspector.pixels.parts import parts_of
from photo_inspector.pixels.ranks import quantile, quantiles


def speckled(*, share: float, shape: tuple[int, int] = (60, 90)) -> Gray:
    return (np.random.default_rng(7).random(shape) < share).astype(np.uint8)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("least_px", [0.0, 3.0, 1e6])
def test_parts_are_those_that_opencv_tells(share: float, least_px: float) -> None:
    mask = speckled(share=share)
    parts = parts_of(mask, least_px=least_px)
    stats = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]
    told = [row for row in stats.tolist() if row[4] >= least_px]
    assert np.stack([parts.x, parts.y, parts.width, parts.height, parts.area], axis=1).tolist() == told


def test_nothing_has_no_parts() -> None:
    assert parts_of(np.zeros((20, 30), np.uint8), least_px=1).area.size == 0


def test_pixels_come_in_the_order_of_the_parts_asked_for() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[2:4, 3:5] = mask[10, 20:23] = mask[15:18, 1] = 1
    parts = parts_of(mask, least_px=1)
    on, starts = parts.pixels(np.array([2, 0]))
    assert on.tolist() == [15 * 30 + 1, 16 * 30 + 1, 17 * 30 + 1, 2 * 30 + 3, 2 * 30 + 4, 3 * 30 + 3, 3 * 30 + 4]
    assert starts.tolist() == [0, 3]


def test_pairs_within_are_all_of_them() -> None:
    values, reach = np.random.default_rng(3).random((2, 40)).astype(np.float32)
    pairs = set(zip(*(part.tolist() for part in pairs_within(values, values, values + reach)), strict=True))
    assert pairs == {(i, j) for i in range(40) for j in range(40) if values[i] <= values[j] <= values[i] + reach[i]}


def test_nothing_makes_no_pairs() -> None:
    none = np.zeros(0, np.float32)
    assert pairs_within(none, none, none)[0].size == 0


def test_chains_of_pairs_are_those_of_the_table() -> None:
    table = np.random.default_rng(5).random((50, 50)) < 0.015
    labels = chained(*np.nonzero(table), count=50)
    assert labels.tolist() == chains(table).tolist()
    assert labels[0] == 0
    assert sorted(set(labels.tolist())) == list(range(labels.max() + 1))
    assert all(labels[i] == labels[j] for i, j in np.argwhere(table))


def test_quantiles_of_rows_leave_out_what_is_infinite() -> None:
    values = np.array([[3, 1, 2, np.inf], [5, np.inf, np.inf, np.inf]], np.float32)
    found = quantiles(values, np.array([3, 1]), 0.7)
    assert found == pytest.approx([quantile(values[0, :3], 0.7), 5])
