"""Things of the size of letters: thin, of one tone. Knows no lines of text and no guideline.

After the stroke filter of B. Epshtein, E. Ofek, Y. Wexler, "Detecting text in natural scenes with stroke width
transform" (CVPR 2010): a stroke vanishes in a small structuring element, what is broad stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
AROUND_PX = 15
"""Side of the neighbourhood that tells what lies under a stroke."""
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
        contrast: Tone less ground, as the mean of the channels; negative for dark things.
        inner: Spread of the luma inside, in grey levels.
        outline: Row and column of each rim pixel of all of them, and whose it is, shape (3, pixels).
    """

    x: Floats
    y: Floats
    width: Floats
    height: Floats
    area: Floats
    rim: Floats
    tone: Floats
    ground: Floats
    contrast: Floats
    inner: Floats
    outline: Ints

    @property
    def veil(self) -> Floats:
        """How far the ground goes towards white under light things, towards black under dark ones, 0..1."""
        room = np.where(self.contrast > 0, 255.0, 0.0)[:, None] - self.ground
        return np.asarray(np.clip(self.contrast / np.where(np.abs(r := room.mean(axis=1)) < 1, 1, r), 0, 1), np.float32)


def strokes(grey: Grey) -> Iterator[Grey]:
    """Where thin things are: light ones, then dark ones; 0 or 1."""
    kernel = np.ones((STROKE_PX, STROKE_PX), np.uint8)
    for how in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        relief = np.asarray(cv2.morphologyEx(grey, how, kernel), np.uint8)
        nearby = cv2.blur(relief, (5 * STROKE_PX, 5 * STROKE_PX))
        stands = (relief >= cv2.convertScaleAbs(nearby, alpha=STANDOUT)) & (relief >= LEAST_CONTRAST)
        yield np.asarray(stands, np.uint8)


def pure_colours(rgb: Pixels) -> Iterator[Grey]:
    """Where the picture is white, black, or of a strong colour, by ninths of the colour circle; 0 or 1."""
    red, green, blue = cv2.split(rgb)
    high = cv2.max(cv2.max(red, green), blue)
    low = cv2.min(cv2.min(red, green), blue)
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
        grey: Luma of its pixels.
        packed: Red, green, blue and a 1 of each pixel in one number, shape (height_px, width_px).
        framed: Room for the same with a frame of half a neighbourhood, written by every mask in turn.
        sums: Room for the table of their sums, likewise; fresh memory for each mask would cost more than summing.
    """

    grey: Grey
    packed: npt.NDArray[np.uint32]
    framed: Grey
    sums: npt.NDArray[np.int32]


def level_of(rgb: Pixels) -> Level:
    """A level of at least 1 x 1 px."""
    red, green, blue = cv2.split(rgb)
    four = np.asarray(cv2.merge([red, green, blue, np.ones_like(red)]), np.uint8)
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    height, width = (length + AROUND_PX - 1 for length in red.shape)
    framed, sums = np.empty((height, width, 4), np.uint8), np.empty((height + 1, width + 1, 4), np.int32)
    return Level(grey, four.view(np.uint32)[..., 0], framed, sums)


def glyphs(mask: Grey, level: Level) -> Glyphs | None:
    """The connected parts of a mask that have the size and the fill of letters or of joined letters; None for none."""
    if np.count_nonzero(mask) < LEAST_SHARE * mask.size:
        return None
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    height, width = mask.shape
    x, y, w, h, area = (stats[:, i] for i in range(5))
    fitting = (h >= LEAST_HEIGHT_PX) & (h <= 0.4 * height) & (w <= 9 * h) & (w >= 0.07 * h) & (w < 0.9 * width)
    fitting &= (area >= 0.12 * w * h) & (area >= 8) & (area <= 0.98 * w * h + 12)
    fitting[0] = False
    chosen = np.flatnonzero(fitting)
    if chosen.size < 2:
        return None
    on = _pixels(mask, np.asarray(labels, np.int32), chosen, count=count)
    at_rim = np.take(cv2.subtract(mask, cv2.erode(mask, np.ones((3, 3), np.uint8))), on).view(np.bool_)
    x, y, w, h, area = (part[chosen].astype(np.float32) for part in (x, y, w, h, area))
    starts = np.concatenate([[0], np.cumsum(stats[chosen[:-1], cv2.CC_STAT_AREA])])

    def total(values: npt.NDArray[np.generic]) -> Floats:
        """Sums over each thing's pixels, of values of shape (..., pixels)."""
        return np.add.reduceat(values.astype(np.float64), starts, axis=-1).astype(np.float32)

    own = np.take(level.packed, on).view(np.uint8).reshape(-1, 4)
    tone = (total(own.T[:3]) / area).T
    ground = _ground(mask, level, on=on, tone=tone, total=total)
    luma = np.take(level.grey, on).astype(np.float32)
    inner = np.sqrt(np.maximum(total(luma * luma) / area - (total(luma) / area) ** 2, 0))
    clearest = np.argsort(-np.abs((tone - ground).sum(axis=1)))[:MOST_GLYPHS]
    order = np.full(chosen.size, -1, np.int64)
    order[clearest] = np.arange(clearest.size)
    rim_on, rim_owner = on[at_rim], np.repeat(order, stats[chosen, cv2.CC_STAT_AREA])[at_rim]
    rows, columns = np.divmod(rim_on[rim_owner >= 0], width)
    outline = np.stack([rows, columns, rim_owner[rim_owner >= 0]]).astype(np.int64)
    rim = np.maximum(total(at_rim), 1)

    def kept(values: npt.NDArray[np.generic]) -> Floats:
        return np.asarray(values[clearest], np.float32)

    tone, ground = kept(tone), kept(ground)
    return Glyphs(
        x=kept(x),
        y=kept(y),
        width=kept(w),
        height=kept(h),
        area=kept(area),
        rim=kept(rim),
        tone=tone,
        ground=ground,
        contrast=np.asarray((tone - ground).mean(axis=1), np.float32),
        inner=kept(inner),
        outline=outline,
    )


