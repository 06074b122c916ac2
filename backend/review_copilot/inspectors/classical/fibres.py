"""Hairs and bent scratches: thin things that lie by themselves. Knows no guideline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical.frame import Floats, Frame, Grey, Mask, strongest
from review_copilot.inspectors.classical.linking import pairs_within
from review_copilot.inspectors.classical.parts import Ints, parts_of
from review_copilot.inspectors.classical.traces import Traces

SIDE_PX = 9
"""Side of the structuring element; what is thinner vanishes in it."""
STANDOUT, LEAST_CONTRAST = 2.2, 10
"""How many times more than the mean nearby a fibre stands out, and by how many grey levels."""
LEAST_LENGTH = 0.06
"""Shortest fibre, as a share of the shorter side."""
MOST_FIBRES = 40
"""Of more than this, for each sign and mask, the longest are kept."""
MOST_THICK, MOST_COILED = 9.0, 24.0
"""Most pixels for each pixel of the box's diagonal; more where the network takes them for a hair."""
WORTH_A_LOOK = 0.15
"""Where the network takes no place for a scratch or a hair with this probability, none is looked for."""
LIKELY, LEAST_LIKELY = 0.3, 7
"""Where the network takes a place for one with this probability, fibres stand out from so few grey levels on."""
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
        seen: How likely the network takes it for a scratch or a hair, mean over its pixels, 0..1.
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
    seen: float


def fibres(frame: Frame, seen: Traces) -> tuple[Fibre, ...]:
    """Connected thin things, longest first; what a small opening or closing takes away (J. Serra, 1982).

    Args:
        frame: The picture.
        seen: What the network says of it; nothing is looked for where it is sure of nothing.
    """
    rgb = frame.middle_rgb
    if min(rgb.shape[:2]) < 64 or float(seen.lines.max()) < WORTH_A_LOOK:
        return ()
    likely, near = seen.lines_everywhere, seen.near(seen.lines, shape=seen.size).view(np.bool_)
    found: list[Fibre] = []
    kernel = np.ones((SIDE_PX, SIDE_PX), np.uint8)
    for how, sign in ((cv2.MORPH_OPEN, 1), (cv2.MORPH_CLOSE, -1)):
        ground = np.asarray(cv2.morphologyEx(rgb, how, kernel), np.uint8)
        relief = strongest(np.asarray(cv2.absdiff(rgb, ground), np.uint8))
        nearby = np.asarray(cv2.blur(relief, (NEARBY_PX, NEARBY_PX)), np.uint8)
        level = _Level(rgb, ground, relief, nearby, likely, sign)
        stands = (relief >= cv2.convertScaleAbs(nearby, alpha=STANDOUT)) & (relief >= LEAST_CONTRAST)
        found += _thin_parts(level, near & stands)
        found += _thin_parts(level, (likely >= LIKELY) & (relief >= LEAST_LIKELY), most=MOST_COILED)
    return once(sorted(found, key=lambda fibre: -fibre.length))


@dataclass(frozen=True, eq=False)
class _Level:
    """A picture, what it is without thin things of one sign, and what the difference is."""

    rgb: Pixels
    ground: Pixels
    relief: Grey
    nearby: Grey
    likely: Floats
    sign: int

    @cached_property
    def edges(self) -> Grey:
        """How much what lies under thin things differs close by."""
        kernel = np.ones((SIDE_PX, SIDE_PX), np.uint8)
        return np.asarray(cv2.morphologyEx(strongest(self.ground), cv2.MORPH_GRADIENT, kernel), np.uint8)


def once(found: Sequence[Fibre]) -> tuple[Fibre, ...]:
    """Every thing once, as the first mask saw it, that both saw between the same edges."""
    if not found:
        return ()
    edges = np.array([(f.box.x, f.box.y, f.box.right, f.box.bottom) for f in found])
    light = np.array([f.contrast > 0 for f in found])
    later, before = pairs_within(edges[:, 0], edges[:, 0] - SAME_EDGE, edges[:, 0] + SAME_EDGE)
    same = (np.abs(edges[later] - edges[before]).max(axis=1) < SAME_EDGE) & (light[later] == light[before])
    first = np.ones(len(found), np.bool_)
    first[later[same & (before < later)]] = False
    return tuple(fibre for fibre, kept in zip(found, first.tolist(), strict=True) if kept)


