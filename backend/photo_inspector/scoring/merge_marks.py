"""Each mark once, in the box that fits it best. Knows no pixels and no guideline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from photo_inspector.lettering.overlay import Lettering
from photo_inspector.marks.fibers import Fibre
from photo_inspector.marks.lines import Line
from photo_inspector.pixels.linking import chains, first_of_each
from photo_inspector.pixels.votes import edges_of
from photo_inspector.scoring.calibration import Doubles
from photo_inspector.scoring.second_look import Look
from review_copilot.plugin import Box

SURE = 0.35
"""Marks below this do not count towards the number of marks."""
ALIKE = 0.05
"""Difference in worth that says nothing of which of two boxes fits better."""
SAME_MARK, SAME_BOX = 0.3, 0.5
"""Overlap from which two marks are one, and two lines of letters; and from which their boxes hold the same."""
SAME_WAY = 0.6
"""Share of its way from which one fine line is a part of others."""
TRACED = 192
"""Squares a side of the picture in which the ways of lines are told from each other; two to both sides are the same."""
LEAST_WORTH = 0.15
"""How likely a fine line is there and well boxed, at least, beside others."""
WORTH_TRACING = 0.05
"""Fine lines that are less likely are left as they are."""


def lettering_once(seen: Sequence[tuple[Lettering, Look]]) -> list[tuple[Lettering, float]]:
    """Each line of letters once, in the box that fits best; lines close above each other become one block.

    Of boxes that fit alike the one comes first whose letters stand straightest, before one of the network's, which
    reaches beyond its letters. A line is as likely as the likeliest of the boxes that are much like its own.
    """
    ranked = sorted(seen, key=lambda pair: (-round(pair[1].worth / ALIKE), pair[0].told, pair[0].alignment))
    shared, area = _shared_areas([line.box for line, _ in ranked])
    like_it = shared >= SAME_BOX * (area + area[:, None] - shared)
    scores = np.array([look.score for _, look in ranked])
    kept = []
    for index in first_of_each(shared >= SAME_MARK * np.minimum(area, area[:, None])):
        same = [ranked[other][0] for other in np.flatnonzero(like_it[index])]
        kept.append((_read(ranked[index][0], same), float(scores[like_it[index]].max(initial=scores[index]))))
    sure = [pair for pair in kept if pair[1] >= SURE]
    if len(sure) < 2:
        return kept
    near = np.array([[_adjoin(one, other) for other, _ in sure] for one, _ in sure])
    label = chains(near)
    blocks = [[pair for pair, own in zip(sure, label, strict=True) if own == at] for at in range(int(label.max()) + 1)]
    return [_block(block) for block in blocks] + [pair for pair in kept if pair[1] < SURE]


def _read(line: Lettering, same: Sequence[Lettering]) -> Lettering:
    """A box of the network's with the letters that were measured in the worthiest box like it, should there be some."""
    if line.letters:
        return line
    measured = next((other for other in same if other.letters), line)
    return replace(line, letters=measured.letters, solid=measured.solid)


def _shared_areas(boxes: Sequence[Box]) -> tuple[Doubles, Doubles]:
    """The area that any two boxes share, shape (boxes, boxes), and each box's own, as fractions of the image."""
    left, top, right, bottom = edges_of(boxes).T
    across = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    down = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    return shared, np.diagonal(shared)


def _adjoin(one: Lettering, other: Lettering) -> bool:
    """Whether two lines of like height lie under each other, or beside each other on one level."""
    tall = max(one.height_percent, other.height_percent) / 100
    if one.told and other.told and one.twins and other.twins:  # repeats of one watermark
        return False
    if min(one.height_percent, other.height_percent) < 55 * tall:
        return False
    a, b = one.box, other.box
    down = max(a.y, b.y) - min(a.bottom, b.bottom)
    across = max(a.x, b.x) - min(a.right, b.right)
    return (down <= 0.9 * tall and across < 0) or (down < -0.6 * tall and across <= 1.5 * tall)


def _block(lines: list[tuple[Lettering, float]]) -> tuple[Lettering, float]:
    best, score = lines[0]
    x, y = min(line.box.x for line, _ in lines), min(line.box.y for line, _ in lines)
    right, bottom = max(line.box.right for line, _ in lines), max(line.box.bottom for line, _ in lines)
    letters = sum(line.letters for line, _ in lines)
    return replace(best, box=Box(x, y, right - x, bottom - y), letters=letters), score


def lines_once(seen: Sequence[tuple[Line | Fibre, Look]]) -> list[tuple[Line | Fibre, float]]:
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
