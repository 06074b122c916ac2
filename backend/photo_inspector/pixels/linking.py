"""Things that belong together: chains of neighbors. Knows no pixels."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Reals: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float64]


def chains(neighbors: npt.NDArray[np.bool_]) -> Labels:
    """One label for each thing, 0, 1, ...; things that a chain of neighbors joins share one.

    Args:
        neighbors: Which things are neighbors, shape (things, things); one direction is enough.
    """
    count = neighbors.shape[0]
    return chained(*np.divmod(np.flatnonzero(neighbors), max(count, 1)), count=count)


def chained(first: Ints, second: Ints, *, count: int) -> Labels:
    """The same for `count` things of which some pairs are neighbors (union and find)."""
    if first.size == 0:
        return np.arange(count, dtype=np.int32)
    parent = list(range(count))
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        here, there = one, other
        while here != parent[here]:
            parent[here] = here = parent[parent[here]]
        while there != parent[there]:
            parent[there] = there = parent[parent[there]]
        if here < there:
            parent[there] = here
        else:
            parent[here] = there
    labels: list[int] = []
    fresh = 0
    for index, above in enumerate(parent):
        if above == index:
            labels.append(fresh)
            fresh += 1
        else:  # a thing's parent comes before it, so its label is known
            labels.append(labels[above])
    return np.array(labels, np.int32)


def pairs_within(values: Reals, least: Reals, most: Reals) -> tuple[Ints, Ints]:
    """Every pair of things of which the second has a value from the first's least to its most, both included.

    Args:
        values: One for each thing, as are the others.
        least: Least value of the second.
        most: Most value of the second.
    """
    order = np.argsort(values)
    ranked = values[order]
    start, end = np.searchsorted(ranked, least, "left"), np.searchsorted(ranked, most, "right")
    counts = np.maximum(end - start, 0)
    before = np.cumsum(counts) - counts
    second = order[np.arange(counts.sum()) + np.repeat(start - before, counts)]
    return np.repeat(np.arange(values.size), counts), second


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
