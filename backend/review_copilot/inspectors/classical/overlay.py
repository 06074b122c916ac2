"""Lettering that was laid over the picture: date stamps, captions, watermarks. Knows no guideline.

After the stroke filter of B. Epshtein, E. Ofek, Y. Wexler, "Detecting text in natural scenes with stroke width
transform" (CVPR 2010): thin things of one tone, of like height, on one line. Lettering that was laid over differs from
lettering in the scene in that it is level, evenly spaced and of exactly one tone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical.frame import Floats, Frame, Grey, Mask, shrunk

SIDE_PX = 576
"""Longer side at which lettering is looked for; strokes of more than 9 px at a half and a quarter of it."""
STROKE_PX = 9
"""Side of the structuring element: thin things vanish in it, broad ones stay."""
LEAST_CONTRAST = 20
"""Grey levels by which a stroke stands out."""
LEAST_GLYPHS = 4
"""Glyphs in a row that make a line of lettering."""
MOST_GLYPHS = 220
"""More things of the size of glyphs than this are texture."""


@dataclass(frozen=True, slots=True)
class Lettering:
    """A line of glyphs.

    Attributes:
        box: Around all glyphs.
        glyphs: Their number.
        contrast: Mean contrast against what is around, in grey levels.
        evenness: Spread of the glyphs' tones among each other, in grey levels; 0 for print.
        alignment: Scatter of the glyphs' feet and heads around level lines, over their height.
        variety: Spread of the glyphs' widths over their mean; windows of a facade have next to none.
        height_percent: Median height of a glyph, as a share of the picture's height.
        rivals: Number of other lines of like height; facades and fences have many.
        solid: Whether the lettering has one pure colour, not just one contrast.
    """

    box: Box
    glyphs: int
    contrast: float
    evenness: float
    alignment: float
    variety: float
    height_percent: float
    rivals: int
    solid: bool


@dataclass(frozen=True, slots=True)
class _Glyph:
    x: int
    y: int
    width: int
    height: int
    tone: float
    contrast: float

    @property
    def foot(self) -> int:
        return self.y + self.height


def lettering(frame: Frame) -> tuple[Lettering, ...]:
    """Lines of glyphs, longest first; lines that overlap others are left out."""
    found: list[Lettering] = []
    rgb = shrunk(frame.rgb, longer_px=SIDE_PX)
    for divisor in (1, 2, 4):
        level = shrunk(rgb, longer_px=max(1, max(rgb.shape[:2]) // divisor))
        if min(level.shape[:2]) < 24:
            continue
        grey = np.asarray(cv2.cvtColor(level, cv2.COLOR_RGB2GRAY), np.uint8)
        masks = [(mask, False) for mask in _strokes(grey)]
        if divisor == 1:
            masks += [(mask, True) for mask in _pure_colours(level)]
        for mask, solid in masks:
            lines = _lines(_glyphs(mask, grey))
            found += [_describe(line, grey.shape, lines=lines, solid=solid) for line in lines]
    return _without_doubles(found)


def _strokes(grey: Grey) -> Iterator[Mask]:
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (STROKE_PX, STROKE_PX))
    for how in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        yield np.asarray(cv2.morphologyEx(grey, how, kernel)) >= LEAST_CONTRAST


def _pure_colours(rgb: Pixels) -> Iterator[Mask]:
    """Where the picture is white, black, or of a strong colour, by sixths of the colour circle."""
    high, low = rgb.max(axis=2), rgb.min(axis=2)
    yield low >= 228
    yield high <= 24
    strong = (high >= 170) & (high - low >= 100)
    if np.count_nonzero(strong) > 0.0008 * strong.size:
        hue = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV), np.uint8)[..., 0]
        for first in range(0, 180, 20):
            mask = strong & (hue >= first) & (hue < first + 25)
            if first == 160:
                mask |= strong & (hue < 5)
            if np.count_nonzero(mask) > 0.0008 * mask.size:
                yield mask


def _glyphs(mask: Mask, grey: Grey) -> list[_Glyph]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    height, width = mask.shape
    w, h, area = (stats[:, i] for i in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    fitting = (h >= 6) & (h <= 0.35 * height) & (w <= 1.8 * h) & (w >= 0.07 * h) & (w < 0.4 * width)
    fitting &= (area >= 0.16 * w * h) & (area >= 8) & (area <= 0.98 * w * h + 12)
    fitting[0] = False
    chosen = np.flatnonzero(fitting)
    if not LEAST_GLYPHS <= chosen.size <= MOST_GLYPHS:
        return []
    x, y = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    tones, sums = _tones(labels, grey, count)
    # what lies around a glyph: its box and 2 px more, less the glyph
    table = cv2.integral(grey)
    left, top = np.maximum(x - 2, 0), np.maximum(y - 2, 0)
    right, bottom = np.minimum(x + w + 2, width), np.minimum(y + h + 2, height)
    total = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
    ground = (total - sums) / np.maximum((right - left) * (bottom - top) - area, 1)
    return [
        _Glyph(int(x[i]), int(y[i]), int(w[i]), int(h[i]), float(tones[i]), float(tones[i] - ground[i])) for i in chosen
    ]


def _tones(labels: npt.NDArray[np.generic], grey: Grey, count: int) -> tuple[Floats, Floats]:
    """Mean level and sum of levels of every component; the ground's own are left at 0."""
    flat = labels.ravel()
    picked = np.flatnonzero(flat)
    sums = np.bincount(flat[picked], grey.ravel()[picked], minlength=count).astype(np.float32)
    sizes = np.bincount(flat[picked], minlength=count)
    return np.asarray(sums / np.maximum(sizes, 1), np.float32), sums


