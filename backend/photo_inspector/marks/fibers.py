"""Hairs and bent scratches: thin things that lie by themselves. Knows no guideline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.marks.slender import slender_edges
from photo_inspector.networks.traces import LETTERS_PX, Traces
from photo_inspector.pixels.frame import Floats, Frame, Gray, Mask, strongest
from photo_inspector.pixels.linking import pairs_within
from photo_inspector.pixels.parts import Ints, parts_of
from photo_inspector.pixels.votes import Elected, Votes, backing, edges_of
from review_copilot.plugin import Box, Pixels

SIDE_PX = 9
"""Side of the structuring element; what is thinner vanishes in it."""
STANDOUT, LEAST_CONTRAST = 2.2, 10
"""How many times more than the mean nearby a fiber stands out, and by how many gray levels."""
LEAST_LENGTH = 0.06
"""Shortest fiber, as a share of the shorter side."""
MOST_FIBRES = 40
"""Of more than this, for each sign and mask, the longest are kept."""
MOST_THICK, MOST_COILED = 9.0, 24.0
"""Most pixels for each pixel of the box's diagonal; more where the network takes them for a hair."""
WORTH_A_LOOK = 0.3
"""Where the network takes no place for a scratch or a hair with this probability, none is looked for."""
LEAST_SEEN = 0.15
"""How likely the network takes a part for a fiber, at least, that is boxed tightly."""
LEAST_SHOWN = 0.4
"""Pixels of a box of the network's that stand out, at least, for each pixel of its longer side."""
LIKELY, LEAST_LIKELY = 0.3, 7
"""Where the network takes a place for one with this probability, fibers stand out from so few gray levels on."""
TRACK = 96
"""Places on a fiber that are kept at least where it has so many pixels; fewer than twice as many."""
SAME_EDGE = 0.008
"""Shares of the picture within which two edges are one."""
NEARBY_PX = 61
"""Side of the neighborhood that a fiber stands out from."""


