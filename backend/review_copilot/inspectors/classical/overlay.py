"""Lettering that was laid over the picture: date stamps, captions, watermarks. Knows no guideline.

Lettering that was laid over differs from lettering in the scene in that it is evenly spaced, of one stroke width, and
mixed with whatever lies under it by one constant share: its tone is a straight line of the ground's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from review_copilot.domain.geometry import Box
from review_copilot.inspectors.classical.frame import Floats, Frame, Mask, shrunk
from review_copilot.inspectors.classical.glyphs import Glyphs, glyphs, level_of, pure_colours, strokes
from review_copilot.inspectors.classical.linking import Labels, chains

SIDE_PX = 640
"""Longer side at which lettering is looked for; large letters at a half and a quarter of it."""
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
    edge: float


def lettering(frame: Frame) -> tuple[Lettering, ...]:
    """Lines of letters, longest first; the same line may come more than once, as different masks saw it."""
    found: list[Lettering] = []
    rgb = shrunk(frame.middle_rgb, longer_px=SIDE_PX)
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
            if seen is not None:
                found += _lines(seen, height=rgb.shape[0], width=rgb.shape[1], solid=solid)
    return tuple(sorted(found, key=lambda line: -line.letters))


def _lines(seen: Glyphs, *, height: int, width: int, solid: bool) -> list[Lettering]:
    words = _words(seen)
    line = _joined(seen, words)
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
    alignment = _scatter(line, seen, parts) / np.maximum(tall, 1)
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
        seen.contrast,
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
        _mean(words, seen.contrast, parts),
        most_gap=2.0,
        slack=0.2,
        tall=_mean(words, seen.height, parts),
    )
    return np.asarray(lines[words], np.int32)


def _linked(
    left: Floats,
    top: Floats,
    right: Floats,
    bottom: Floats,
    contrast: Floats,
    *,
    most_gap: float,
    slack: float,
    tall: Floats | None = None,
) -> Labels:
    """Label of each thing; those that follow each other on a level share one."""
    high = bottom - top if tall is None else tall
    most, least = np.maximum(high[:, None], high), np.minimum(high[:, None], high)
    gap = left[None, :] - right[:, None]
    feet, heads = np.abs(bottom[:, None] - bottom), np.abs(top[:, None] - top)
    tone = np.abs(contrast[:, None] - contrast)
    room = slack * most + 1.5
    follows: Mask = (gap >= -0.3 * most) & (gap <= most_gap * most) & (least >= 0.5 * most)
    follows &= (np.minimum(feet, heads) <= room) & (left[None, :] > left[:, None])
    follows &= (contrast[:, None] * contrast > 0) & (
        tone <= 0.5 * np.maximum(np.abs(contrast[:, None]), np.abs(contrast))
    )
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
