"""Dust: round spots that are darker or lighter than the smooth ground around them. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.networks.traces import Traces
from photo_inspector.pixels.frame import Floats, Frame, Gray, Mask
from photo_inspector.pixels.linking import first_of_each, pairs_within
from photo_inspector.pixels.ranks import medians
from photo_inspector.pixels.votes import edges_of
from review_copilot.plugin import Box

Indices = npt.NDArray[np.int64]

SCALES_PX = (1.2, 1.9, 3.0)
"""Standard deviations whose differences see spots of about 3 to 5 px across, and of 5 to 10 px at half size; every
spot's own outline decides its size."""
LEAST_RELIEF = 1.6
"""Gray levels of that difference from which a place is looked at."""
ROUND = 0.14
"""Least determinant of the relief's curvature over its trace squared: .25 for a dome, 0 for a ridge, .14 for one twice
as curved one way as the other (after D. Lowe, 2004)."""
MOST_PLACES = 80
"""Places looked at for each sign, those first that stand out most from their surroundings."""
ANGLES, RADII = 12, 16
"""Rays and steps along a ray at which a place is read."""
REACH = 4.4
"""How far the rays reach, in standard deviations of the scale."""
RIM = 0.22
"""Share of the spot's depth at which its outline is drawn: the foot of a soft spot, the rim of a crisp one."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A round spot.

    Attributes:
        box: Around the spot at its foot.
        depth: Difference from the ground in gray levels, negative for dark spots.
        ground: Spread of the levels around it, in gray levels, a plain slope taken away.
        ragged: Spread of the outline's distance from the middle, over its mean; 0 for a disc.
        aspect: Longer over shorter side of its box in pixels.
        width_percent: Its width as a share of the longer side.
        tint: Spread over the three channels of how far it goes toward black or white, 0 for a neutral veil.
        flat: Share of its depth that is reached half way out; 1 for a disc, less for a soft spot.
        steep: Width of its edge, from .8 to .22 of its depth, over its radius; small for a crisp spot.
        inner: Spread of the levels inside around their mean at that distance from the middle, over its depth.
        uneven: Spread of the ground's level between the directions, a plain slope taken away, over its depth.
        sloping: Rise of that plain slope over the spot's width, over its depth.
        tone: Level of the ground, 0..255.
        rivals: Number of places of the same sign that stand out no less.
        seen: How likely the network takes its box for dust, mean over it, 0..1.
        around: The same close around the box.
    """

    box: Box
    depth: float
    ground: float
    ragged: float
    aspect: float
    width_percent: float
    tint: float
    flat: float
    steep: float
    inner: float
    uneven: float
    sloping: float
    tone: float
    rivals: int
    seen: float
    around: float


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Middles and scales in pixels of the middle level, and -1 for dark or 1 for light; each of shape (places,)."""

    x: Floats
    y: Floats
    scale: Floats
    sign: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Relief:
    """How far places rise over their surroundings at one scale.

    Attributes:
        relief: Difference of two blurs, in gray levels.
        around: Its mean size nearby.
        scale: The finer blur in its own pixels.
        factor: Pixels of the middle level for one of its own.
    """

    relief: Floats
    around: Floats
    scale: float
    factor: float


def spots(frame: Frame, seen: Traces) -> tuple[Spot, ...]:
    """Spots, clearest first: extrema in scale space (T. Lindeberg, 1998), then read along rays from the middle.

    Args:
        frame: The picture.
        seen: What the network says of it.
    """
    if min(frame.small_gray.shape) < 32:
        return ()
    searched = frame.searched_gray
    factor = max(frame.middle_gray.shape) / max(searched.shape)
    reliefs = _reliefs(searched, factor=factor)
    dark, light = (_places(reliefs, sign=sign) for sign in (-1, 1))
    at = _Places(*(np.concatenate(parts) for parts in zip(dark, light, strict=True)))
    return _once(_read(frame, at, seen))


def _reliefs(gray: Gray, *, factor: float) -> list[_Relief]:
    out = []
    level = gray.astype(np.float32)
    for _ in range(2):
        stack = [np.asarray(cv2.GaussianBlur(level, (0, 0), s), np.float32) for s in SCALES_PX]
        for fine, coarse, scale in zip(stack, stack[1:], SCALES_PX, strict=False):
            relief = fine - coarse
            size = int(12 * scale) | 1
            around = np.asarray(cv2.blur(np.abs(relief), (size, size)), np.float32)
            out.append(_Relief(relief, around, scale, factor))
        level = np.ascontiguousarray(stack[0][::2, ::2])
        factor *= 2
    return out


def _places(reliefs: list[_Relief], *, sign: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Where one sign's relief crests and falls away to all sides; the clearest of each place, clearest first."""
    parts = []
    for item in reliefs:
        height = item.relief if sign > 0 else -item.relief
        crest = (height >= cv2.dilate(height, np.ones((3, 3), np.uint8))) & (height > LEAST_RELIEF)
        y, x = np.divmod(np.flatnonzero(crest), crest.shape[1])
        edge = int(2 * item.scale)
        inside = (x > edge) & (y > edge) & (x < height.shape[1] - 1 - edge) & (y < height.shape[0] - 1 - edge)
        x, y = x[inside], y[inside]
        top = height[y, x]
        xx = height[y, x - 1] + height[y, x + 1] - 2 * top
        yy = height[y - 1, x] + height[y + 1, x] - 2 * top
        xy = (height[y - 1, x - 1] + height[y + 1, x + 1] - height[y - 1, x + 1] - height[y + 1, x - 1]) / 4
        clear = top / (item.around[y, x] + 0.7)
        keep = np.flatnonzero((xx * yy - xy * xy) > ROUND * (xx + yy) ** 2)
        keep = keep[np.argsort(-clear[keep])[:MOST_PLACES]]
        place = np.stack([x[keep], y[keep]]) * item.factor + (item.factor - 1) / 2
        parts.append(np.stack([*place, np.full(keep.size, item.scale * item.factor), clear[keep]]))
    every = np.concatenate(parts, axis=1).astype(np.float32)
    x, y, scale, _ = every[:, np.argsort(-every[3])]
    first = _first_seen(x, y, scale)[:MOST_PLACES]
    return x[first], y[first], scale[first], np.full(first.size, sign, np.float32)


