"""Dust spots and scratches: round spots on smooth ground, fine lines that ignore the scene. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from review_copilot.domain.geometry import Box
from review_copilot.inspectors.classical.frame import Floats, Frame, Grey, shrunk

SPOT_PX = 448
"""Longer side at which spots are looked for."""
LINE_PX = 1024
"""Longer side at which lines are looked for."""
WIDEST_SPOT = 0.06
"""Widest spot, as a share of the longer side."""
DEPTHS = (8, 16, 30)
"""Grey levels by which a spot differs from its ground; several, so that it comes loose from dark things beside it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A round spot on smooth ground.

    Attributes:
        box: Around the spot at half its depth.
        depth: Difference from the ground in grey levels, negative for dark spots.
        ground: Spread of the levels around it, in grey levels.
        roundness: Area over that of the ellipse in its box, 1 for a perfect one.
        aspect: Longer over shorter side of its box in pixels.
        width_percent: Its width as a share of the longer side.
    """

    box: Box
    depth: float
    ground: float
    roundness: float
    aspect: float
    width_percent: float


@dataclass(frozen=True, slots=True)
class Line:
    """A fine line.

    Attributes:
        box: Around the line, at least one pixel wide.
        length: Length as a share of the picture's height.
        contrast: Median difference from both sides, in grey levels; negative for dark lines.
        steady: Share of the line's length over which it stands out from both sides.
        evenness: Spread of its own level over the spread of the ground it crosses; small for a scratch.
        tone: Its own median level, 0..255.
        upright: Angle from the vertical in degrees, 0..90.
        rivals: Number of other fine lines in the same direction; facades and fences have many.
    """

    box: Box
    length: float
    contrast: float
    steady: float
    evenness: float
    tone: float
    upright: float
    rivals: int


_ACROSS = np.arange(-7, 8)
"""Places across a line, in pixels, at which the levels are read."""


def spots(frame: Frame) -> tuple[Spot, ...]:
    """Spots, deepest against their ground first; by closing and opening with a disc (J. Serra, 1982)."""
    flat = cv2.cvtColor(shrunk(frame.rgb, longer_px=SPOT_PX), cv2.COLOR_RGB2GRAY)
    grey = np.asarray(cv2.GaussianBlur(flat, (3, 3), 0), np.uint8)
    if min(grey.shape) < 32:
        return ()
    reach = int(WIDEST_SPOT * max(grey.shape)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    found: list[Spot] = []
    for how, sign in ((cv2.MORPH_BLACKHAT, -1), (cv2.MORPH_TOPHAT, 1)):
        relief = np.asarray(cv2.morphologyEx(grey, how, disc), np.uint8)
        for depth in DEPTHS:
            found += _spots_in(grey, relief, sign=sign, reach=reach, depth=depth)
    return _best_of_each(found)


def _best_of_each(found: list[Spot]) -> tuple[Spot, ...]:
    """Every place once, as the depth saw it at which it was roundest and clearest."""
    kept: list[Spot] = []
    for spot in sorted(found, key=lambda s: -abs(s.depth) / (s.ground + 1) * min(s.roundness, 1) / s.aspect):
        if all(spot.box.intersection_area(other.box) == 0 for other in kept):
            kept.append(spot)
    return tuple(kept)


def _spots_in(grey: Grey, relief: Grey, *, sign: int, reach: int, depth: int) -> list[Spot]:
    mask = (relief >= depth).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    height, width = grey.shape
    x0, y0, w, h, area = (stats[:, i] for i in range(5))
    longer, shorter = np.maximum(w, h), np.minimum(w, h)
    fitting = (longer <= 1.1 * reach) & (shorter >= 4) & (longer <= 2.0 * shorter) & (area >= 0.55 * w * h)
    fitting &= (np.minimum(w, h) > 0) & (x0 > 2) & (y0 > 2) & (x0 + w < width - 2) & (y0 + h < height - 2)
    fitting[0] = False
    # a spot lies alone: hardly anything else stands out of the ground within twice its reach
    crowd = cv2.boxFilter(mask, cv2.CV_32F, (2 * reach + 1, 2 * reach + 1), normalize=False)
    middle_x, middle_y = np.clip(x0 + w // 2, 0, width - 1), np.clip(y0 + h // 2, 0, height - 1)
    fitting &= np.asarray(crowd)[middle_y, middle_x] <= 1.5 * area + 0.04 * reach * reach * 4
    chosen = np.flatnonzero(fitting)
    if chosen.size > 120:
        return []
    found = []
    for index in chosen:
        x, y, sw, sh = (int(v) for v in stats[index][:4])
        margin = max(3, max(sw, sh) // 2)
        if x - margin < 0 or y - margin < 0 or x + sw + margin > width or y + sh + margin > height:
            continue
        window = grey[y - margin : y + sh + margin, x - margin : x + sw + margin].astype(np.float32)
        inside = labels[y - margin : y + sh + margin, x - margin : x + sw + margin] == index
        near = np.asarray(cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8))) > 0
        around = window[~near]
        if around.size < 12:
            continue
        ground = float(np.median(around))
        deep = float(np.percentile(window[inside] - ground, 15 if sign < 0 else 85))
        half = (sign * (window - ground) >= 0.42 * abs(deep)) & near
        if deep * sign < 0.8 * DEPTHS[0] or half.sum() < 8:
            continue
        rows, columns = np.flatnonzero(half.any(axis=1)), np.flatnonzero(half.any(axis=0))
        bw, bh = int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)
        found.append(
            Spot(
                box=Box(
                    (x - margin + int(columns[0])) / width,
                    (y - margin + int(rows[0])) / height,
                    bw / width,
                    bh / height,
                ),
                depth=deep,
                ground=float(np.quantile(np.abs(around - ground), 0.8)),
                roundness=float(half.sum()) / (np.pi / 4 * bw * bh),
                aspect=max(bw, bh) / min(bw, bh),
                width_percent=100 * max(bw, bh) / max(height, width),
            )
        )
    return found


def lines(frame: Frame) -> tuple[Line, ...]:
    """Fine lines, longest first: ridges of at most 4 px that a straight line follows (J. Matas, PPHT, 2000)."""
    grey = np.asarray(cv2.cvtColor(shrunk(frame.rgb, longer_px=LINE_PX), cv2.COLOR_RGB2GRAY), np.uint8)
    if min(grey.shape) < 64:
        return ()
    kernel = np.ones((5, 5), np.uint8)
    found: list[Line] = []
    for how, sign in ((cv2.MORPH_TOPHAT, 1), (cv2.MORPH_BLACKHAT, -1)):
        relief = np.asarray(cv2.morphologyEx(grey, how, kernel), np.uint8)
        found += _lines_in(grey, relief, sign=sign)
    return tuple(sorted(found, key=lambda item: -item.length))


def _lines_in(grey: Grey, relief: Grey, *, sign: int) -> list[Line]:
    factor = 2
    height, width = grey.shape
    # keep the strongest ridge of every 2 x 2 pixels: half the work, no thin line lost
    even = relief[: height // factor * factor, : width // factor * factor]
    pooled = even.reshape(height // factor, factor, width // factor, factor).max(axis=(1, 3))
    mask = (pooled >= 28).astype(np.uint8) * 255
    if np.count_nonzero(mask) > 0.25 * mask.size:
        mask = (pooled >= 60).astype(np.uint8) * 255
    least = int(0.22 * height / factor)
    raw = cv2.HoughLinesP(mask, 1, np.pi / 180, threshold=int(0.35 * least), minLineLength=least, maxLineGap=10)
    if raw is None:
        return []
    segments = np.asarray(raw, np.float32).reshape(-1, 4) * factor + factor / 2
    order = np.argsort(-np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1]))
    kept: list[Floats] = []
    for segment in segments[order][:90]:
        for index, other in enumerate(kept):
            if _same_line(segment, other):
                kept[index] = _joined(segment, other)
                break
        else:
            kept.append(segment)
    kept = [_extended(grey, segment, sign=sign) for segment in kept[:30]]
    angles = np.array([np.degrees(np.arctan2(s[3] - s[1], s[2] - s[0])) for s in kept])
    found = []
    for index, segment in enumerate(kept):
        turn = np.abs((angles - angles[index] + 90) % 180 - 90)
        line = _follow(grey, segment, sign=sign, rivals=int((turn < 4).sum()) - 1)
        if line is not None:
            found.append(line)
    return found


def _same_line(one: Floats, other: Floats) -> bool:
    """Whether both ends of one lie within 6 px of the other's straight line, with no gap of more than 30 px between."""
    along = other[2:] - other[:2]
    length = float(np.hypot(*along))
    normal = np.array([-along[1], along[0]]) / max(length, 1e-6)
    away = [abs(float((point - other[:2]) @ normal)) for point in (one[:2], one[2:])]
    reach = [float((point - other[:2]) @ along) / max(length, 1e-6) for point in (one[:2], one[2:])]
    return max(away) < 6 and max(reach) > -30 and min(reach) < length + 30


