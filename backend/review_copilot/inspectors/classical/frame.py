"""One decode and one small pyramid, shared by all measurements. Knows no measurement and no guideline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels

Grey: TypeAlias = npt.NDArray[np.uint8]
"""One channel, shape (height_px, width_px)."""
Floats: TypeAlias = npt.NDArray[np.float32]
"""Real numbers, shape as said."""
Levels: TypeAlias = npt.NDArray[np.float64]
"""A number for each of 256 levels."""
Mask: TypeAlias = npt.NDArray[np.bool_]
"""Yes or no per pixel or tile."""

SMALL_PX = 384
"""Longer side of the small level: enough for tone, colour and layout, cheap enough for everything."""
MIDDLE_PX = 768
"""Longer side of the middle level: enough for fine lines, lettering and soft patches."""
DETAIL_PX = 1_200_000
"""Most pixels that are measured at full resolution; a larger picture is sampled in tiles."""
TILES = 4
"""Tiles a side of the sample."""
_BLOCK_PX = 8


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image as the measurements see it.

    Attributes:
        rgb: Full size, upright.
        green: The green channel at full resolution: whole, or evenly spaced tiles put side by side when the picture is
            larger than DETAIL_PX. Green, because a camera measures it best and grain is not averaged away in it.
            Tiles start on multiples of 8 px, so that a JPEG grid goes on across them.
        tile_px: Height and width of one tile of `green`; its own size when it is whole.
        middle_rgb: At most MIDDLE_PX on the longer side, averaged over areas; `rgb` itself when that is no larger.
        middle_grey: Luma (ITU-R BT.601) of the middle level.
        small_rgb: At most SMALL_PX on the longer side, averaged over areas; `rgb` itself when that is no larger.
        small_grey: Luma (ITU-R BT.601) of the small level.
    """

    rgb: Pixels
    green: Grey
    tile_px: tuple[int, int]
    middle_rgb: Pixels
    middle_grey: Grey
    small_rgb: Pixels
    small_grey: Grey

    @property
    def height_px(self) -> int:
        """Height of the full image."""
        return int(self.rgb.shape[0])

    @property
    def width_px(self) -> int:
        """Width of the full image."""
        return int(self.rgb.shape[1])

    @property
    def whole(self) -> bool:
        """Whether `green` is the whole picture, not a sample of tiles."""
        return self.green.shape == self.rgb.shape[:2]

    @property
    def shrink(self) -> float:
        """Full pixels per small pixel, at least 1."""
        return max(self.rgb.shape[:2]) / max(self.small_grey.shape)


def build_frame(rgb: Pixels) -> Frame:
    """The pyramid of an upright RGB image of at least 1 x 1 px."""
    green, tile_px = _detail(rgb)
    middle = shrunk(rgb, longer_px=MIDDLE_PX)
    small = shrunk(middle, longer_px=SMALL_PX)
    return Frame(rgb, green, tile_px, middle, _luma(middle), small, _luma(small))


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


def histogram(grey: Grey) -> Levels:
    """How many pixels have each level."""
    counts = cv2.calcHist([np.ascontiguousarray(grey)], [0], None, [256], [0, 256])
    return np.asarray(counts, np.float64).ravel()


def _luma(rgb: Pixels) -> Grey:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _detail(rgb: Pixels) -> tuple[Grey, tuple[int, int]]:
    height, width = rgb.shape[:2]
    if height * width <= DETAIL_PX or min(height, width) < TILES * 4 * _BLOCK_PX:
        green = np.ascontiguousarray(rgb[: 4 * DETAIL_PX // max(width, 1) + 1, : 4 * DETAIL_PX, 1])
        return green, (green.shape[0], green.shape[1])
    share = float(np.sqrt(DETAIL_PX / (height * width)))
    tile_h = int(height * share / TILES) // _BLOCK_PX * _BLOCK_PX
    tile_w = int(width * share / TILES) // _BLOCK_PX * _BLOCK_PX
    tops = _starts(height, tile_h)
    lefts = _starts(width, tile_w)
    rows = [np.concatenate([rgb[t : t + tile_h, x : x + tile_w, 1] for x in lefts], axis=1) for t in tops]
    return np.ascontiguousarray(np.concatenate(rows, axis=0)), (tile_h, tile_w)


def _starts(length: int, tile: int) -> list[int]:
    """Where evenly spaced tiles start, on multiples of the block."""
    return [int(v) // _BLOCK_PX * _BLOCK_PX for v in np.linspace(0, length - tile, TILES)]
