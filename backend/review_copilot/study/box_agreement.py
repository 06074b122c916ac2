"""Do people draw the same boxes? F1 at IoU 0.5 between pairs of annotations. Knows boxes in fractions only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from review_copilot.domain.box_overlap import paired_iou
from review_copilot.study.table import Floats, Ints

LEAST_IOU = 0.5


@dataclass(frozen=True)
class BoxAgreement:
    """F1 of boxes at IoU 0.5: 2 x pairs / boxes that could be paired, 0..1; NaN where nobody had a chance to agree.

    Attributes:
        overall: Over all criteria.
        by_criterion: One for each criterion number.
    """

    overall: float
    by_criterion: tuple[float, ...]


def pair_boxes(
    task: Ints, annotation: Ints, criterion: Ints, box: Floats, *, seen_by: Ints, criteria: int
) -> tuple[Floats, Floats]:
    """Pair boxes of the same criterion, over all pairs of annotations of the same task.

    Boxes are paired greedily by falling IoU, each box at most once for each other annotation.

    Args:
        task: Task of each box.
        annotation: Annotation of each box.
        criterion: Criterion number of each box.
        box: x, y, width, height; shape (boxes, 4).
        seen_by: How many annotations the box's task has, those without a box included.
        criteria: How many criteria there are.

    Returns:
        Pairs made, and chances of a box to be paired, both for each criterion.
    """
    chances = np.bincount(criterion, weights=np.maximum(seen_by - 1, 0), minlength=criteria)
    if not chances.any():
        return np.zeros(criteria), chances
    _, of_task = np.unique(task, return_inverse=True)
    _, annotations = np.unique(annotation, return_inverse=True)
    one, two = _neighbors(of_task * criteria + criterion)
    apart = annotations[one] != annotations[two]
    one, two = one[apart], two[apart]
    overlap = paired_iou(box[one].astype(np.float64), box[two].astype(np.float64))
    near = overlap >= LEAST_IOU
    paired = _paired(one[near], two[near], overlap[near], annotations)
    return np.bincount(criterion[paired], minlength=criteria).astype(np.float64), chances


def box_agreement(made: Floats, chances: Floats) -> BoxAgreement:
    """F1 of boxes; see `pair_boxes`."""
    with np.errstate(invalid="ignore"):
        by_criterion = 2.0 * made / chances
        overall = 2.0 * made.sum() / chances.sum()
    return BoxAgreement(float(overall), tuple(by_criterion.tolist()))


def _neighbors(group: Ints) -> tuple[Ints, Ints]:
    """All pairs of positions (first < second in sorted order) that are in the same group."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0])
    sizes = np.diff(np.r_[starts, len(order)])
    left_in_group = np.repeat(sizes, sizes) - 1 - (np.arange(len(order)) - np.repeat(starts, sizes))
    first = np.repeat(np.arange(len(order)), left_in_group)
    step = np.arange(len(first)) - np.repeat(np.cumsum(left_in_group) - left_in_group, left_in_group) + 1
    return order[first], order[first + step]


def _paired(one: Ints, two: Ints, overlap: Floats, annotation: Ints) -> Ints:
    """First box of each pair of a greedy matching, made in rounds: what is best for both its boxes is a pair."""
    order = np.argsort(-overlap, kind="stable")
    wide = int(annotation.max(initial=0)) + 1
    # A box may be paired once for each other annotation.
    ends = np.stack([one[order] * wide + annotation[two[order]], two[order] * wide + annotation[one[order]]], axis=1)
    made: list[Ints] = []
    while len(ends):
        _, first, of = np.unique(ends.ravel(), return_index=True, return_inverse=True)
        best = (first[of] // 2).reshape(-1, 2)
        good = (best == np.arange(len(ends))[:, None]).all(axis=1)
        made.append(ends[good, 0] // wide)
        ends = ends[~np.isin(ends, np.unique(ends[good])).any(axis=1)]
    return np.concatenate(made) if made else np.zeros(0, dtype=np.int64)
