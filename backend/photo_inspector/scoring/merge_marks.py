"""Each mark once, in the box that fits it best. Knows no pixels and no guideline."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from photo_inspector.marks.fibers import Fiber
from photo_inspector.marks.lines import Line
from photo_inspector.pixels.votes import edges_of
from photo_inspector.scoring.calibration import Doubles
from photo_inspector.scoring.second_look import Look
from review_copilot.plugin import Box

SURE = 0.35
"""Marks below this do not count toward the number of marks."""
ALIKE = 0.05
"""Difference in worth that says nothing of which of two boxes fits better."""
SAME_MARK, SAME_BOX = 0.3, 0.5
"""Overlap from which two marks are one, and two lines of letters; and from which their boxes hold the same."""
SAME_WAY = 0.6
"""Share of its way from which one fine line is a part of others."""
TRACED = 192
"""Squares per side of the grid in which paths of lines are compared; within two squares they are the same path."""
LEAST_WORTH = 0.15
"""Least probability that a fine line exists and is well boxed, among others."""
WORTH_TRACING = 0.05
"""Fine lines that are less likely are left as they are."""


def _shared_areas(boxes: Sequence[Box]) -> tuple[Doubles, Doubles]:
    """The area that any two boxes share, shape (boxes, boxes), and each box's own, as fractions of the image."""
    left, top, right, bottom = edges_of(boxes).T
    across = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    down = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    return shared, np.diagonal(shared)


def lines_once(seen: Sequence[tuple[Line | Fiber, Look]]) -> list[tuple[Line | Fiber, float]]:
    """Lines and hairs without what is a part of another: masks break a scratch, and see it both as a line and a hair.

    Of those that share their way the longest that fits is kept (by the product of both), as likely as the likeliest of
    them. Boxes that hardly fit anything are left out beside better ones; what nobody would be shown is left as it is.
    """
    likely = [pair for pair in seen if pair[1].score >= WORTH_TRACING]
    ranked = sorted(likely, key=lambda pair: -pair[1].worth * pair[0].length)
    shared, area = _shared_areas([mark.box for mark, _ in ranked])
    alike = shared >= SAME_MARK * np.maximum(area + area[:, None] - shared, 1e-12)
    owner = np.full((TRACED, TRACED), len(ranked))
    scores = np.zeros(len(ranked))
    kept: list[int] = []
    for index, (mark, look) in enumerate(ranked):
        column, row = np.clip((mark.track * TRACED).astype(np.int64), 0, TRACED - 1).T
        owners = np.bincount(owner[row, column], minlength=len(ranked) + 1)[:-1]
        same = [other for other in kept if alike[index, other]]
        if owners.sum() >= SAME_WAY * row.size:
            same.append(int(owners.argmax()))
        if same:
            scores[same[0]] = max(scores[same[0]], look.score)
            continue
        kept.append(index)
        scores[index] = look.score
        own = np.zeros((TRACED, TRACED), np.uint8)
        own[row, column] = 1
        taken = np.asarray(cv2.dilate(own, np.ones((5, 5), np.uint8)), np.bool_)
        owner[taken & (owner == len(ranked))] = index
    worth = {index: scores[index] * ranked[index][1].fit for index in kept}
    least = min(LEAST_WORTH, max(worth.values(), default=0.0))
    rest = [(mark, look.score) for mark, look in seen if look.score < WORTH_TRACING]
    return [(ranked[index][0], float(scores[index])) for index in kept if worth[index] >= least] + rest
