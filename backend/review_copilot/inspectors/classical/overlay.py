"""Lettering that was laid over the picture: date stamps, captions, watermarks. Knows no guideline.

Lettering that was laid over differs from lettering in the scene in that it is evenly spaced, of one stroke width, and
mixed with whatever lies under it by one constant share: its tone is a straight line of the ground's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.domain.geometry import Box
from review_copilot.inspectors.classical.frame import Floats, Frame, Mask, shrunk
from review_copilot.inspectors.classical.glyphs import Glyphs, glyphs, level_of, pure_colours, strokes
from review_copilot.inspectors.classical.linking import Labels, chains

SIDE_PX = 640
"""Longer side at which lettering is looked for; large letters at a half and a quarter of it."""
LEAST_LEAN, MOST_LEAN, BIN = np.radians((12, 70, 7))
"""Leans of a slanting line, and the width of the bins that they are counted in."""
SAME_TONE = 18
"""Grey levels by which solid letters differ; they need not stand out alike from every ground."""
LEAST_FRAME = 0.6
"""Share of a drawing's box that its largest part spans at least: a ring, a rectangle or a sign around letters."""
LEAST_DRAWN = 0.04
"""Least side of a drawing, as a share of the picture's height."""
LEAST_LETTERS = 4
"""Letters in a row that make a line."""


@dataclass(frozen=True, slots=True)
class Lettering:
    """A line of letters.

    Attributes:
        box: Around all letters.
        letters: Their number; joined ones are counted by their width.
        contrast: Mean contrast against what is around, in grey levels.
        evenness: Spread of the letters' tones beyond what one constant mix with their ground explains, in grey levels.
        ground: Spread of the ground under the letters, in grey levels.
        mix: How far the ground shines through, 0 for solid letters.
        alignment: Scatter of the letters' feet or heads around a straight line, over their height.
        variety: Spread of the letters' widths over their mean; windows of a facade have next to none.
        stroke: Width of a stroke over the height.
        stroke_spread: Spread of the stroke widths over their mean.
        fill: Mean share of a letter's box that is inked.
        outline: Length of a letter's outline over that of its box.
        height_percent: Median height of a letter, as a share of the picture's height.
        rivals: Number of other lines of like height; facades and fences have many.
        solid: Whether the lettering has one pure colour, not just one contrast.
        slant: Whether the line does not run level.
        drawn: Whether it is a drawing of strokes of one width, such as a logo, not a line.
        veil: How far the ground goes towards white under it, or towards black, 0..1.
        rest: What one even veil of white or black leaves unexplained of its contrast, over that contrast.
        inner: Spread of the levels inside its letters, over its contrast.
        framed: Box of the largest part over the whole box.
        twins: Number of other lines of the same width, height and veil; a tiled watermark has many.
        edge: Distance of the box from the nearest edge of the picture, as a share of the picture's height.
    """

    box: Box
    letters: int
    contrast: float
    evenness: float
    ground: float
    mix: float
    alignment: float
    variety: float
    stroke: float
    stroke_spread: float
    fill: float
    outline: float
    height_percent: float
    rivals: int
    solid: bool
    slant: bool
    drawn: bool
    veil: float
    rest: float
    inner: float
    framed: float
    twins: int
    edge: float