@dataclass(frozen=True, slots=True)
class Fiber:
    """A thin thing.

    Attributes:
        box: Around it.
        length: Longer side of its box, as a share of the picture's height.
        thickness: Its pixels over the diagonal of its box; 1 to 3 for a hair, more for a coiled one.
        pen: Its mean width in pixels, by its area over its rim.
        contrast: Mean difference from what it lies on in the channel that shows it most, in gray levels; negative for
            dark ones.
        standout: That difference over the mean one nearby.
        evenness: Spread of that difference over its mean.
        veil: What one even share of white (black for dark ones) leaves unexplained of that difference, over its mean.
        spread: Spread of its own level, mean of the channels, in gray levels.
        ground: Spread of the level of what it lies on, likewise.
        apart: Range of the level of what it lies on, close by, over its contrast; large along the edge of a thing.
        tone: Its own mean level, 0..255.
        hue: Largest less smallest channel of its own mean color, in levels.
        fill: Its pixels over its box; small for a bent line, large for a straight level one.
        rivals: Number of other thin things no shorter.
        seen: How likely the network takes it for a scratch or a hair, mean over its pixels, 0..1.
        backing: How many squares the network takes for a line of such a box, over those along its longer side.
        track: Places on it as fractions of the picture, shape (fewer than 2 TRACK, 2).
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
    backing: float
    track: Floats = field(compare=False, repr=False)


def fibers(frame: Frame, seen: Traces) -> tuple[Fiber, ...]:
    """Connected thin things, longest first; what a small opening or closing takes away (J. Serra, 1982).

    Args:
        frame: The picture.
        seen: What the network says of it; nothing is looked for where it is sure of nothing.
    """
    rgb = frame.middle_rgb
    if min(rgb.shape[:2]) < 64 or float(seen.lines.max()) < WORTH_A_LOOK:
        return ()
    likely, near = seen.lines_everywhere, seen.near(seen.lines, shape=seen.size).view(np.bool_)
    found: list[Fiber] = []
    kernel = np.ones((SIDE_PX, SIDE_PX), np.uint8)
    for how, sign in ((cv2.MORPH_OPEN, 1), (cv2.MORPH_CLOSE, -1)):
        ground = np.asarray(cv2.morphologyEx(rgb, how, kernel), np.uint8)
        relief = strongest(np.asarray(cv2.absdiff(rgb, ground), np.uint8))
        nearby = np.asarray(cv2.blur(relief, (NEARBY_PX, NEARBY_PX)), np.uint8)
        level = _Level(rgb, ground, relief, nearby, likely, sign)
        stands = (relief >= cv2.convertScaleAbs(nearby, alpha=STANDOUT)) & (relief >= LEAST_CONTRAST)
        found += _thin_parts(level, near & stands)
        where = (likely >= LIKELY) & (relief >= LEAST_LIKELY)
        found += _thin_parts(level, where, most=MOST_COILED)
        found += _boxed(level, where, seen.line_votes, seen.line_boxes)
    backed = backing(edges_of(fiber.box for fiber in found), seen.line_boxes, thin=True).tolist()
    found = [replace(fiber, backing=own) for fiber, own in zip(found, backed, strict=True)]
    return once(sorted(found, key=lambda fiber: -fiber.length))


@dataclass(frozen=True, eq=False)
class _Level:
    """A picture, what it is without thin things of one sign, and what the difference is."""

    rgb: Pixels
    ground: Pixels
    relief: Gray
    nearby: Gray
    likely: Floats
    sign: int

    @cached_property
    def edges(self) -> Gray:
        """How much what lies under thin things differs close by."""
        kernel = np.ones((SIDE_PX, SIDE_PX), np.uint8)
        return np.asarray(cv2.morphologyEx(strongest(self.ground), cv2.MORPH_GRADIENT, kernel), np.uint8)


def once(found: Sequence[Fiber]) -> tuple[Fiber, ...]:
    """Every thing once, as the first mask saw it, that both saw between the same edges."""
    if not found:
        return ()
    edges = edges_of(fiber.box for fiber in found)
    light = np.array([f.contrast > 0 for f in found])
    later, before = pairs_within(edges[:, 0], edges[:, 0] - SAME_EDGE, edges[:, 0] + SAME_EDGE)
    same = (np.abs(edges[later] - edges[before]).max(axis=1) < SAME_EDGE) & (light[later] == light[before])
    first = np.ones(len(found), np.bool_)
    first[later[same & (before < later)]] = False
    return tuple(fiber for fiber, kept in zip(found, first.tolist(), strict=True) if kept)


def _thin_parts(level: _Level, stands: Mask, *, most: float = MOST_THICK) -> list[Fiber]:
    """The connected parts of a mask that have the shape of a fiber."""
    shorter = LEAST_LENGTH * min(stands.shape)
    parts = parts_of(stands.view(np.uint8), least_px=0.8 * shorter)
    w, h, area = (part.astype(np.float32) for part in (parts.width, parts.height, parts.area))
    diagonal = np.hypot(w, h)
    fitting = (np.maximum(w, h) >= shorter) & (area >= 0.8 * np.maximum(w, h))
    fitting &= area <= most * diagonal
    chosen = np.flatnonzero(fitting)
    chosen = chosen[np.argsort(-diagonal[chosen])[:MOST_FIBRES]]
    if chosen.size == 0:
        return []
    x, y = parts.x[chosen], parts.y[chosen]
    sides = np.stack([x, y, x + parts.width[chosen], y + parts.height[chosen]], axis=1).astype(np.float64)
    on, starts = parts.pixels(chosen)
    return _described(level, stands, on, starts=starts, sides=sides)


def _boxed(level: _Level, stands: Mask, votes: Votes, chosen: Sequence[Elected]) -> list[Fiber]:
    """What stands out in the squares that agree on the box of a fine line, where enough does."""
    height, width = stands.shape
    owner = np.full((-(-height // LETTERS_PX), -(-width // LETTERS_PX)), len(chosen))
    for index, one in enumerate(chosen):
        owner[votes.row[one.squares], votes.column[one.squares]] = index
    on = np.flatnonzero(stands)
    whose = owner[on // width // LETTERS_PX, on % width // LETTERS_PX]
    sides = edges_of(one.box for one in chosen) * (width, height, width, height)
    longer = np.maximum(1.0, np.maximum(sides[:, 2] - sides[:, 0], sides[:, 3] - sides[:, 1]))
    sizes = np.bincount(whose, minlength=len(chosen) + 1)[:-1]
    shown = np.flatnonzero(sizes >= LEAST_SHOWN * longer)
    if shown.size == 0:
        return []
    order = np.argsort(whose, kind="stable")
    ends = np.cumsum(sizes)
    kept = np.concatenate([order[ends[index] - sizes[index] : ends[index]] for index in shown])
    starts = np.cumsum(sizes[shown]) - sizes[shown]
    return _described(level, stands, on[kept], starts=starts, sides=sides[shown], boxed=True)


def _described(
    level: _Level,
    stands: Mask,
    on: Ints,
    *,
    starts: Ints,
    sides: npt.NDArray[np.float64],
    boxed: bool = False,
) -> list[Fiber]:
    """Fibers in numbers.

    Args:
        level: The picture.
        stands: Where something stands out.
        on: Flat places of the fibers' pixels, fiber by fiber.
        starts: Where in `on` each fiber begins.
        sides: Left, upper, right and lower edge of each in pixels, shape (fibers, 4).
        boxed: Whether these are boxes of the network's; parts of a mask are boxed more tightly where they are likely.
    """
    height, width = stands.shape
    sizes = np.diff(starts, append=on.size)
    numbers = _numbers(level, stands.view(np.uint8), on, starts=starts, pixels=sizes.astype(np.float32))
    w, h = np.maximum(sides[:, 2:] - sides[:, :2], 1).T
    diagonal = np.hypot(w, h)
    rows = zip(*(values.tolist() for values in numbers.values()), strict=True)
    out = []
    for index, row in enumerate(rows):
        own = on[starts[index] :][: sizes[index]]
        told = dict(zip(numbers, row, strict=True))
        left, top, right, bottom = sides[index].tolist()
        if not boxed and told["seen"] >= LEAST_SEEN:
            down, across = np.divmod(own, width)
            left, top, right, bottom = slender_edges(across, down, np.take(level.relief, own).astype(np.float32))
        out.append(
            Fiber(
                box=Box(left / width, top / height, (right - left) / width, (bottom - top) / height),
                length=float(max(w[index], h[index])) / height,
                thickness=float(sizes[index] / diagonal[index]),
                fill=float(sizes[index] / (w[index] * h[index])),
                rivals=int((diagonal >= diagonal[index]).sum()) - 1,
                backing=0.0,
                track=_track(own, shape=stands.shape),
                **told,
            )
        )
    return out


def _track(on: Ints, *, shape: tuple[int, ...]) -> Floats:
    """Some of a part's pixels, as fractions of the picture."""
    rows, columns = np.divmod(on[:: max(1, on.size // TRACK)], shape[1])
    return np.stack([(columns + 0.5) / shape[1], (rows + 0.5) / shape[0]], axis=1).astype(np.float32)


def _numbers(
    level: _Level, mask: Gray, on: Ints, *, starts: npt.NDArray[np.int64], pixels: Floats
) -> dict[str, Floats]:
    """What a fiber's pixels say together, one number for each fiber.

    Args:
        level: The picture.
        mask: Where something stands out.
        on: Flat places of the fibers' pixels, fiber by fiber.
        starts: Where in `on` each fiber begins.
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
    color, spread = mean[:3], np.sqrt(np.maximum(mean[6:12] - mean[:6] ** 2, 0))
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
        "tone": color.mean(axis=0),
        "hue": np.ptp(color, axis=0),
        "pen": 2 / np.maximum(rim, 0.05),
        "seen": likely,
    }
    return {name: np.asarray(values, np.float32) for name, values in numbers.items()}