def _first_seen(x: Floats, y: Floats, scale: Floats) -> Indices:
    """The places that lie on none before them, or differ from it in scale; those among the first at least."""
    for most in (2 * MOST_PLACES, x.size):  # among half of them there are nearly always enough
        x_, y_, scale_ = x[:most], y[:most], scale[:most]
        away = 0.8 * scale_.max(initial=0) + 1
        later, before = pairs_within(x_, x_ - away, x_ + away)
        larger, smaller = np.maximum(scale_[later], scale_[before]), np.minimum(scale_[later], scale_[before])
        alike = (x_[later] - x_[before]) ** 2 + (y_[later] - y_[before]) ** 2 < (0.8 * larger) ** 2
        alike &= (np.log(larger) - np.log(smaller) < 0.6) & (before < later)
        first = np.setdiff1d(np.arange(x_.size), later[alike])
        if first.size >= MOST_PLACES:
            break
    return first


def _read(frame: Frame, at: _Places, seen: Traces) -> list[Spot]:
    """Follow rays from every middle to the foot of the spot; places without an outline are left out."""
    if at.x.size == 0:
        return []
    angle = np.arange(ANGLES, dtype=np.float32) * np.float32(2 * np.pi / ANGLES)
    step = REACH * at.scale / (RADII - 1)
    away = step[:, None] * np.arange(RADII, dtype=np.float32)
    map_x = at.x[:, None, None] + np.cos(angle)[:, None] * away[:, None, :]
    map_y = at.y[:, None, None] + np.sin(angle)[:, None] * away[:, None, :]
    flat = (map_x.reshape(map_x.shape[0], -1), map_y.reshape(map_x.shape[0], -1))
    levels = cv2.remap(frame.middle_gray, *flat, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rays = np.asarray(levels, np.float32).reshape(map_x.shape)
    slope = _slope(rays, angle)
    rays -= slope
    ground = medians(rays[:, :, -4:].reshape(at.x.size, -1))
    depth = rays[:, :, :3].mean(axis=(1, 2)) - ground
    share = (rays - ground[:, None, None]) / np.where(np.abs(depth) < 1, 1, depth)[:, None, None]
    whole = medians(share.transpose(0, 2, 1))[:, None, :]
    foot, half = _first_below(whole, RIM)[:, 0], _first_below(share, 0.5)
    ragged = half.std(axis=1) / np.maximum(half.mean(axis=1), 0.5)
    beyond = np.arange(RADII)[None, :] > foot[:, None] + 0.7
    spread = (np.abs(rays - ground[:, None, None]).mean(axis=1) * beyond).sum(axis=1) / np.maximum(
        beyond.sum(axis=1), 1
    )
    outline = _first_below(share, RIM)
    across, down = (_reach(outline, angle, way, foot) * step for way in (0.0, np.pi / 2))
    good = (at.sign * depth >= 4) & (foot < RADII - 2.5) & (ragged < 0.8) & (foot * step > 1.5)
    clear = np.abs(depth) / (spread + 1)
    aspect = np.maximum(across, down) / np.maximum(np.minimum(across, down), 1)
    good &= aspect <= 2.2
    deep = np.maximum(np.abs(depth), 1)
    steps = np.arange(RADII)
    inside = steps[None, :] < 0.7 * foot[:, None]
    rough = (rays.std(axis=1) * inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    height, width = frame.middle_gray.shape
    columns = {
        "depth": depth,
        "ground": spread,
        "ragged": ragged,
        "aspect": aspect,
        "width_percent": 200 * np.maximum(across, down).astype(np.float64) / max(height, width),
        "tint": _tint(frame.middle_rgb, at),
        "flat": _at(whole[:, 0], np.asarray(foot / 2, np.float32)),
        "steep": (foot - _first_below(whole, 0.8)[:, 0]) / np.maximum(foot, 1),
        "inner": rough / deep,
        "uneven": rays[:, :, -4:].mean(axis=2).std(axis=1) / deep,
        "sloping": np.ptp(slope[:, :, -1], axis=1) / (RADII - 1) * foot / deep,
        "tone": ground,
        "rivals": (good & (clear >= clear[:, None]) & (at.sign == at.sign[:, None])).sum(axis=1) - 1,
    }
    reach = np.stack([at.x, at.y, across, down], axis=1).astype(np.float64)
    boxes = [
        Box((x + 0.5 - w) / width, (y + 0.5 - h) / height, 2 * w / width, 2 * h / height)
        for x, y, w, h in reach[good].tolist()
    ]
    told = {name: values[good] for name, values in columns.items()}
    told["seen"], told["around"] = seen.within(seen.spots, edges_of(boxes))
    rows = zip(*(values.tolist() for values in told.values()), strict=True)
    return [Spot(box=box, **dict(zip(told, row, strict=True))) for box, row in zip(boxes, rows, strict=True)]


def _slope(rays: Floats, angle: Floats) -> Floats:
    """The plane through the ground around each place, as its difference from the middle."""
    steps = np.arange(RADII, dtype=np.float32)
    ring = rays[:, :, -4:].mean(axis=2)
    far = float(steps[-4:].mean())
    across = 2 * (ring * np.cos(angle)).mean(axis=1) / far
    down = 2 * (ring * np.sin(angle)).mean(axis=1) / far
    lean = across[:, None] * np.cos(angle) + down[:, None] * np.sin(angle)
    return np.asarray(lean[:, :, None] * steps, np.float32)


def _first_below(share: Floats, least: float) -> Floats:
    """Where each ray first falls below a share of the depth, in steps; between two steps by the straight line."""
    below = share < least
    below[..., -1] = True
    first = below.argmax(axis=2)
    before = np.maximum(first - 1, 0)
    rays, starts = share.ravel(), np.arange(first.size).reshape(first.shape) * RADII
    here, last = rays[starts + first], rays[starts + before]
    part = np.clip((last - least) / np.maximum(last - here, 1e-3), 0, 1)
    return np.asarray(np.where(first > 0, before + part, 0), np.float32)


def _reach(outline: Floats, angle: Floats, way: float, foot: Floats) -> Floats:
    """Half the spot's extent in one direction, in steps: between that of a circle and that of its own outline."""
    along = np.abs(np.cos(angle - way))
    near = along > 0.8
    own = medians(outline[:, near] * along[near] * np.float32(1.08))
    return np.asarray(np.clip(own, 0.75 * foot, 1.3 * foot), np.float32)


def _at(profile: Floats, step: Floats) -> Floats:
    """A profile's value at a step between two others, for each place."""
    low = np.clip(step.astype(np.int64), 0, RADII - 2)
    rows = np.arange(len(profile))
    part = step - low
    return np.asarray(profile[rows, low] * (1 - part) + profile[rows, low + 1] * part, np.float32)


def _tint(rgb: npt.NDArray[np.uint8], at: _Places) -> Floats:
    """Spread over the channels of middle over ground, both as distances from black, or from white for light spots."""
    angle = np.arange(8) * np.pi / 4
    height, width = rgb.shape[:2]

    def mean(reach: float) -> Floats:
        xs = np.clip(np.rint(at.x[:, None] + reach * at.scale[:, None] * np.cos(angle)), 0, width - 1).astype(np.int64)
        ys = np.clip(np.rint(at.y[:, None] + reach * at.scale[:, None] * np.sin(angle)), 0, height - 1).astype(np.int64)
        levels = medians(rgb[ys, xs].transpose(0, 2, 1).astype(np.float32))
        return np.asarray(np.where(at.sign[:, None] > 0, 255 - levels, levels), np.float32)

    ratio = (mean(0.5) + 4) / (mean(3.6) + 4)
    return np.asarray(np.ptp(np.log(ratio), axis=1), np.float32)


def _once(found: list[Spot]) -> tuple[Spot, ...]:
    """Every place once, as the scale saw it at which it was clearest and roundest."""
    if not found:
        return ()
    ranked = sorted(found, key=lambda s: -abs(s.depth) / (s.ground + 1) * (1 - s.ragged) / s.aspect)
    corners = edges_of(s.box for s in ranked)
    apart: Mask = (
        (corners[:, None, 0] >= corners[None, :, 2])
        | (corners[:, None, 2] <= corners[None, :, 0])
        | (corners[:, None, 1] >= corners[None, :, 3])
        | (corners[:, None, 3] <= corners[None, :, 1])
    )
    return tuple(ranked[index] for index in first_of_each(~apart))
