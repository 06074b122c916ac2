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

    first, second = np.divmod(np.flatnonzero(neighbours), max(count, 1))
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        here, there = root(one), root(other)
        if here != there:
            parent[max(here, there)] = min(here, there)
    roots = np.fromiter((root(index) for index in range(count)), np.int32, count)
    return np.asarray(np.unique(roots, return_inverse=True)[1], np.int32)
