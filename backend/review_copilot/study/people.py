"""Which rows come from different people: somebody who reviewed the same thing twice does not agree with anybody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from review_copilot.study.table import Ints, OverrideTable


def last_of_each(unit: Ints, reviewer: Ints, names: Sequence[str]) -> Ints:
    """The last entry of each person about each unit, in rising order.

    Args:
        unit: What each entry is about, 0 or more.
        reviewer: Index into `names`, shape as `unit`.
        names: Names of people; entries of the empty name may come from anybody and are all kept.

    Returns:
        Indices into `unit`.
    """
    if not len(unit):
        return np.zeros(0, dtype=np.int64)
    unknown = names.index("") if "" in names else -1
    who = np.where(reviewer == unknown, len(names) + np.arange(len(unit)), reviewer)
    _, of_unit = np.unique(unit, return_inverse=True)
    key = of_unit.astype(np.int64) * (len(names) + len(unit)) + who
    _, last = np.unique(key[::-1], return_index=True)
    return np.sort(len(unit) - 1 - last)


def one_annotation_each(table: OverrideTable, *, also: frozenset[int] = frozenset()) -> OverrideTable:
    """The rows of each person's newest annotation of a task.

    Args:
        table: The log, or a part of it that has whole tasks.
        also: Ids of annotations that are kept in any case.
    """
    annotations, first, of = np.unique(table.annotation, return_index=True, return_inverse=True)
    kept = np.isin(annotations, list(also))
    kept[last_of_each(table.task[first], table.reviewer[first], table.reviewers)] = True
    return table if kept.all() else table.where(kept[of])
