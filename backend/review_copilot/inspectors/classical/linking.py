"""Things that belong together: chains of neighbours. Knows no pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int32]


def chains(neighbours: npt.NDArray[np.bool_]) -> Labels:
    """One label for each thing, 0, 1, ...; things that a chain of neighbours joins share one (union and find).

    Args:
        neighbours: Which things are neighbours, shape (things, things); one direction is enough.
    """
    count = neighbours.shape[0]
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    joins = np.flatnonzero(neighbours)
    if joins.size == 0:
        return np.arange(count, dtype=np.int32)
    first, second = np.divmod(joins, count)
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        here, there = root(one), root(other)
        if here != there:
            parent[max(here, there)] = min(here, there)
    for index in range(count):  # a thing's parent comes before it, so its parent's root is known
        parent[index] = parent[parent[index]]
    roots = np.array(parent, np.int32)
    return np.asarray((np.cumsum(roots == np.arange(count)) - 1)[roots], np.int32)


def first_of_each(alike: npt.NDArray[np.bool_]) -> list[int]:
    """Places of the things that are like none kept before them, rising.

    Args:
        alike: Which things are too much alike to be kept both, shape (things, things), the same both ways.
    """
    open_ = np.ones(alike.shape[0], np.bool_)
    kept = []
    for index in range(alike.shape[0]):
        if open_[index]:
            kept.append(index)
            open_ &= ~alike[index]
    return kept