def lettering(frame: Frame) -> tuple[Lettering, ...]:
    """Lines of letters, longest first; the same line may come more than once, as different masks saw it."""
    found: list[Lettering] = []
    rgb = frame.middle_rgb
    if max(rgb.shape[:2]) > SIDE_PX:  # by little: not worth averaging over areas
        factor = SIDE_PX / max(rgb.shape[:2])
        rgb = np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR), np.uint8)
    for divisor in (1, 2, 4):
        if divisor > 1:
            rgb = shrunk(rgb, longer_px=max(1, max(rgb.shape[:2]) // 2))
        if min(rgb.shape[:2]) < 24:
            break
        level = level_of(rgb)
        masks = [(mask, False) for mask in strokes(level.grey)]
        if divisor == 1:
            masks += [(mask, True) for mask in pure_colours(rgb)]
        for mask, solid in masks:
            seen = glyphs(mask, level)
            if seen is None:
                continue
            lean = None if solid else _lean(seen)
            ways = [(_joined(seen, _words(seen)), seen, "level")]
            if lean is not None:
                laid = _levelled(seen, lean)
                ways.append((_joined(laid, _words(laid)), laid, "slant"))
            if not solid:
                ways.append((_drawn(seen), seen, "drawn"))
            for line, laid, way in ways:
                found += _described(line, seen, laid, size=(rgb.shape[0], rgb.shape[1]), solid=solid, way=way)
    return tuple(sorted(found, key=lambda line: -line.letters))


def _lean(seen: Glyphs) -> float | None:
    """Direction in radians, off the level, in which most neighbours of like height follow each other; None for none."""
    if seen.x.size < LEAST_LETTERS:
        return None
    x, y = seen.x + seen.width / 2, seen.y + seen.height / 2
    dx, dy = x[None, :] - x[:, None], y[None, :] - y[:, None]
    size = np.maximum(seen.height, seen.width)
    most, least = np.maximum(size[:, None], size), np.minimum(size[:, None], size)
    near = (dx > 0) & (np.hypot(dx, dy) < 1.7 * most) & (least > 0.55 * most)
    near &= seen.contrast[:, None] * seen.contrast > 0
    angle = np.arctan2(dy[near], dx[near])
    angle = angle[(np.abs(angle) > LEAST_LEAN) & (np.abs(angle) < MOST_LEAN)]
    if angle.size < LEAST_LETTERS:
        return None
    bins = np.round(angle / BIN).astype(np.int64)
    counts = np.bincount(bins - bins.min())
    wide = np.convolve(counts, np.ones(3), mode="same")
    best = int(np.argmax(wide)) + int(bins.min())
    return float(np.median(angle[np.abs(bins - best) <= 1])) if wide.max() >= LEAST_LETTERS else None


def _levelled(seen: Glyphs, lean: float) -> Glyphs:
    """The letters as they lie when the picture is turned until their line is level."""
    rows, columns, owner = seen.outline
    across, down = columns * np.cos(lean) + rows * np.sin(lean), rows * np.cos(lean) - columns * np.sin(lean)
    count = seen.x.size
    left, top = _least(owner, np.asarray(across, np.float32), count), _least(owner, np.asarray(down, np.float32), count)
    right, bottom = (
        _least(owner, np.asarray(-across, np.float32), count),
        _least(owner, np.asarray(-down, np.float32), count),
    )
    return replace(seen, x=left, y=top, width=1 - right - left, height=1 - bottom - top)


def _drawn(seen: Glyphs) -> Labels:
    """Label of each thing; those of one veil and one stroke that lie in or close by each other share one."""
    pen, veil = 2 * seen.area / seen.rim, seen.veil
    x, y, right, bottom = seen.x, seen.y, seen.x + seen.width, seen.y + seen.height
    size = np.maximum(seen.width, seen.height)
    near = 0.4 * np.minimum(size[:, None], size)
    alike: Mask = seen.contrast[:, None] * seen.contrast > 0
    alike &= np.abs(veil[:, None] - veil) <= 0.2 * np.maximum(veil[:, None], veil) + 0.02
    alike &= np.maximum(pen[:, None], pen) <= 1.7 * np.minimum(pen[:, None], pen)
    alike &= np.maximum(x[:, None], x) - np.minimum(right[:, None], right) <= near
    alike &= np.maximum(y[:, None], y) - np.minimum(bottom[:, None], bottom) <= near
    return chains(alike)


def _described(
    line: Labels, seen: Glyphs, laid: Glyphs, *, size: tuple[int, int], solid: bool, way: str
) -> list[Lettering]:
    """Lines of letters in numbers.

    Args:
        line: Which line each letter belongs to.
        seen: The letters as they are.
        laid: The same, turned until their lines are level.
        size: Height and width of the picture in pixels.
        solid: Whether the letters are of one pure colour.
        way: "level", "slant" or "drawn".
    """
    height, width = size
    count = int(line.max()) + 1
    letters = np.maximum(1, np.rint(laid.width / (0.75 * laid.height)))
    total = np.bincount(line, letters, minlength=count)
    parts = np.bincount(line, minlength=count)
    enough = (parts >= 2) & ((total >= LEAST_LETTERS) | (way == "drawn"))
    if not enough.any():
        return []
    left, top = _least(line, seen.x, count), _least(line, seen.y, count)
    right, bottom = -_least(line, -(seen.x + seen.width), count), -_least(line, -(seen.y + seen.height), count)
    tall = _mean(line, laid.height, parts)
    if way == "drawn":
        largest = -_least(line, -seen.width * seen.height, count) / ((right - left) * (bottom - top))
        enough &= (largest >= LEAST_FRAME) & (np.minimum(right - left, bottom - top) >= LEAST_DRAWN * height)
    else:
        largest = np.zeros(count, np.float32)
        enough &= right - left >= 1.6 * tall if way == "level" else (right - left) * (bottom - top) >= 2 * tall**2
    chosen = np.flatnonzero(enough)
    if chosen.size == 0:
        return []
    evenness, mix, ground = _mixed(line, seen, parts)
    alignment = _scatter(line, laid, parts) / np.maximum(tall, 1)
    contrast = np.abs(_mean(line, seen.contrast, parts))
    spread = _deviation(line, laid.width, parts) / np.maximum(_mean(line, laid.width, parts), 1)
    veil, rest = _veil(line, seen, parts)
    inner = _mean(line, seen.inner, parts) / np.maximum(contrast, 4)
    pen = 2 * seen.area / seen.rim
    stroke = _mean(line, pen, parts)
    pen_spread = _deviation(line, pen, parts) / np.maximum(stroke, 0.5)
    fill = _mean(line, seen.area / (seen.width * seen.height), parts)
    outline = _mean(line, seen.rim / (2 * (seen.width + seen.height)), parts)
    like = np.abs(np.log(tall[chosen, None] / tall[None, chosen])) < 0.5
    wide, high = (right - left)[chosen], (bottom - top)[chosen]
    twins = (np.abs(np.log(wide[:, None] / wide)) < 0.08) & (np.abs(np.log(high[:, None] / high)) < 0.15)
    twins &= np.abs(veil[chosen, None] - veil[chosen]) < 0.12
    out = []
    for place, i in enumerate(chosen):
        edge = min(left[i], top[i], width - right[i], height - bottom[i])
        out.append(
            Lettering(
                box=Box(
                    float(left[i]) / width,
                    float(top[i]) / height,
                    float(right[i] - left[i]) / width,
                    float(bottom[i] - top[i]) / height,
                ),
                letters=int(total[i]),
                contrast=float(contrast[i]),
                evenness=float(evenness[i]),
                ground=float(ground[i]),
                mix=float(mix[i]),
                alignment=float(alignment[i]),
                variety=float(spread[i]),
                stroke=float(stroke[i] / tall[i]),
                stroke_spread=float(pen_spread[i]),
                fill=float(fill[i]),
                outline=float(outline[i]),
                height_percent=100 * float(tall[i]) / height,
                rivals=int(like[place].sum()) - 1,
                solid=solid,
                slant=way == "slant",
                drawn=way == "drawn",
                veil=float(veil[i]),
                rest=float(rest[i]),
                inner=float(inner[i]),
                framed=float(largest[i]),
                twins=int(twins[place].sum()) - 1,
                edge=float(edge) / height,
            )
        )
    return out


def _words(seen: Glyphs) -> Labels:
    """Letters of like height and tone on one level, close to each other."""
    return _linked(
        seen.x,
        seen.y,
        seen.x + seen.width,
        seen.y + seen.height,
        contrast=seen.contrast,
        tone=seen.tone.mean(axis=1),
        most_gap=0.9,
        slack=0.12,
    )


def _joined(seen: Glyphs, words: Labels) -> Labels:
    """Words of like height and tone side by side become one line; for each letter, its line."""
    count = int(words.max()) + 1
    parts = np.bincount(words, minlength=count)
    lines = _linked(
        _least(words, seen.x, count),
        _least(words, seen.y, count),
        -_least(words, -(seen.x + seen.width), count),
        -_least(words, -(seen.y + seen.height), count),
        contrast=_mean(words, seen.contrast, parts),
        tone=_mean(words, seen.tone.mean(axis=1), parts),
        most_gap=1.5,
        slack=0.2,
        tall=_mean(words, seen.height, parts),
    )
    return np.asarray(lines[words], np.int32)


def _linked(
    left: Floats,
    top: Floats,
    right: Floats,
    bottom: Floats,
    *,
    contrast: Floats,
    tone: Floats,
    most_gap: float,
    slack: float,
    tall: Floats | None = None,
) -> Labels:
    """Label of each thing; those that follow each other on a level, and are mixed or toned alike, share one."""
    high = bottom - top if tall is None else tall
    most = np.maximum(high[:, None], high)
    gap = left[None, :] - right[:, None]
    follows: Mask = (gap <= most_gap * most) & (gap >= -0.3 * most) & (left[None, :] > left[:, None])
    one, other = np.divmod(np.flatnonzero(follows), max(left.size, 1))  # few of all pairs: the rest is asked of these
    tallest = most[one, other]
    strong = np.maximum(np.abs(contrast[one]), np.abs(contrast[other]))
    fits = np.minimum(high[one], high[other]) >= 0.5 * tallest
    fits &= np.minimum(np.abs(bottom[one] - bottom[other]), np.abs(top[one] - top[other])) <= slack * tallest + 1.5
    mixed = (contrast[one] * contrast[other] > 0) & (np.abs(contrast[one] - contrast[other]) <= 0.5 * strong)
    fits &= mixed | (np.abs(tone[one] - tone[other]) <= SAME_TONE)
    follows[one, other] = fits
    return chains(follows)


def _mixed(line: Labels, seen: Glyphs, parts: npt.NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Rest, slope and spread of the ground: letters' tones as a straight line of their grounds', channels together."""
    tone = seen.tone - np.stack([_mean(line, plane, parts) for plane in seen.tone.T], axis=1)[line]
    ground = seen.ground - np.stack([_mean(line, plane, parts) for plane in seen.ground.T], axis=1)[line]
    variance = _mean(line, (ground**2).sum(axis=1) / 3, parts)
    slope = np.clip(_mean(line, (ground * tone).sum(axis=1) / 3, parts) / (variance + 4), 0, 0.9)
    rest = tone - slope[line, None] * ground
    evenness = np.sqrt(_mean(line, (rest**2).sum(axis=1) / 3, parts))
    return np.asarray(evenness, np.float32), np.asarray(slope, np.float32), np.asarray(np.sqrt(variance), np.float32)


def _veil(line: Labels, seen: Glyphs, parts: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """One even share of white or black for each line, and what it leaves of the contrast, over that contrast."""
    step = seen.tone - seen.ground
    room = np.where(seen.contrast > 0, 255.0, 0.0)[:, None] - seen.ground
    square = np.maximum(_mean(line, (room * room).sum(axis=1), parts), 1)
    share = np.clip(_mean(line, (step * room).sum(axis=1), parts) / square, 0, 1)
    left = np.abs(step - share[line, None] * room).mean(axis=1)
    rest = _mean(line, left, parts) / np.maximum(_mean(line, np.abs(step).mean(axis=1), parts), 4)
    return np.asarray(share, np.float32), np.asarray(rest, np.float32)


def _scatter(line: Labels, seen: Glyphs, parts: npt.NDArray[np.int64]) -> Floats:
    """Scatter of feet or heads around level lines, whichever is less, in pixels."""
    return np.minimum(_deviation(line, seen.y, parts), _deviation(line, seen.y + seen.height, parts))


def _least(label: Labels, values: Floats, count: int) -> Floats:
    out = np.full(count, np.inf, np.float32)
    np.minimum.at(out, label, values)
    return out


def _mean(label: Labels, values: Floats, parts: npt.NDArray[np.int64]) -> Floats:
    return np.asarray(np.bincount(label, values, minlength=parts.size) / np.maximum(parts, 1), np.float32)


def _deviation(label: Labels, values: Floats, parts: npt.NDArray[np.int64]) -> Floats:
    away = values - _mean(label, values, parts)[label]
    return np.sqrt(_mean(label, away * away, parts))