def _thin_parts(level: _Level, stands: Mask, *, most: float = MOST_THICK) -> list[Fibre]:
    """The connected parts of a mask that have the shape of a fibre, in numbers."""
    height, width = stands.shape
    mask = stands.view(np.uint8)
    shorter = LEAST_LENGTH * min(height, width)
    parts = parts_of(mask, least_px=0.8 * shorter)
    w, h, area = (part.astype(np.float32) for part in (parts.width, parts.height, parts.area))
    diagonal = np.hypot(w, h)
    fitting = (np.maximum(w, h) >= shorter) & (area >= 0.8 * np.maximum(w, h))
    fitting &= area <= most * diagonal
    chosen = np.flatnonzero(fitting)
    chosen = chosen[np.argsort(-diagonal[chosen])[:MOST_FIBRES]]
    if chosen.size == 0:
        return []
    on, starts = parts.pixels(chosen)
    numbers = _numbers(level, mask, on, starts=starts, pixels=area[chosen])
    out = []
    for index, at in enumerate(chosen):
        x, y = int(parts.x[at]), int(parts.y[at])
        out.append(
            Fibre(
                box=Box(x / width, y / height, float(w[at]) / width, float(h[at]) / height),
                length=float(max(w[at], h[at])) / height,
                thickness=float(area[at] / diagonal[at]),
                fill=float(area[at] / (w[at] * h[at])),
                rivals=int((diagonal[chosen] >= diagonal[at]).sum()) - 1,
                **{name: float(values[index]) for name, values in numbers.items()},
            )
        )
    return out


def _numbers(
    level: _Level, mask: Grey, on: Ints, *, starts: npt.NDArray[np.int64], pixels: Floats
) -> dict[str, Floats]:
    """What a fibre's pixels say together, one number for each fibre.

    Args:
        level: The picture.
        mask: Where something stands out.
        on: Flat places of the fibres' pixels, fibre by fibre.
        starts: Where in `on` each fibre begins.
        pixels: How many pixels each has.
    """
    own, under = (np.take(p.reshape(-1, 3), on, axis=0).T.astype(np.float32) for p in (level.rgb, level.ground))
    rise, nearby, edges, likely = (
        np.take(p, on).astype(np.float32) for p in (level.relief, level.nearby, level.edges, level.likely)
    )
    step, room = (own - under).mean(axis=0), (255.0 if level.sign > 0 else 0.0) - under.mean(axis=0)
    rim = np.take(cv2.subtract(mask, cv2.erode(mask, np.ones((3, 3), np.uint8))), on)
    rows = [
        *own,
        *under,
        *own**2,
        *under**2,
        rise,
        rise**2,
        nearby,
        edges,
        likely,
        rim,
        step,
        step**2,
        room**2,
        step * room,
    ]
    mean = np.add.reduceat(np.stack(rows), starts, axis=1, dtype=np.float64) / pixels
    colour, spread = mean[:3], np.sqrt(np.maximum(mean[6:12] - mean[:6] ** 2, 0))
    rise, squared, nearby, edges, likely, rim, step, steps, rooms, both = mean[12:]
    rest = np.sqrt(np.maximum(steps - both**2 / np.maximum(rooms, 1), 0))
    numbers = {
        "contrast": level.sign * rise,
        "standout": rise / (nearby + 1),
        "evenness": np.sqrt(np.maximum(squared - rise**2, 0)) / np.maximum(rise, 1),
        "veil": rest / np.maximum(np.abs(step), 1),
        "spread": spread[:3].mean(axis=0),
        "ground": spread[3:].mean(axis=0),
        "apart": edges / np.maximum(rise, 1),
        "tone": colour.mean(axis=0),
        "hue": np.ptp(colour, axis=0),
        "pen": 2 / np.maximum(rim, 0.05),
        "seen": likely,
    }
    return {name: np.asarray(values, np.float32) for name, values in numbers.items()}
