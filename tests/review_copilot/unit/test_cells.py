"""Sums by key, whatever way they are found, and bytes that come back."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from review_copilot.study.grouped_sums import Cells, added, cells
from review_copilot.study.packing import pack, unpack


def by_hand(keys: list[list[int]], weights: list[float]) -> dict[tuple[int, ...], float]:
    found: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for key, weight in zip(zip(*keys, strict=True), weights, strict=True):
        found[key] += weight
    return dict(sorted(found.items()))


def as_dict(found: Cells) -> dict[tuple[int, ...], float]:
    return {tuple(key): float(total) for key, total in zip(found.keys.tolist(), found.sums[:, 0], strict=True)}


@pytest.mark.parametrize("span", [3, 1000, 2**40])
def test_rows_are_added_up_by_key(span: int) -> None:
    """Few keys, many keys, and keys that do not fit into one number; negative ones too, in rising order."""
    rng = np.random.default_rng(0)
    keys = [np.sort(rng.integers(-span, span, 20))[rng.integers(0, 20, 500)] for _ in range(3)]
    weights = rng.random(500)
    wanted = by_hand([key.tolist() for key in keys], weights.tolist())
    found = as_dict(cells(keys, [weights]))
    assert list(found) == list(wanted)
    assert list(found.values()) == pytest.approx(list(wanted.values()))
    halves = [cells([key[part] for key in keys], [weights[part]]) for part in (slice(0, 250), slice(250, 500))]
    assert as_dict(added(halves)) == pytest.approx(wanted)


def test_rows_are_counted_where_there_is_nothing_to_add_up() -> None:
    assert as_dict(cells([np.array([2, 1, 2])])) == {(1,): 1.0, (2,): 2.0}
    assert as_dict(cells([np.zeros(0, dtype=np.int64)] * 2)) == {}


def test_arrays_come_back_from_bytes() -> None:
    arrays = {
        "small": np.array([[1, -2], [3, 127]]),
        "large": np.array([2**40]),
        "flags": np.array([True, False]),
        "floats": np.array([0.1, np.nan]),
        "none": np.zeros((0, 3), dtype=np.int64),
    }
    words, found = unpack(pack({"a": ["ü", 1]}, arrays))
    assert words == {"a": ["ü", 1]}
    for name, array in arrays.items():
        assert np.array_equal(found[name], array, equal_nan=name == "floats"), name
    assert found["small"].dtype == np.int8
    assert found["flags"].dtype == np.bool_
