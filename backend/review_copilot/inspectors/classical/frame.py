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
Mask: TypeAlias = npt.NDArray[np.bool_]
"""Yes or no per pixel or tile."""

SMALL_PX = 384
"""Longer side of the small level: enough for tone, colour and layout, cheap enough for everything."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image as the measurements see it.

    Attributes:
        rgb: Full size, upright.
        grey: Full size, luma by ITU-R BT.601.
        small_rgb: At most SMALL_PX on the longer side, averaged over areas; `rgb` itself when that is no larger.
        small_grey: Luma of the small level.
    """

    rgb: Pixels
    grey: Grey
    small_rgb: Pixels
    small_grey: Grey

    @property
    def height_px(self) -> int:
        """Height of the full image."""
        return int(self.grey.shape[0])

    @property
    def width_px(self) -> int:
        """Width of the full image."""
        return int(self.grey.shape[1])

    @property
    def shrink(self) -> float:
        """Full pixels per small pixel, at least 1."""
        return max(self.grey.shape) / max(self.small_grey.shape)

    def box_from_pixels(self, x: float, y: float, width: float, height: float) -> Box:
        """A box from pixels of the full image."""
        return Box.from_pixels(x, y, width, height, image_width_px=self.width_px, image_height_px=self.height_px)


def build_frame(rgb: Pixels) -> Frame:
    """The pyramid of an upright RGB image of at least 1 x 1 px."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    longer = max(grey.shape)
    if longer <= SMALL_PX:
        return Frame(rgb=rgb, grey=_u8(grey), small_rgb=rgb, small_grey=_u8(grey))
    factor = SMALL_PX / longer
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    small_rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    small_grey = cv2.cvtColor(small_rgb, cv2.COLOR_RGB2GRAY)
    return Frame(rgb=rgb, grey=_u8(grey), small_rgb=_u8(small_rgb), small_grey=_u8(small_grey))


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


def _u8(pixels: npt.NDArray[np.generic] | cv2.typing.MatLike) -> npt.NDArray[np.uint8]:
    return np.asarray(pixels, dtype=np.uint8)
