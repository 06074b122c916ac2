"""Things of the size of letters: thin, of one tone. Knows no lines of text and no guideline.

After the stroke filter of B. Epshtein, E. Ofek, Y. Wexler, "Detecting text in natural scenes with stroke width
transform" (CVPR 2010): a stroke vanishes in a small structuring element, what is broad stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical.frame import Floats, Grey

STROKE_PX = 9
"""Side of the structuring element."""
LEAST_CONTRAST = 14
"""Grey levels by which a stroke stands out."""
STANDOUT = 2.2
"""A stroke also stands out this many times more than the mean nearby."""
LEAST_HEIGHT_PX = 6
"""Lower things are not read."""
MOST_GLYPHS = 240
"""Of more things than this only those of most contrast are kept."""
LEAST_SHARE = 0.0006
"""Share of the picture that a pure colour takes at least to be looked at."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Glyphs:
    """Things of the size of letters, in no order; every array has one entry for each.

    Attributes:
        x: Left edge in pixels.
        y: Upper edge in pixels.
        width: In pixels.
        height: In pixels.
        area: Pixels of its own.
        rim: Pixels of its own that touch others.
        tone: Mean of red, green and blue, shape (glyphs, 3).
        ground: The same for what lies around it.
    """

    x: Floats
    y: Floats
    width: Floats
    height: Floats
    area: Floats
    rim: Floats
    tone: Floats
    ground: Floats

    @property
    def contrast(self) -> Floats:
        """Tone less ground, as the mean of the channels; negative for dark things."""
        return np.asarray((self.tone - self.ground).mean(axis=1), np.float32)


def strokes(grey: Grey) -> Iterator[Grey]:
    """Where thin things are: light ones, then dark ones; 0 or 1."""
    kernel = np.ones((STROKE_PX, STROKE_PX), np.uint8)
    for how in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        relief = np.asarray(cv2.morphologyEx(grey, how, kernel), np.uint8)
        nearby = cv2.blur(relief, (5 * STROKE_PX, 5 * STROKE_PX))
        threshold = np.maximum(cv2.convertScaleAbs(nearby, alpha=STANDOUT), np.uint8(LEAST_CONTRAST))
        yield np.asarray(relief >= threshold, np.uint8)


def pure_colours(rgb: Pixels) -> Iterator[Grey]:
    """Where the picture is white, black, or of a strong colour, by ninths of the colour circle; 0 or 1."""
    high = cv2.max(cv2.max(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
    low = cv2.min(cv2.min(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
    yield np.asarray(low >= 228, np.uint8)
    yield np.asarray(high <= 24, np.uint8)
    strong = (high >= 150) & (cv2.subtract(high, low) >= 90)
    least = LEAST_SHARE * strong.size
    if np.count_nonzero(strong) <= least:
        return
    hue = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV), np.uint8)[..., 0]
    counts = np.bincount(hue[strong] // 10, minlength=18)
    for first in range(0, 18, 2):
        if counts[first] + counts[first + 1] + counts[(first + 2) % 18] // 2 > least:
            near = (((np.arange(256) + 180 - 10 * first) % 180 < 25) | (first == 0) & (np.arange(256) >= 175)).astype(
                np.uint8
            )
            yield np.asarray(cv2.bitwise_and(strong.view(np.uint8), cv2.LUT(hue, near)), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One level of the pyramid as letters are read from it.

    Attributes:
        rgb: Its pixels.
        grey: Their luma.
        planes: Red, green and blue, flat.
        table: Sums over all pixels above and to the left, shape (height + 1, width + 1, 3).
    """

    rgb: Pixels
    grey: Grey
    planes: tuple[Floats, ...]
    table: npt.NDArray[np.int32]


def level_of(rgb: Pixels) -> Level:
    """A level with its sums."""
    planes = tuple(np.asarray(plane, np.float32).ravel() for plane in cv2.split(rgb))
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    return Level(rgb, grey, planes, np.asarray(cv2.integral(rgb), np.int32))


def glyphs(mask: Grey, level: Level) -> Glyphs | None:
    """The connected parts of a mask that have the size and the fill of letters or of joined letters; None for none."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    height, width = mask.shape
    x, y, w, h, area = (stats[:, i] for i in range(5))
    fitting = (h >= LEAST_HEIGHT_PX) & (h <= 0.4 * height) & (w <= 9 * h) & (w >= 0.07 * h) & (w < 0.9 * width)
    fitting &= (area >= 0.12 * w * h) & (area >= 8) & (area <= 0.98 * w * h + 12)
    fitting[0] = False
    chosen = np.flatnonzero(fitting)
    if chosen.size < 2:
        return None
    rim_mask = cv2.subtract(mask, cv2.erode(mask, np.ones((3, 3), np.uint8))).ravel()
    wanted = np.zeros(count, np.bool_)
    wanted[chosen] = True
    flat = labels.ravel()
    on = np.flatnonzero(mask.ravel().view(np.bool_))
    on = on[wanted[flat[on]]]
    owner = flat[on]
    sums = np.stack([np.bincount(owner, plane[on], minlength=count)[chosen] for plane in level.planes], axis=1)
    rim = np.bincount(owner, rim_mask[on], minlength=count)[chosen]
    x, y, w, h, area = (part[chosen] for part in (x, y, w, h, area))
    left, top = np.maximum(x - 3, 0), np.maximum(y - 3, 0)
    right, bottom = np.minimum(x + w + 3, width), np.minimum(y + h + 3, height)
    table = level.table
    around = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left] - sums
    room = np.maximum((right - left) * (bottom - top) - area, 1)

    tone, ground = sums / area[:, None], around / room[:, None]
    clearest = np.argsort(-np.abs((tone - ground).sum(axis=1)))[:MOST_GLYPHS]

    def kept(values: npt.NDArray[np.generic]) -> Floats:
        return np.asarray(values[clearest], np.float32)

    return Glyphs(kept(x), kept(y), kept(w), kept(h), kept(area), kept(np.maximum(rim, 1)), kept(tone), kept(ground))
