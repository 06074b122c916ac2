"""How model families write boxes: from their numbers to fractions of the image that was sent, and back.

Knows no model by name (profiles do) and no image but its size.

Sources of the conventions, read in November 2026: the model cards and processors of Qwen2.5-VL (pixels of the resized
image), Qwen3-VL, InternVL and MiniCPM-V (0..1000), Kimi-VL (0..1), Molmo (points in percent), Florence-2 (1000 bins, a
bin's center), PaliGemma (1024 bins, y before x), Gemini (0..1000, y before x).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from review_copilot.domain.geometry import Box

POINT_SIDE = 0.05
"""Side of the box that stands for a point, as a fraction of the image: a point names a place and no extent."""


class Unit(StrEnum):
    """What one number of a box counts."""

    FRACTION = "fraction"
    """0..1 of the image."""
    PERCENT = "percent"
    """0..100 of the image."""
    THOUSANDTHS = "thousandths"
    """0..1000 of the image."""
    PIXELS = "pixels"
    """Pixels of the image as the model saw it, after its own resizing."""
    BINS_1000 = "bins_1000"
    """Bin 0..999; a bin means its center."""
    BINS_1024 = "bins_1024"
    """Bin 0..1023; a bin means its lower edge."""


class Order(StrEnum):
    """What the numbers of a box are, in their order."""

    XYXY = "xyxy"
    YXYX = "yxyx"
    XYWH = "xywh"
    YXHW = "yxhw"
    XY = "xy"
    """A point."""
    YX = "yx"
    """A point, y first."""

    @property
    def numbers(self) -> int:
        """How many numbers one box has."""
        return len(self.value)


@dataclass(frozen=True, slots=True)
class Resize:
    """How a model changes the size of an image before it looks at it.

    Attributes:
        factor: Both sides become multiples of this many pixels; 1 for any size.
        min_pixels: Smaller images are enlarged to this area; 0 for no limit.
        max_pixels: Larger images are reduced to this area; 0 for no limit.
        longest_px: Longest side after reduction; 0 for no limit.
        shortest_px: Shorter side after reduction; 0 for no limit.
        square_px: Every image is stretched to a square of this side, whatever its shape; 0 when shapes are kept.
    """

    factor: int = 1
    min_pixels: int = 0
    max_pixels: int = 0
    longest_px: int = 0
    shortest_px: int = 0
    square_px: int = 0

    def size(self, width_px: int, height_px: int) -> tuple[int, int]:
        """(width, height) in pixels as the model sees an image of the given size.

        Raises:
            ValueError: The image has no area, or the grid refuses its aspect ratio (above 200).
        """
        if width_px <= 0 or height_px <= 0:
            raise ValueError(f"an image of {width_px} x {height_px} px has no area")
        if self.square_px:
            return self.square_px, self.square_px
        scale = 1.0
        if self.longest_px:
            scale = min(scale, self.longest_px / max(width_px, height_px))
        if self.shortest_px:
            scale = min(scale, self.shortest_px / min(width_px, height_px))
        width, height = max(1, round(width_px * scale)), max(1, round(height_px * scale))
        if self.factor == 1 and not self.min_pixels and not self.max_pixels:
            return width, height
        return smart_resize(
            width, height, factor=self.factor, min_pixels=self.min_pixels, max_pixels=self.max_pixels or math.inf
        )


def smart_resize(
    width_px: int, height_px: int, *, factor: int, min_pixels: float = 0, max_pixels: float = math.inf
) -> tuple[int, int]:
    """The size to which the Qwen-VL processors bring an image.

    Source: `smart_resize` of transformers' Qwen2-VL image processor: round each side to the factor (banker's rounding);
    above `max_pixels` shrink and round down; below `min_pixels` enlarge and round up.

    Returns:
        (width, height) in pixels, multiples of the factor.

    Raises:
        ValueError: One side is more than 200 times the other.
    """
    if max(width_px, height_px) / min(width_px, height_px) > 200:
        raise ValueError(f"{width_px} x {height_px} px: the model refuses aspect ratios above 200")
    width, height = max(factor, round(width_px / factor) * factor), max(factor, round(height_px / factor) * factor)
    if width * height > max_pixels:
        shrink = math.sqrt(width_px * height_px / max_pixels)
        width = max(factor, math.floor(width_px / shrink / factor) * factor)
        height = max(factor, math.floor(height_px / shrink / factor) * factor)
    elif width * height < min_pixels:
        grow = math.sqrt(min_pixels / (width_px * height_px))
        width = math.ceil(width_px * grow / factor) * factor
        height = math.ceil(height_px * grow / factor) * factor
    return width, height


@dataclass(frozen=True, slots=True)
class Convention:
    """One way of writing a box.

    Attributes:
        unit: What one number counts.
        order: Which number is which.
        frame: For pixels: the size they refer to, as a function of the size that was sent.
    """

    unit: Unit
    order: Order
    frame: Resize = Resize()

    def extent(self, width_px: int, height_px: int) -> tuple[float, float]:
        """The numbers that stand for the right and the bottom edge of an image sent at the given size."""
        if self.unit is Unit.PIXELS:
            width, height = self.frame.size(width_px, height_px)
            return float(width), float(height)
        full = {Unit.FRACTION: 1.0, Unit.PERCENT: 100.0, Unit.BINS_1024: 1024.0}.get(self.unit, 1000.0)
        return full, full

    def to_box(self, numbers: Sequence[float], *, width_px: int, height_px: int) -> Box:
        """Read a box.

        Args:
            numbers: As the model wrote them.
            width_px: Width of the image as it was sent.
            height_px: Height of the image as it was sent.

        Returns:
            The box in fractions of the image that was sent: corners brought in order, not clipped. A point becomes a
            small box around it.

        Raises:
            ValueError: The count is wrong, a number is not finite, or a width or height is negative.
        """
        if len(numbers) != self.order.numbers:
            raise ValueError(f"{self.order.numbers} numbers make a box, not {len(numbers)}")
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError("a number is not finite")
        right, bottom = self.extent(width_px, height_px)
        shift = 0.5 if self.unit is Unit.BINS_1000 else 0.0
        named = dict(zip(_slots(self.order), numbers, strict=True))
        x, y = (named["x"] + shift) / right, (named["y"] + shift) / bottom
        if self.order in {Order.XY, Order.YX}:
            return Box(x - POINT_SIDE / 2, y - POINT_SIDE / 2, POINT_SIDE, POINT_SIDE)
        if "width" in named:
            if named["width"] < 0 or named["height"] < 0:
                raise ValueError("a width or height is negative")
            return Box(x, y, named["width"] / right, named["height"] / bottom)
        return Box.from_corners(x, y, (named["x2"] + shift) / right, (named["y2"] + shift) / bottom)

    def from_box(self, box: Box, *, width_px: int, height_px: int) -> tuple[float, ...]:
        """Write a box as the model would: the inverse of `to_box`, rounded where the unit is whole numbers."""
        right, bottom = self.extent(width_px, height_px)
        centered = self.order in {Order.XY, Order.YX}
        named = {
            "x": (box.x + (box.width / 2 if centered else 0)) * right,
            "y": (box.y + (box.height / 2 if centered else 0)) * bottom,
            "x2": box.right * right,
            "y2": box.bottom * bottom,
            "width": box.width * right,
            "height": box.height * bottom,
        }
        if self.unit in {Unit.BINS_1000, Unit.BINS_1024}:
            return tuple(float(min(right - 1, max(0, math.floor(named[slot])))) for slot in _slots(self.order))
        digits = {Unit.FRACTION: 4, Unit.PERCENT: 1}.get(self.unit, 0)
        return tuple(round(named[slot], digits) for slot in _slots(self.order))

    @property
    def words(self) -> str:
        """The convention as a prompt explains it, without a size: so that it may stand in a cached prefix."""
        slots = {
            Order.XYXY: "[x1, y1, x2, y2], left top corner first",
            Order.YXYX: "[y1, x1, y2, x2], left top corner first, y before x",
            Order.XYWH: "[x, y, width, height], left top corner first",
            Order.YXHW: "[y, x, height, width], left top corner first, y before x",
            Order.XY: "[x, y], the flaw's center",
            Order.YX: "[y, x], the flaw's center, y before x",
        }[self.order]
        units = {
            Unit.FRACTION: "as fractions of the image, 0 to 1",
            Unit.PERCENT: "in percent of the image, 0 to 100",
            Unit.THOUSANDTHS: "as whole numbers, 0 to 1000 across and 0 to 1000 down, whatever the image's shape",
            Unit.PIXELS: "in whole pixels of the image as you see it",
            Unit.BINS_1000: "as whole numbers, 0 to 999 across and 0 to 999 down",
            Unit.BINS_1024: "as whole numbers, 0 to 1023 across and 0 to 1023 down",
        }[self.unit]
        return f"{slots}, {units}"


def within(outer: Box, inner: Box) -> Box:
    """A box in fractions of the image, from one in fractions of a part of it.

    Args:
        outer: The part, in fractions of the image.
        inner: The box, in fractions of the part.
    """
    return Box(
        outer.x + inner.x * outer.width,
        outer.y + inner.y * outer.height,
        inner.width * outer.width,
        inner.height * outer.height,
    )


def _slots(order: Order) -> tuple[str, ...]:
    return {
        Order.XYXY: ("x", "y", "x2", "y2"),
        Order.YXYX: ("y", "x", "y2", "x2"),
        Order.XYWH: ("x", "y", "width", "height"),
        Order.YXHW: ("y", "x", "height", "width"),
        Order.XY: ("x", "y"),
        Order.YX: ("y", "x"),
    }[order]