def _lines(glyphs: list[_Glyph]) -> list[list[_Glyph]]:
    """Glyphs of like height and tone on one level, close to each other; from left to right."""
    lines: list[list[_Glyph]] = []
    for glyph in sorted(glyphs, key=lambda g: g.x):
        best: list[_Glyph] | None = None
        for line in lines:
            if (best is None or line[-1].x > best[-1].x) and any(_follows(glyph, last) for last in line[-2:]):
                best = line
        if best is None:
            lines.append([glyph])
        else:
            best.append(glyph)
    return [line for line in _joined([line for line in lines if len(line) >= 2]) if len(line) >= LEAST_GLYPHS]


def _joined(words: list[list[_Glyph]]) -> list[list[_Glyph]]:
    """Words of like height side by side become one line."""
    lines: list[list[_Glyph]] = []
    for word in sorted(words, key=lambda w: w[0].x):
        for line in lines:
            tall, other = _tall(line), _tall(word)
            gap = word[0].x - max(g.x + g.width for g in line)
            feet = abs(float(np.median([g.foot for g in line])) - float(np.median([g.foot for g in word])))
            same_tone = line[0].contrast * word[0].contrast > 0
            if (
                same_tone
                and 0.7 < other / tall < 1.45
                and -0.2 * tall <= gap <= 1.8 * tall
                and feet <= 0.2 * tall + 1.5
            ):
                line.extend(word)
                break
        else:
            lines.append(list(word))
    return lines


def _tall(line: list[_Glyph]) -> float:
    return float(np.median([g.height for g in line]))


def _follows(glyph: _Glyph, last: _Glyph) -> bool:
    tall = max(glyph.height, last.height)
    gap = glyph.x - (last.x + last.width)
    return (
        -0.3 * tall <= gap <= 1.2 * tall
        and 0.5 <= glyph.height / last.height <= 2.0
        and min(abs(glyph.foot - last.foot), abs(glyph.y - last.y)) <= 0.12 * tall + 1.5
        and glyph.contrast * last.contrast > 0
    )


def _describe(line: list[_Glyph], shape: tuple[int, ...], *, lines: list[list[_Glyph]], solid: bool) -> Lettering:
    height, width = shape[:2]
    x1, y1 = min(g.x for g in line), min(g.y for g in line)
    x2, y2 = max(g.x + g.width for g in line), max(g.foot for g in line)
    tall = float(np.median([g.height for g in line]))
    widths = np.array([g.width for g in line])
    tones = np.array([g.tone for g in line])
    near = sum(0.6 < float(np.median([g.height for g in other])) / tall < 1.7 for other in lines) - 1
    return Lettering(
        box=Box(x1 / width, y1 / height, (x2 - x1) / width, (y2 - y1) / height),
        glyphs=len(line),
        contrast=float(np.mean([abs(g.contrast) for g in line])),
        evenness=float(np.median(np.abs(tones - np.median(tones)))),
        alignment=min(_scatter([g.foot for g in line]), _scatter([g.y for g in line])) / tall,
        variety=float(widths.std() / widths.mean()),
        height_percent=100 * tall / height,
        rivals=near,
        solid=solid,
    )


def _scatter(values: list[int]) -> float:
    return float(np.quantile(np.abs(np.array(values) - np.median(values)), 0.6))


def _without_doubles(found: list[Lettering]) -> tuple[Lettering, ...]:
    kept: list[Lettering] = []
    for line in sorted(found, key=lambda item: (-item.glyphs, item.alignment)):
        if all(line.box.intersection_area(other.box) < 0.3 * min(line.box.area, other.box.area) for other in kept):
            kept.append(line)
    return tuple(kept)
