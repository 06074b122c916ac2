"""Do people draw the same boxes? F1 at IoU 0.5 between pairs of annotations. Knows boxes in fractions only."""

from __future__ import annotations

import numpy as np

from review_copilot.analysis.table import Floats, Ints

LEAST_IOU = 0.5


def box_f1(task: Ints, annotation: Ints, criterion: Ints, box: Floats, *, seen_by: Ints) -> float:
    """F1 of boxes of the same criterion, over all pairs of annotations of the same task.

    Boxes are paired greedily by falling IoU, each box at most once for each other annotation.

    Args:
        task: Task of each box.
        annotation: Annotation of each box.
        criterion: Criterion of each box.
        box: x, y, width, height; shape (boxes, 4).
        seen_by: How many annotations the box's task has, those without a box included.

    Returns:
        2 x pairs / boxes that could be paired, 0..1; NaN where no task has boxes and two annotations.
    """
    chances = float(np.maximum(seen_by - 1, 0).sum())
    if not chances:
        return float("nan")
    _, of_task = np.unique(task, return_inverse=True)
    _, annotations = np.unique(annotation, return_inverse=True)
    one, two = _neighbours(of_task * (int(criterion.max()) + 1) + criterion)
    apart = annotations[one] != annotations[two]
    one, two = one[apart], two[apart]
    overlap = _iou(box[one].astype(np.float64), box[two].astype(np.float64))
    near = overlap >= LEAST_IOU
    return 2.0 * _paired(one[near], two[near], overlap[near], annotations) / chances


def _neighbours(group: Ints) -> tuple[Ints, Ints]:
    """All pairs of positions (first < second in sorted order) that are in the same group."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0])
    sizes = np.diff(np.r_[starts, len(order)])
    left_in_group = np.repeat(sizes, sizes) - 1 - (np.arange(len(order)) - np.repeat(starts, sizes))
    first = np.repeat(np.arange(len(order)), left_in_group)
    step = np.arange(len(first)) - np.repeat(np.cumsum(left_in_group) - left_in_group, left_in_group) + 1
    return order[first], order[first + step]


def _iou(one: Floats, two: Floats) -> Floats:
    right = np.minimum(one[:, 0] + one[:, 2], two[:, 0] + two[:, 2])
    bottom = np.minimum(one[:, 1] + one[:, 3], two[:, 1] + two[:, 3])
    width = np.maximum(0.0, right - np.maximum(one[:, 0], two[:, 0]))
    height = np.maximum(0.0, bottom - np.maximum(one[:, 1], two[:, 1]))
    union = one[:, 2] * one[:, 3] + two[:, 2] * two[:, 3] - width * height
    return np.asarray(np.divide(width * height, union, out=np.zeros_like(union), where=union > 0))


def _paired(one: Ints, two: Ints, overlap: Floats, annotation: Ints) -> int:
    """How many pairs a greedy matching makes, in rounds: a pair that is the best left for both its boxes is made."""
    order = np.argsort(-overlap, kind="stable")
    wide = int(annotation.max(initial=0)) + 1
    # A box may be paired once for each other annotation.
    ends = np.stack([one[order] * wide + annotation[two[order]], two[order] * wide + annotation[one[order]]], axis=1)
    made = 0
    while len(ends):
        _, first, of = np.unique(ends.ravel(), return_index=True, return_inverse=True)
        best = (first[of] // 2).reshape(-1, 2)
        good = (best == np.arange(len(ends))[:, None]).all(axis=1)
        made += int(good.sum())
        used = np.unique(ends[good])
        ends = ends[~np.isin(ends, used).any(axis=1)]
    return made
