"""Hairs and bent scratches: thin things that lie by themselves. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from review_copilot.domain.geometry import Box
from review_copilot.inspectors.classical.frame import Floats, Frame, Grey

RIDGE_PX = 7
"""Side of the structuring element; what is thinner than this vanishes in it."""
LEAST_RIDGE = 12
"""Grey levels by which a fibre stands out."""
STANDOUT = 3.0
"""A fibre also stands out this many times more than the mean nearby."""
LEAST_LENGTH = 0.08
"""Shortest fibre, as a share of the shorter side."""
MOST_FIBRES = 60
"""Of more than this the longest are kept."""


@dataclass(frozen=True, slots=True)
class Fibre:
    """A thin thing.

    Attributes:
        box: Around it.
        length: Longer side of its box, as a share of the picture's height.
        thickness: Its pixels over the diagonal of its box; 1 to 3 for a hair.
        contrast: Mean difference from what it lies on, in grey levels; negative for dark ones.
        evenness: Spread of that difference over its mean.
        spread: Spread of its own level, in grey levels.
        ground: Spread of the level of what it lies on, in grey levels.
        tone: Its own mean level, 0..255.
        fill: Its pixels over its box; small for a bent line, large for a straight level one.
        rivals: Number of other thin things no shorter.
    """

    box: Box
    length: float
    thickness: float
    contrast: float
    evenness: float
    spread: float
    ground: float
    tone: float
    fill: float
    rivals: int


def fibres(frame: Frame) -> tuple[Fibre, ...]:
    """Connected thin things, longest first; what a small opening or closing takes away (J. Serra, 1982)."""
    grey = frame.middle_grey
    if min(grey.shape) < 64:
        return ()
    kernel = np.ones((RIDGE_PX, RIDGE_PX), np.uint8)
    found: list[Fibre] = []
    for how, sign in ((cv2.MORPH_OPEN, 1), (cv2.MORPH_CLOSE, -1)):
        ground = np.asarray(cv2.morphologyEx(grey, how, kernel), np.uint8)
        found += _thin_parts(grey, ground, sign=sign)
    return tuple(sorted(found, key=lambda fibre: -fibre.length))


def _thin_parts(grey: Grey, ground: Grey, *, sign: int) -> list[Fibre]:
    height, width = grey.shape
    relief = cv2.absdiff(grey, ground)
    nearby = cv2.blur(relief, (61, 61))
    threshold = np.maximum(cv2.convertScaleAbs(nearby, alpha=STANDOUT), np.uint8(LEAST_RIDGE))
    count, labels, stats, _ = cv2.connectedComponentsWithStats((relief >= threshold).astype(np.uint8), connectivity=8)
    w, h, area = (stats[:, i].astype(np.float32) for i in (2, 3, 4))
    diagonal = np.hypot(w, h)
    fitting = (np.maximum(w, h) >= LEAST_LENGTH * min(height, width)) & (area >= 0.8 * np.maximum(w, h))
    fitting &= area <= 4.5 * diagonal
    fitting[0] = False
    chosen = np.flatnonzero(fitting)
    chosen = chosen[np.argsort(-diagonal[chosen])[:MOST_FIBRES]]
    if chosen.size == 0:
        return []
    wanted = np.zeros(count, np.bool_)
    wanted[chosen] = True
    flat = labels.ravel()
    on = np.flatnonzero(flat)
    on = on[wanted[flat[on]]]
    owner = flat[on]

    def moments(plane: Grey) -> tuple[Floats, Floats]:
        values = plane.ravel()[on].astype(np.float64)
        mean = np.bincount(owner, values, minlength=count)[chosen] / area[chosen]
        square = np.bincount(owner, values * values, minlength=count)[chosen] / area[chosen]
        return np.asarray(mean, np.float32), np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)), np.float32)

    rise, rise_spread = moments(np.asarray(relief, np.uint8))
    tone, tone_spread = moments(grey)
    _, ground_spread = moments(ground)
    out = []
    for place, index in enumerate(chosen):
        x, y = int(stats[index, 0]), int(stats[index, 1])
        out.append(
            Fibre(
                box=Box(x / width, y / height, float(w[index]) / width, float(h[index]) / height),
                length=float(max(w[index], h[index])) / height,
                thickness=float(area[index] / diagonal[index]),
                contrast=sign * float(rise[place]),
                evenness=float(rise_spread[place] / max(rise[place], 1)),
                spread=float(tone_spread[place]),
                ground=float(ground_spread[place]),
                tone=float(tone[place]),
                fill=float(area[index] / (w[index] * h[index])),
                rivals=int((diagonal[chosen] >= diagonal[index]).sum()) - 1,
            )
        )
    return out
