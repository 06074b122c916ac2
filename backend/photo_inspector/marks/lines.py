"""Scratches: fine lines of one tone that cross the picture without regard to the scene. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.marks.fibers import LEAST_LIKELY, LIKELY, WORTH_A_LOOK
from photo_inspector.networks.traces import NO_LINES, Traces
from photo_inspector.pixels.frame import Floats, Frame, Mask, strongest
from photo_inspector.pixels.linking import chains
from photo_inspector.pixels.ranks import quantiles
from photo_inspector.pixels.votes import backing, edges_of
from review_copilot.plugin import Box, Pixels

RIDGE_PX = 5
"""Side of the structuring element; ridges of less than this vanish in it."""
LEAST_RIDGE = 12
"""Gray levels by which a ridge stands out."""
STANDOUT = 3.0
"""A ridge also stands out this many times more than the mean nearby."""
LEAST_LENGTH = 0.1
"""Shortest line, as a share of the shorter side."""
MOST_LINES = 40
"""Lines looked at for each sign, longest first."""
STEPS = 96
"""Places along a line's way across the picture at which it is read."""
REACH_PX = 7
"""Pixels to both sides of a line that are read."""
MOSTLY = 0.5
"""Where the network takes a place for a line with more than this probability, a line goes on over ground of its own
tone."""
WANDER_PX = 3
"""Pixels by which a line may leave the straight way."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Line:
    """A fine line.

    Attributes:
        box: Around the line, at least one pixel wide.
        length: Length as a share of the picture's height.
        contrast: Median difference from both sides, in gray levels; negative for dark lines.
        steady: Share of the line's length over which it stands out from both sides.
        evenness: Spread of its own level over the spread of the ground it crosses; small for a scratch.
        ground: Spread of the levels on its sides, in gray levels.
        apart: Median difference between its two sides, in gray levels; large along the edge of a thing.
        tone: Its own median level, 0..255.
        upright: Angle from the vertical in degrees, 0..90.
        wander: Root mean square distance from the straight way, in pixels.
        hue: Largest less smallest channel of its own median color, in levels.
        veil: What one even share of white (of black for dark ones) leaves unexplained of its difference from its sides,
            over that difference.
        rivals: Number of other fine lines in the same direction; facades and fences have many.
        beyond: Share of the way beyond both ends that still looks like the line.
        seen: How likely the network takes it for a scratch, mean along the line, 0..1.
        backing: How many squares the network takes for a line of such a box, over those along its longer side.
        track: Places on it as fractions of the picture, shape (places, 2).
    """

    box: Box
    length: float
    contrast: float
    steady: float
    evenness: float
    ground: float
    apart: float
    tone: float
    upright: float
    wander: float
    hue: float
    veil: float
    rivals: int
    beyond: float
    seen: float
    backing: float
    track: Floats = field(compare=False, repr=False)


def lines(frame: Frame, seen: Traces) -> tuple[Line, ...]:
    """Fine lines, longest first: ridges that a straight line follows (J. Matas, PPHT, 2000), read across their way.

    Args:
        frame: The picture.
        seen: What the network says of it; nothing is looked for where it is sure of nothing.
    """
    rgb = frame.middle_rgb
    if min(rgb.shape[:2]) < 64 or float(seen.lines.max()) < WORTH_A_LOOK:
        return ()
    likely = seen.lines_everywhere
    kernel = np.ones((RIDGE_PX, RIDGE_PX), np.uint8)
    found: list[Line] = []
    for how, sign in ((cv2.MORPH_TOPHAT, 1), (cv2.MORPH_BLACKHAT, -1)):
        segments = _segments(np.asarray(cv2.morphologyEx(rgb, how, kernel), np.uint8), likely)
        if segments.size:
            found += _read(rgb, likely, _one_each(segments), sign=sign)
    backed = backing(edges_of(line.box for line in found), seen.line_boxes, thin=True).tolist()
    told = [replace(line, backing=own) for line, own in zip(found, backed, strict=True)]
    return tuple(sorted(told, key=lambda line: -line.length))


def _segments(relief: Pixels, likely: Floats) -> Floats:
    """Straight runs of ridge pixels at half size, as x1, y1, x2, y2 in full pixels; shape (segments, 4).

    Args:
        relief: How far each channel rises over its surroundings, in gray levels.
        likely: How likely the network takes each pixel for a line.
    """
    rows, columns = relief.shape[0] // 2, relief.shape[1] // 2
    # the strongest ridge of every 2 x 2 pixels: a quarter of the work, no thin line lost
    tall = strongest(np.maximum(relief[: 2 * rows : 2], relief[1 : 2 * rows : 2]))
    pooled = np.maximum(tall[:, : 2 * columns : 2], tall[:, 1 : 2 * columns : 2])
    nearby = cv2.blur(pooled, (31, 31))
    stands = (pooled >= LEAST_RIDGE) & (pooled >= cv2.convertScaleAbs(nearby, alpha=STANDOUT))
    half = likely[: 2 * rows : 2, : 2 * columns : 2]
    mask = (stands & (half >= NO_LINES) | (half >= LIKELY) & (pooled >= LEAST_LIKELY)).astype(np.uint8)
    least = max(8, int(LEAST_LENGTH * min(mask.shape)))
    raw = cv2.HoughLinesP(mask, 1, np.pi / 180, threshold=int(0.6 * least), minLineLength=least, maxLineGap=6)
    if raw is None:
        return np.zeros((0, 4), np.float32)
    found = np.asarray(raw, np.float32).reshape(-1, 4) * 2 + 0.5
    length = np.hypot(found[:, 2] - found[:, 0], found[:, 3] - found[:, 1])
    return found[np.argsort(-length)[: 4 * MOST_LINES]]


def _one_each(segments: Floats) -> Floats:
    """Segments that continue each other become one: both ends of one lie by the other's way."""
    start, end = segments[:, :2], segments[:, 2:]
    along = end - start
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    x, y = (along / length[:, None]).T[..., None]
    away, reach = [], []
    for point in (start, end):
        across, down = (values - own[:, None] for values, own in zip(point.T, start.T, strict=True))
        away.append(np.abs(down * x - across * y))
        reach.append(across * x + down * y)
    gap = 30
    beside = np.maximum(*away) < 2 * WANDER_PX
    same: Mask = beside & (np.maximum(*reach) > -gap) & (np.minimum(*reach) < length[:, None] + gap)
    label = chains(same & same.T)
    count = int(label.max()) + 1
    ends = np.concatenate([start, end])
    owner = np.concatenate([label, label])
    joined = []
    for index in range(count):
        points = ends[owner == index]
        apart = np.hypot(*(points[:, None] - points[None, :]).transpose(2, 0, 1))
        first, last = divmod(int(apart.argmax()), len(points))
        joined.append([*points[first], *points[last]])
    out = np.asarray(joined, np.float32)
    return out[np.argsort(-np.hypot(out[:, 2] - out[:, 0], out[:, 3] - out[:, 1]))[:MOST_LINES]]