def _extended(grey: Grey, segment: Floats, *, sign: int) -> Floats:
    """The segment, followed beyond both ends as long as the ridge goes on; it may bend by a pixel every 6."""
    ends = []
    for start, end in ((segment[2:], segment[:2]), (segment[:2], segment[2:])):
        along = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
        normal = np.array([-along[1], along[0]], np.float32)
        point, last, missed = end.copy(), end.copy(), 0
        while missed < 3:
            point = point + 6 * along
            xs = np.rint(point[0] + normal[0] * _ACROSS).astype(np.int64)
            ys = np.rint(point[1] + normal[1] * _ACROSS).astype(np.int64)
            if min(xs.min(), ys.min()) < 0 or xs.max() >= grey.shape[1] or ys.max() >= grey.shape[0]:
                break
            profile = grey[ys, xs].astype(np.float32) * sign
            best = int(np.argmax(profile[4:11])) + 4
            if profile[best] - max(float(profile[:3].mean()), float(profile[12:].mean())) > 8:
                point = point + normal * np.clip(_ACROSS[best], -1, 1)
                last, missed = point.copy(), 0
            else:
                missed += 1
        ends.append(last)
    return np.concatenate(ends).astype(np.float32)


def _joined(one: Floats, other: Floats) -> Floats:
    """The longest segment between any two of the four ends."""
    ends = np.stack([one[:2], one[2:], other[:2], other[2:]])
    apart = np.hypot(*(ends[:, None] - ends[None, :]).transpose(2, 0, 1))
    first, last = np.unravel_index(int(np.argmax(apart)), apart.shape)
    return np.concatenate([ends[first], ends[last]])


