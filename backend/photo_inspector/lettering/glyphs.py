"""Things of the size of letters: thin, of one tone. Knows no lines of text and no guideline.

After the stroke filter of B. Epshtein, E. Ofek, Y. Wexler, "Detecting text in natural scenes with stroke width
transform" (CVPR 2010): a stroke vanishes in a small structuring element, what is broad stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.pixels.frame import Floats, Grey
from photo_inspector.pixels.parts import Ints, Parts, parts_of
from review_copilot.plugin import Pixels

STROKE_PX = 9
"""Side of the structuring element."""
LEAST_CONTRAST = 14
"""Grey levels by which a stroke stands out."""
STANDOUT = 2.2
"""A stroke also stands out this many times more than the mean nearby."""
LEAST_HEIGHT_PX, LEAST_AREA_PX = 6, 8
"""Lower things are not read, nor those of fewer pixels."""
MOST_GLYPHS = 240
"""Of more things than this only those of most contrast are kept."""
AROUND_PX = 15
"""Side of the neighbourhood that tells what lies under a stroke."""
LEAST_SHARE = 0.0006
"""Share of the picture that a pure colour takes at least to be looked at."""


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
        lightness: Mean of these.
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
    lightness: Floats
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
        yield stands.view(np.uint8)


def pure_colours(rgb: Pixels) -> Iterator[Grey]:
    """Where the picture is white, black, or of a strong colour, by ninths of the colour circle; 0 or 1."""
    red, green, blue = cv2.split(rgb)
    high = cv2.max(cv2.max(red, green), blue)
    low = cv2.min(cv2.min(red, green), blue)
    yield (low >= 228).view(np.uint8)
    yield (high <= 24).view(np.uint8)
    strong = (high >= 150) & (cv2.subtract(high, low) >= 90)
    least = LEAST_SHARE * strong.size
    if np.count_nonzero(strong) <= least:
        return
    hue = np.asarray(cv2.extractChannel(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV), 0), np.uint8)
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
        packed: Red, green, blue and 255 of each pixel in one number, shape (height_px, width_px).
        rooms: Memory for the same with a frame of half a neighbourhood, and for the table of their sums, which every
            mask writes in turn; fresh memory for each would cost more than summing.
    """

    grey: Grey
    packed: npt.NDArray[np.uint32]
    rooms: tuple[Grey, npt.NDArray[np.int32]]

    def room(self, height: int, width: int) -> tuple[Grey, npt.NDArray[np.int32]]:
        """Memory for a part of the level with its frame, and for the table of its sums; four numbers for a pixel."""
        rows, columns = height + AROUND_PX - 1, width + AROUND_PX - 1
        framed, sums = self.rooms
        return (
            framed[: 4 * rows * columns].reshape(rows, columns, 4),
            sums[: 4 * (rows + 1) * (columns + 1)].reshape(rows + 1, columns + 1, 4),
        )


def level_of(rgb: Pixels) -> Level:
    """A level of at least 1 x 1 px."""
    four = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), np.uint8)
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    height, width = (length + AROUND_PX for length in grey.shape)
    rooms = np.empty(4 * height * width, np.uint8), np.empty(4 * height * width, np.int32)
    return Level(grey, four.view(np.uint32)[..., 0], rooms)


