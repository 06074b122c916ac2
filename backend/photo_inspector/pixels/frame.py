"""One decode and one small pyramid, shared by all measurements. Knows no measurement and no guideline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.plugin import Box, Pixels

Gray: TypeAlias = npt.NDArray[np.uint8]
"""One channel, shape (height_px, width_px)."""
Floats: TypeAlias = npt.NDArray[np.float32]
"""Real numbers, shape as said."""
Levels: TypeAlias = npt.NDArray[np.float64]
"""A number for each of 256 levels."""
Mask: TypeAlias = npt.NDArray[np.bool_]
"""Yes or no per pixel or tile."""

SMALL_PX = 384
"""Longer side of the small level: enough for tone, color and layout, cheap enough for everything."""
MIDDLE_PX = 768
"""Longer side of the middle level: enough for fine lines, lettering and soft patches."""
SEARCHED_PX = 320
"""Longer side of the searched level: enough for straight edges, and to find where spots may be."""
DETAIL_PX = 800_000
"""Most pixels that are measured at full resolution; a larger picture is sampled in tiles."""
TILES = 4
"""Tiles a side of the sample."""
_BLOCK_PX = 8
_KEPT_BYTES = 30_000_000
"""Just under the size from which glibc never keeps a block, 32 MiB."""
_LEAST_TILED_PX = TILES * 4 * _BLOCK_PX
"""Narrower pictures are not cut into tiles."""


@dataclass(frozen=True, eq=False)
class Frame:
    """An image as the measurements see it. Each level is made when it is first asked for.

    Attributes:
        rgb: Full size, upright, of at least 1 x 1 px.
    """

    rgb: Pixels

    @cached_property
    def green(self) -> Gray:
        """The green channel at full resolution: whole, or evenly spaced tiles put side by side when there are too many.

        More than DETAIL_PX are too many. Green, because a camera measures it best and grain is not averaged away in
        it. Tiles start on multiples of 8 px, so that a JPEG grid goes on across them.
        """
        return _detail(self.rgb)

    @property
    def tile_px(self) -> tuple[int, int]:
        """Height and width of one tile of `green`; its own size when it is whole."""
        height, width = self.green.shape
        whole = height * width == self.height_px * self.width_px or min(self.rgb.shape[:2]) < _LEAST_TILED_PX
        return (height, width) if whole else (height // TILES, width // TILES)

    @cached_property
    def green_half(self) -> Floats:
        """`green` with every 2 x 2 pixels averaged, what is odd left out."""
        return halved(self.green.astype(np.float32))

    @cached_property
    def middle_rgb(self) -> Pixels:
        """At most MIDDLE_PX on the longer side, averaged over areas; `rgb` itself when that is no larger."""
        return shrunk(self.rgb, longer_px=MIDDLE_PX)

    @cached_property
    def middle_gray(self) -> Gray:
        """Luma (ITU-R BT.601) of the middle level."""
        return _luma(self.middle_rgb)

    @cached_property
    def small_rgb(self) -> Pixels:
        """At most SMALL_PX on the longer side, averaged over areas; `rgb` itself when that is no larger."""
        return shrunk(self.middle_rgb, longer_px=SMALL_PX)

    @cached_property
    def small_gray(self) -> Gray:
        """Luma (ITU-R BT.601) of the small level."""
        return _luma(self.small_rgb)

    @cached_property
    def searched_gray(self) -> Gray:
        """The small luma averaged over areas to at most SEARCHED_PX on the longer side; itself when it is no larger."""
        return shrunk(self.small_gray, longer_px=SEARCHED_PX)

    @property
    def height_px(self) -> int:
        """Height of the full image."""
        return int(self.rgb.shape[0])

    @property
    def width_px(self) -> int:
        """Width of the full image."""
        return int(self.rgb.shape[1])


def build_frame(rgb: Pixels) -> Frame:
    """The pyramid of an upright RGB image of at least 1 x 1 px."""
    _keep_memory()
    return Frame(rgb)


@cache
def _keep_memory() -> None:
    """From now on the memory of levels and masks stays with this process when they are done with.

    glibc hands freed blocks back to the system unless one as large was freed before (mallopt(3), M_MMAP_THRESHOLD), and
    each measurement then waits for fresh pages: a sixth of the time of a large picture. So one is freed, never touched.
    """
    np.empty(_KEPT_BYTES, np.uint8)


def crop_frame(rgb: Pixels, box: Box) -> Frame | None:
    """The pyramid of one place; None when the box has no pixel of the image."""
    inside = box.clipped()
    if inside is None:
        return None
    height, width = rgb.shape[:2]
    left, top = int(inside.x * width), int(inside.y * height)
    right, bottom = int(np.ceil(inside.right * width)), int(np.ceil(inside.bottom * height))
    part = rgb[top:bottom, left:right]
    return build_frame(np.ascontiguousarray(part)) if part.size else None


def shrunk(pixels: npt.NDArray[np.uint8], *, longer_px: int) -> npt.NDArray[np.uint8]:
    """The picture averaged over areas to at most `longer_px` on the longer side; itself when it is no larger."""
    height, width = pixels.shape[:2]
    factor = longer_px / max(height, width)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if factor < 0.1 and min(height, width) > 64:  # skip whole rows and columns of huge pictures first
        step = int(1 / factor) // 8 + 1
        pixels = np.ascontiguousarray(pixels[step // 2 :: step, step // 2 :: step])
    if factor < 0.4:  # averaging over areas reads every pixel: 16 of them for each of the result's will do
        pixels = np.asarray(cv2.resize(pixels, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def histogram(gray: Gray) -> Levels:
    """How many pixels have each level."""
    counts = cv2.calcHist([np.ascontiguousarray(gray)], [0], None, [256], [0, 256])
    return np.asarray(counts, np.float64).ravel()


def strongest(rgb: Pixels) -> Gray:
    """The largest of the three channels, pixel by pixel."""
    red, green, blue = cv2.split(rgb)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def _luma(rgb: Pixels) -> Gray:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def halved(level: Floats) -> Floats:
    """Every 2 x 2 pixels averaged; an odd last row or column is left out, a level of one pixel a side stays so."""
    rows, columns = max(1, level.shape[0] // 2), max(1, level.shape[1] // 2)
    even = level[: 2 * rows, : 2 * columns]
    return np.asarray(cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)


def _detail(rgb: Pixels) -> Gray:
    height, width = rgb.shape[:2]
    if height * width <= DETAIL_PX or min(height, width) < _LEAST_TILED_PX:
        part = rgb[: 4 * DETAIL_PX // max(width, 1) + 1, : 4 * DETAIL_PX]
        return np.asarray(cv2.extractChannel(part, 1), np.uint8)
    share = float(np.sqrt(DETAIL_PX / (height * width)))
    tile_h = int(height * share / TILES) // _BLOCK_PX * _BLOCK_PX
    tile_w = int(width * share / TILES) // _BLOCK_PX * _BLOCK_PX
    tops = _starts(height, tile_h)
    lefts = _starts(width, tile_w)
    rows = []
    for top in tops:
        tiles = (rgb[top : top + tile_h, left : left + tile_w] for left in lefts)
        rows.append(cv2.hconcat([cv2.extractChannel(tile, 1) for tile in tiles]))
    return np.asarray(cv2.vconcat(rows), np.uint8)


def _starts(length: int, tile: int) -> list[int]:
    """Where evenly spaced tiles start, on multiples of the block."""
    return [int(v) // _BLOCK_PX * _BLOCK_PX for v in np.linspace(0, length - tile, TILES)]