def _follow(grey: Grey, segment: Floats, *, sign: int, rivals: int) -> Line | None:
    """Read the levels on the line and 5 px to both sides; the line may wander by 2 px."""
    height, width = grey.shape
    start, end = segment[:2], segment[2:]
    length = float(np.hypot(*(end - start)))
    count = int(length)
    if count < 20:
        return None
    along = (end - start) / length
    normal = np.array([-along[1], along[0]])
    points = start + np.linspace(0, length, count)[:, None] * along
    xs = np.clip(np.rint(points[:, :1] + normal[0] * _ACROSS), 0, width - 1).astype(np.int64)
    ys = np.clip(np.rint(points[:, 1:] + normal[1] * _ACROSS), 0, height - 1).astype(np.int64)
    strip = grey[ys, xs].astype(np.float32) * sign
    core = strip[:, 4:11].max(axis=1)
    left, right = strip[:, :3].mean(axis=1), strip[:, 12:].mean(axis=1)
    rise = core - np.maximum(left, right)
    sides = np.concatenate([left, right])
    x1, x2 = sorted((float(start[0]), float(end[0])))
    y1, y2 = sorted((float(start[1]), float(end[1])))
    # a line wanders and is a pixel or two wide
    return Line(
        box=Box((x1 - 1.5) / width, (y1 - 1.5) / height, (x2 - x1 + 3) / width, (y2 - y1 + 3) / height),
        length=length / height,
        contrast=sign * float(np.median(rise)),
        steady=float((rise > 8).mean()),
        evenness=float(np.quantile(np.abs(core - np.median(core)), 0.7))
        / (float(np.quantile(np.abs(sides - np.median(sides)), 0.7)) + 3),
        tone=sign * float(np.median(core)),
        upright=float(np.degrees(np.arctan2(abs(along[0]), abs(along[1])))),
        rivals=rivals,
    )