def glyphs(mask: Grey, level: Level) -> Glyphs | None:
    """The connected parts of a mask that have the size and the fill of letters or of joined letters; None for none."""
    if np.count_nonzero(mask) < LEAST_SHARE * mask.size:
        return None
    parts = parts_of(mask, least_px=LEAST_AREA_PX)
    height, width = mask.shape
    wide, high, sizes = parts.width, parts.height, parts.area
    fitting = (high >= LEAST_HEIGHT_PX) & (high <= 0.4 * height) & (wide < 0.9 * width)
    fitting &= (wide <= 9 * high) & (wide >= 0.07 * high)
    fitting &= (sizes >= 0.12 * wide * high) & (sizes <= 0.98 * wide * high + 12)
    chosen = np.flatnonzero(fitting)
    if chosen.size < 2:
        return None
    on, starts = parts.pixels(chosen)
    rows, columns = np.divmod(on, width)
    own = np.take(level.packed, on).view(np.uint8).reshape(-1, 4)
    luma = np.take(level.grey, on).astype(np.float32)
    # nothing further away touches these things or lies close to them
    around = _around(parts, chosen, shape=(height, width))
    mask, level = mask[around], replace(level, packed=level.packed[around])
    at = (rows - around[0].start, columns - around[1].start)
    rim = cv2.subtract(mask, cv2.erode(mask, np.ones((3, 3), np.uint8)))
    at_rim = np.take(rim, at[0] * mask.shape[1] + at[1]).view(np.bool_)
    x, y, w, h, area = (part[chosen].astype(np.float32) for part in (parts.x, parts.y, wide, high, sizes))

    def total(values: npt.NDArray[np.generic]) -> Floats:
        """Sums over each thing's pixels, of values of shape (..., pixels)."""
        return np.add.reduceat(values.astype(np.float64), starts, axis=-1).astype(np.float32)

    tone = (total(np.ascontiguousarray(own.T[:3])) / area).T
    ground = _ground(mask, level, at=at, tone=tone, total=total)
    inner = np.sqrt(np.maximum(total(luma * luma) / area - (total(luma) / area) ** 2, 0))
    clearest = np.argsort(-np.abs((tone - ground).sum(axis=1)))[:MOST_GLYPHS]
    order = np.full(chosen.size, -1, np.int64)
    order[clearest] = np.arange(clearest.size)
    owner = np.repeat(order, sizes[chosen])
    at_outline = np.flatnonzero(at_rim & (owner >= 0))
    outline = np.stack([np.take(values, at_outline) for values in (rows, columns, owner)])

    def kept(values: npt.NDArray[np.generic]) -> Floats:
        return np.asarray(values[clearest], np.float32)

    tone, ground = kept(tone), kept(ground)
    return Glyphs(
        x=kept(x),
        y=kept(y),
        width=kept(w),
        height=kept(h),
        area=kept(area),
        rim=kept(np.maximum(total(at_rim), 1)),
        tone=tone,
        lightness=tone.mean(axis=1),
        ground=ground,
        contrast=np.asarray((tone - ground).mean(axis=1), np.float32),
        inner=kept(inner),
        outline=outline,
    )


def _around(parts: Parts, chosen: Ints, *, shape: tuple[int, int]) -> tuple[slice, slice]:
    """The rows and columns in which some parts lie, and what is close to them."""
    reach = AROUND_PX // 2 + 1
    x, y = parts.x[chosen], parts.y[chosen]
    right, bottom = x + parts.width[chosen], y + parts.height[chosen]
    down = slice(max(0, int(y.min()) - reach), min(shape[0], int(bottom.max()) + reach))
    return down, slice(max(0, int(x.min()) - reach), min(shape[1], int(right.max()) + reach))


def _ground(
    mask: Grey, level: Level, *, at: tuple[Ints, Ints], tone: Floats, total: Callable[[npt.NDArray[np.generic]], Floats]
) -> Floats:
    """Mean colour of what lies close to each thing's pixels and is in no thing, shape (things, 3).

    A thing with nothing but others around it stands out from nothing: its ground is its own tone.

    Args:
        mask: Where things are, and whatever is close to them.
        level: The same part of the level.
        at: Row and column of each thing's pixels in it.
        tone: Mean colour of each thing.
        total: Sums over each thing's pixels.
    """
    height, width = mask.shape
    free = np.asarray(1 - np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8))), np.uint8)
    four = (level.packed * free).view(np.uint8).reshape(height, width, 4)
    reach = AROUND_PX // 2
    framed, sums = level.room(height, width)
    cv2.copyMakeBorder(four, reach, reach, reach, reach, cv2.BORDER_REFLECT_101, dst=framed)
    cv2.integral(framed, sum=sums, sdepth=cv2.CV_32S)
    table = sums.view(np.complex128).ravel()  # four sums in one record
    first = at[0] * sums.shape[1] + at[1]
    corners = [
        np.take(table[down * sums.shape[1] + right :], first).view(np.int32).reshape(-1, 4)
        for down, right in ((0, 0), (0, AROUND_PX), (AROUND_PX, 0), (AROUND_PX, AROUND_PX))
    ]
    near = corners[3] - corners[2] - corners[1] + corners[0]
    found = total(near.T).T
    count = found[:, 3:] / 255
    return np.where(count > 0, found[:, :3] / np.maximum(count, 1), tone)