def _pixels(mask: Grey, labels: npt.NDArray[np.int32], chosen: Ints, *, count: int) -> Ints:
    """Flat places of the chosen parts' pixels, part by part in the order chosen, each row by row."""
    place = np.full(count, chosen.size, np.uint16 if chosen.size < 2**16 else np.uint32)
    place[chosen] = np.arange(chosen.size)
    on = np.flatnonzero(mask.view(np.bool_))
    owner = np.take(place, np.take(labels, on))
    inside = owner < chosen.size
    on, owner = on[inside], owner[inside]
    return on[np.argsort(owner, kind="stable")]


def _ground(
    mask: Grey, level: Level, *, on: Ints, tone: Floats, total: Callable[[npt.NDArray[np.generic]], Floats]
) -> Floats:
    """Mean colour of what lies close to each thing's pixels and is in no thing, shape (things, 3).

    A thing with nothing but others around it stands out from nothing: its ground is its own tone.
    """
    height, width = mask.shape
    free = np.asarray(1 - np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8))), np.uint8)
    four = (level.packed * free).view(np.uint8).reshape(height, width, 4)
    reach = AROUND_PX // 2
    cv2.copyMakeBorder(four, reach, reach, reach, reach, cv2.BORDER_REFLECT_101, dst=level.framed)
    cv2.integral(level.framed, sum=level.sums, sdepth=cv2.CV_32S)
    sums = level.sums.view(np.complex128)[..., 0]  # four sums in one record
    rows, columns = np.divmod(on, width)
    first = rows * sums.shape[1] + columns
    corners = [
        np.take(sums, first + down * sums.shape[1] + right).view(np.int32).reshape(-1, 4)
        for down, right in ((0, 0), (0, AROUND_PX), (AROUND_PX, 0), (AROUND_PX, AROUND_PX))
    ]
    near = corners[3] - corners[2] - corners[1] + corners[0]
    found = total(near.T).T
    return np.where(found[:, 3:] > 0, found[:, :3] / np.maximum(found[:, 3:], 1), tone)