def _read(rgb: Pixels, likely: Floats, segments: Floats, *, sign: int) -> list[Line]:
    """Read strips along every line's way from edge to edge, find where it begins and ends, and describe it.

    Each line is read in the channel that shows it most: a scratch that goes through one layer of a film is colored.
    """
    height, width = rgb.shape[:2]
    begin, finish, at_start, at_end = _ways(segments, height=height, width=width)
    along = finish - begin
    span = np.hypot(along[:, 0], along[:, 1])
    unit = along / span[:, None]
    normal = np.stack([-unit[:, 1], unit[:, 0]], axis=1)
    share = np.linspace(0, 1, STEPS, dtype=np.float32)
    way = begin[:, None, :] + share[:, None] * along[:, None, :]
    across = np.arange(-REACH_PX, REACH_PX + 1, dtype=np.float32)
    map_x = way[:, :, :1] + normal[:, None, :1] * across
    map_y = way[:, :, 1:] + normal[:, None, 1:] * across
    count = len(segments)
    levels = cv2.remap(
        rgb, map_x.reshape(count, -1), map_y.reshape(count, -1), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    strips = np.asarray(levels, np.float32).reshape(count, STEPS, across.size, 3) * sign
    rises = strips[:, :, REACH_PX] - np.maximum(strips[:, :, 2], strips[:, :, -3])
    within = (share >= at_start[:, None]) & (share <= at_end[:, None])
    shown = (rises * within[..., None]).sum(axis=1) / np.maximum(within.sum(axis=1), 1)[:, None]
    strip = strips[np.arange(count), :, :, shown.argmax(axis=1)]
    middle = slice(REACH_PX - WANDER_PX, REACH_PX + WANDER_PX + 1)
    core = strip[:, :, middle].max(axis=2)
    place = strip[:, :, middle].argmax(axis=2) - WANDER_PX
    left, right = strip[:, :, :3].mean(axis=2), strip[:, :, -3:].mean(axis=2)
    rise = core - np.maximum(left, right)
    at = (way + normal[:, None, :] * place[..., None]).astype(np.float32)
    taken = np.asarray(
        cv2.remap(likely, at[..., 0], at[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
    first, last = _extent((rise > 8) & (taken >= NO_LINES) | (taken >= MOSTLY), at_start, at_end)
    length = (share[last] - share[first]).astype(np.float64) * span
    chosen = np.flatnonzero((last - first >= 4) & (length >= LEAST_LENGTH * min(height, width)))
    steps = np.arange(STEPS)
    own_colors = strips[chosen[:, None], steps, REACH_PX + place[chosen]] * sign
    sides = sign * np.stack([left[chosen], right[chosen]])
    read = _Read(at[chosen], place[chosen], sign * core[chosen], sides, rise[chosen], taken[chosen], own_colors)
    numbers = _numbers(read, (steps >= first[chosen, None]) & (steps <= last[chosen, None]), sign=sign)
    angle = np.degrees(np.arctan2(unit[:, 1], unit[:, 0]))
    turn = np.abs((angles_apart := angle[:, None] - angle[None, :]) - 180 * np.rint(angles_apart / 180))
    numbers |= {
        "length": length[chosen] / height,
        "upright": np.degrees(np.arctan2(np.abs(unit[chosen, 0]), np.abs(unit[chosen, 1]))),
    }
    rivals = ((turn < 4).sum(axis=1) - 1)[chosen].tolist()
    edges = [numbers.pop(side) for side in ("left", "top", "right", "bottom")]
    places = (read.at / (width, height)).astype(np.float32)
    tracks = [places[i, first[at] : last[at] + 1] for i, at in enumerate(chosen)]
    rows = zip(*(values.tolist() for values in numbers.values()), strict=True)
    return [
        Line(
            box=Box(x / width, y / height, (right - x) / width, (bottom - y) / height),
            rivals=others,
            backing=0.0,
            track=track,
            **dict(zip(numbers, row, strict=True)),
        )
        for (x, y, right, bottom), others, track, row in zip(
            np.stack(edges, axis=1).tolist(), rivals, tracks, rows, strict=True
        )
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """Profiles across lines, at steps along each line. The shape is (lines, STEPS) unless an attribute says otherwise.

    Attributes:
        at: Where, in pixels, shape (lines, STEPS, 2).
        place: How far off the straight way, in pixels.
        own: Level of the line in the channel that shows it most.
        sides: Level on both sides in that channel, shape (2, lines, STEPS).
        rise: How far it stands out from both.
        taken: How likely the network takes the place for a line.
        colors: Its own, shape (lines, STEPS, 3).
    """

    at: Floats
    place: Ints
    own: Floats
    sides: Floats
    rise: Floats
    taken: Floats
    colors: Floats


def _numbers(read: _Read, inside: Mask, *, sign: int) -> dict[str, Floats]:
    """Measurements of lines from their own pixels: one number per line and name; edges in pixels.

    Args:
        read: What was read.
        inside: Where on its way each line is, shape (lines, STEPS).
        sign: -1 for dark lines, 1 for light ones.
    """
    size = inside.sum(axis=1)
    on = inside & (read.rise > 8)
    stood = on.sum(axis=1)
    spots = np.where((stood >= 3)[:, None], on, inside)[..., None]
    least, most = (np.where(spots, read.at, far) for far in (np.inf, -np.inf))
    (x, y), (right, bottom) = least.min(axis=1).T - 1, most.max(axis=1).T + 2

    def middle(values: Floats) -> Floats:
        return quantiles(np.where(inside, values, np.inf), size, 0.5)

    def spread(values: Floats, counts: Ints) -> Floats:
        apart = np.abs(values - quantiles(values, counts, 0.5)[:, None])
        return quantiles(np.where(np.isinf(values), np.inf, apart), counts, 0.7)

    both = np.concatenate([np.where(inside, side, np.inf) for side in read.sides], axis=1)
    ground = spread(both, 2 * size)
    colors = [middle(read.colors[..., channel]) for channel in range(3)]
    wandered = (read.place**2 * on).sum(axis=1) / np.maximum(stood, 1)
    return {
        "left": x, "top": y, "right": right, "bottom": bottom,
        "contrast": sign * middle(read.rise),
        "steady": stood / size,
        "evenness": spread(np.where(inside, read.own, np.inf), size) / (ground + 3),
        "ground": ground,
        "apart": middle(np.abs(read.sides[0] - read.sides[1])),
        "tone": middle(read.own),
        "wander": np.where(stood > 0, np.sqrt(wandered), 3.0),
        "hue": np.ptp(colors, axis=0),
        "veil": _veil(read.own, read.sides.mean(axis=0), inside, end=255.0 if sign > 0 else 0.0),
        "beyond": (~inside & (read.rise > 8)).sum(axis=1) / np.maximum(STEPS - size, 1),
        "seen": (read.taken * inside).sum(axis=1) / size,
    }  # fmt: skip


def _veil(own: Floats, ground: Floats, inside: Mask, *, end: float) -> Floats:
    """What is left of lines' differences from their ground when one even share of white or black is taken away."""
    step, room, size = (own - ground) * inside, (end - ground) * inside, inside.sum(axis=1)
    share = (step * room).sum(axis=1) / np.maximum(size, (room * room).sum(axis=1))
    left = np.abs(step - share[:, None] * room).sum(axis=1)
    return np.asarray(left / np.maximum(size, np.abs(step).sum(axis=1)), np.float32)


def _ways(segments: Floats, *, height: int, width: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Each segment's straight way from edge to edge of the picture.

    Returns:
        Where it begins and finishes, shape (segments, 2), and where on it, 0..1, the segment begins and ends.
    """
    start, along = segments[:, :2], segments[:, 2:] - segments[:, :2]
    safe = np.where(np.abs(along) < 1e-6, 1e-6, along)
    low, high = (0 - start) / safe, (np.array([width - 1, height - 1], np.float32) - start) / safe
    enter = np.minimum(low, high).max(axis=1)
    leave = np.maximum(low, high).min(axis=1)
    enter, leave = np.minimum(enter, 0), np.maximum(leave, 1)
    begin, finish = start + enter[:, None] * along, start + leave[:, None] * along
    at_start, at_end = -enter / (leave - enter), (1 - enter) / (leave - enter)
    return (
        np.asarray(begin, np.float32),
        np.asarray(finish, np.float32),
        np.asarray(at_start, np.float32),
        np.asarray(at_end, np.float32),
    )


def _extent(stands: Mask, at_start: Floats, at_end: Floats) -> tuple[Ints, Ints]:
    """First and last step of each line: as far as it stands out from its segment on, gaps of three steps apart."""
    steps = np.arange(STEPS)
    filled = cv2.morphologyEx(stands.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 4), np.uint8)) > 0
    rows = np.arange(len(stands))
    first, last = (np.clip(np.rint(at * (STEPS - 1)).astype(np.int64), 0, STEPS - 1) for at in (at_start, at_end))
    before = np.maximum.accumulate(np.where(filled, -1, steps), axis=1)[rows, first]
    after = np.minimum.accumulate(np.where(filled, STEPS, steps)[:, ::-1], axis=1)[:, ::-1][rows, last]
    return np.asarray(np.minimum(before + 1, last), np.int64), np.asarray(np.maximum(after - 1, first), np.int64)
