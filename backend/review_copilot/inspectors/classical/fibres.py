"""Hairs and bent scratches: thin things that lie by themselves. Knows no guideline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical.frame import Floats, Frame, Grey, Mask, strongest

SIZES = ((9, 2.2, 10), (5, 4.0, 20))
"""Side of the structuring element in pixels, what is thinner vanishes in it; how many times more than the mean nearby a
fibre stands out; and by how many grey levels. Broad faint hairs are seen by the first, crisp ones on texture by the
second."""
LEAST_LENGTH = 0.06
"""Shortest fibre, as a share of the shorter side."""
MOST_FIBRES = 40
"""Of more than this, for each size and sign, the longest are kept."""
MOST_THICK = 9.0
"""Most pixels for each pixel of the box's diagonal."""
SAME_EDGE = 0.008
"""Shares of the picture within which two edges are one."""
NEARBY_PX = 61
"""Side of the neighbourhood that a fibre stands out from."""


@dataclass(frozen=True, slots=True)
class Fibre:
    """A thin thing.

    Attributes:
        box: Around it.
        length: Longer side of its box, as a share of the picture's height.
        thickness: Its pixels over the diagonal of its box; 1 to 3 for a hair, more for a coiled one.
        pen: Its mean width in pixels, by its area over its rim.
        contrast: Mean difference from what it lies on in the channel that shows it most, in grey levels; negative for
            dark ones.
        standout: That difference over the mean one nearby.
        evenness: Spread of that difference over its mean.
        veil: What one even share of white (black for dark ones) leaves unexplained of that difference, over its mean.
        spread: Spread of its own level, mean of the channels, in grey levels.
        ground: Spread of the level of what it lies on, likewise.
        apart: Range of the level of what it lies on, close by, over its contrast; large along the edge of a thing.
        tone: Its own mean level, 0..255.
        hue: Largest less smallest channel of its own mean colour, in levels.
        fill: Its pixels over its box; small for a bent line, large for a straight level one.
        rivals: Number of other thin things no shorter.
    """

    box: Box
    length: float
    thickness: float
    pen: float
    contrast: float
    standout: float
    evenness: float
    veil: float
    spread: float
    ground: float
    apart: float
    tone: float
    hue: float
    fill: float
    rivals: int


def fibres(frame: Frame) -> tuple[Fibre, ...]:
    """Connected thin things, longest first; what a small opening or closing takes away (J. Serra, 1982)."""
    rgb = frame.middle_rgb
    if min(rgb.shape[:2]) < 64:
        return ()
    found: list[Fibre] = []
    for size_px, standout, least in SIZES:
        kernel = np.ones((size_px, size_px), np.uint8)
        for how, sign in ((cv2.MORPH_OPEN, 1), (cv2.MORPH_CLOSE, -1)):
            ground = np.asarray(cv2.morphologyEx(rgb, how, kernel), np.uint8)
            edges = cv2.morphologyEx(strongest(ground), cv2.MORPH_GRADIENT, kernel)
            found += _thin_parts(rgb, ground, np.asarray(edges, np.uint8), sign=sign, standout=standout, least=least)
    return once(sorted(found, key=lambda fibre: -fibre.length))


def once(found: Sequence[Fibre]) -> tuple[Fibre, ...]:
    """Every thing once, as the first size saw it, that both sizes saw between the same edges."""
    if not found:
        return ()
    edges = np.array([(f.box.x, f.box.y, f.box.right, f.box.bottom) for f in found])
    light = np.array([f.contrast > 0 for f in found])
    same = (np.abs(edges[:, None] - edges).max(axis=2) < SAME_EDGE) & (light[:, None] == light)
    first: Mask = np.asarray(~np.tril(same, -1).any(axis=1))
    return tuple(fibre for fibre, kept in zip(found, first.tolist(), strict=True) if kept)


def _thin_parts(rgb: Pixels, ground: Pixels, edges: Grey, *, sign: int, standout: float, least: int) -> list[Fibre]:
    height, width = rgb.shape[:2]
    relief = strongest(np.asarray(cv2.absdiff(rgb, ground), np.uint8))
    nearby = np.asarray(cv2.blur(relief, (NEARBY_PX, NEARBY_PX)), np.uint8)
    mask = np.asarray((relief >= cv2.convertScaleAbs(nearby, alpha=standout)) & (relief >= least), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    w, h, area = (stats[:, i].astype(np.float32) for i in (2, 3, 4))
    diagonal = np.hypot(w, h)
    fitting = (np.maximum(w, h) >= LEAST_LENGTH * min(height, width)) & (area >= 0.8 * np.maximum(w, h))
    fitting &= area <= MOST_THICK * diagonal
    fitting[0] = False
    chosen = np.flatnonzero(fitting)
    chosen = chosen[np.argsort(-diagonal[chosen])[:MOST_FIBRES]]
    if chosen.size == 0:
        return []
    place = np.full(count, -1, np.int32)
    place[chosen] = np.arange(chosen.size, dtype=np.int32)
    on = np.flatnonzero(mask.ravel().view(np.bool_))
    owner = place[labels.ravel()[on]]
    on, owner = on[owner >= 0], owner[owner >= 0]
    pixels = area[chosen]

    def mean(values: npt.NDArray[np.generic]) -> Floats:
        return np.asarray(np.bincount(owner, values, minlength=chosen.size) / pixels, np.float32)

    def deviation(values: Floats) -> Floats:
        return np.asarray(np.sqrt(np.maximum(mean(values * values) - mean(values) ** 2, 0)), np.float32)

    own, under = (plane.reshape(-1, 3)[on].astype(np.float32) for plane in (rgb, ground))
    rise = relief.ravel()[on].astype(np.float32)
    colour = np.stack([mean(own[:, c]) for c in range(3)])
    rim = mean(cv2.subtract(mask, cv2.erode(mask, np.ones((3, 3), np.uint8))).ravel()[on])
    step, room = (own - under).mean(axis=1), (255.0 if sign > 0 else 0.0) - under.mean(axis=1)
    shared = mean(step * room) ** 2 / np.maximum(mean(room * room), 1)
    rest = np.sqrt(np.maximum(mean(step * step) - shared, 0))
    columns = {
        "contrast": sign * mean(rise),
        "standout": mean(rise) / (mean(nearby.ravel()[on]) + 1),
        "evenness": deviation(rise) / np.maximum(mean(rise), 1),
        "veil": rest / np.maximum(np.abs(mean(step)), 1),
        "spread": np.mean([deviation(own[:, c]) for c in range(3)], axis=0),
        "ground": np.mean([deviation(under[:, c]) for c in range(3)], axis=0),
        "apart": mean(edges.ravel()[on]) / np.maximum(mean(rise), 1),
        "tone": colour.mean(axis=0),
        "hue": np.ptp(colour, axis=0),
        "pen": 2 / np.maximum(rim, 0.05),
    }
    out = []
    for index, at in enumerate(chosen):
        x, y = int(stats[at, 0]), int(stats[at, 1])
        out.append(
            Fibre(
                box=Box(x / width, y / height, float(w[at]) / width, float(h[at]) / height),
                length=float(max(w[at], h[at])) / height,
                thickness=float(area[at] / diagonal[at]),
                fill=float(area[at] / (w[at] * h[at])),
                rivals=int((diagonal[chosen] >= diagonal[at]).sum()) - 1,
                **{name: float(values[index]) for name, values in columns.items()},
            )
        )
    return out
