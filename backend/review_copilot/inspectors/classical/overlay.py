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
            found += _lines(seen, seen, height=rgb.shape[0], width=rgb.shape[1], solid=solid)
            lean = None if solid else _lean(seen)
            if lean is not None:
                found += _lines(seen, _levelled(seen, lean), height=rgb.shape[0], width=rgb.shape[1], solid=False)
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
    x, y = seen.x + seen.width / 2, seen.y + seen.height / 2
    across, down = x * np.cos(lean) + y * np.sin(lean), y * np.cos(lean) - x * np.sin(lean)
    size = np.asarray(0.8 * np.maximum(seen.width, seen.height), np.float32)
    return replace(seen, x=across - size / 2, y=down - size / 2, width=size, height=size)


def _lines(seen: Glyphs, laid: Glyphs, *, height: int, width: int, solid: bool) -> list[Lettering]:
    """Lines of letters.

    Args:
        seen: The letters as they are.
        laid: The same, turned until their lines are level.
        height: Of the picture in pixels.
        width: Of the picture in pixels.
        solid: Whether the letters are of one pure colour.
    """
    line = _joined(laid, _words(laid))
    slant = laid is not seen
    count = int(line.max()) + 1
    letters = np.maximum(1, np.rint(seen.width / (0.75 * seen.height)))
    total = np.bincount(line, letters, minlength=count)
    parts = np.bincount(line, minlength=count)
    if not ((total >= LEAST_LETTERS) & (parts >= 2)).any():
        return []
    left, top = _least(line, seen.x, count), _least(line, seen.y, count)
    right, bottom = -_least(line, -(seen.x + seen.width), count), -_least(line, -(seen.y + seen.height), count)
    tall = _mean(line, seen.height, parts)
    chosen = np.flatnonzero((total >= LEAST_LETTERS) & (parts >= 2) & (right - left >= 1.6 * tall))
    if chosen.size == 0:
        return []
    evenness, mix, ground = _mixed(line, seen, parts)
    alignment = _scatter(line, laid, parts) / np.maximum(tall, 1)
    contrast = np.abs(_mean(line, seen.contrast, parts))
    spread = _deviation(line, seen.width, parts) / np.maximum(_mean(line, seen.width, parts), 1)
    pen = 2 * seen.area / seen.rim
    stroke = _mean(line, pen, parts)
    pen_spread = _deviation(line, pen, parts) / np.maximum(stroke, 0.5)
    fill = _mean(line, seen.area / (seen.width * seen.height), parts)
    outline = _mean(line, seen.rim / (2 * (seen.width + seen.height)), parts)
    like = np.abs(np.log(tall[chosen, None] / tall[None, chosen])) < 0.5
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
                slant=slant,
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
    tone = seen.tone - np.stack([_mean(line, seen.tone[:, c], parts)[line] for c in range(3)], axis=1)
    ground = seen.ground - np.stack([_mean(line, seen.ground[:, c], parts)[line] for c in range(3)], axis=1)
    variance = _mean(line, (ground**2).sum(axis=1) / 3, parts)
    slope = np.clip(_mean(line, (ground * tone).sum(axis=1) / 3, parts) / (variance + 4), 0, 0.9)
    rest = tone - slope[line, None] * ground
    evenness = np.sqrt(_mean(line, (rest**2).sum(axis=1) / 3, parts))
    return np.asarray(evenness, np.float32), np.asarray(slope, np.float32), np.asarray(np.sqrt(variance), np.float32)


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
