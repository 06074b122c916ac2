"""Boxes as fractions of the upright image. Knows no percent coordinates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in fractions of the upright image.

    Attributes:
        x: Left edge, 0 at the image's left, 1 at its right.
        y: Top edge, 0 at the image's top, 1 at its bottom.
        width: Fraction of the image's width, at least 0.
        height: Fraction of the image's height, at least 0.

    A box can exceed 0..1, as real annotations do; `clipped` limits it.
    """

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def whole(cls) -> Box:
        """The box of the whole image."""
        return cls(0.0, 0.0, 1.0, 1.0)

    @classmethod
    def from_corners(cls, x1: float, y1: float, x2: float, y2: float) -> Box:
        """A box from two opposite corners in fractions, in any order."""
        left, right = min(x1, x2), max(x1, x2)
        top, bottom = min(y1, y2), max(y1, y2)
        return cls(left, top, right - left, bottom - top)

    @classmethod
    def from_pixels(
        cls, x: float, y: float, width: float, height: float, *, image_width_px: int, image_height_px: int
    ) -> Box:
        """A box from pixels of an upright image of the given size.

        Raises:
            ValueError: The image has no area.
        """
        if image_width_px <= 0 or image_height_px <= 0:
            raise ValueError(f"an image of {image_width_px} x {image_height_px} px has no area")
        return cls(x / image_width_px, y / image_height_px, width / image_width_px, height / image_height_px)

    def to_pixels(self, *, image_width_px: int, image_height_px: int) -> tuple[float, float, float, float]:
        """(x, y, width, height) in pixels of an upright image of the given size."""
        return (
            self.x * image_width_px,
            self.y * image_height_px,
            self.width * image_width_px,
            self.height * image_height_px,
        )

    @property
    def right(self) -> float:
        """Right edge as a fraction of the image's width."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Bottom edge as a fraction of the image's height."""
        return self.y + self.height

    @property
    def area(self) -> float:
        """Area as a fraction of the image, 0 for a degenerate box."""
        return max(0.0, self.width) * max(0.0, self.height)

    def clipped(self) -> Box | None:
        """The part inside the image; None if there is none."""
        left, top = max(0.0, self.x), max(0.0, self.y)
        right, bottom = min(1.0, self.right), min(1.0, self.bottom)
        if right <= left or bottom <= top:
            return None
        if (left, top, right, bottom) == (self.x, self.y, self.right, self.bottom):
            return self
        return Box(left, top, right - left, bottom - top)

    def intersection_area(self, other: Box) -> float:
        """Intersection of both boxes, as a fraction of the image."""
        width = min(self.right, other.right) - max(self.x, other.x)
        height = min(self.bottom, other.bottom) - max(self.y, other.y)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0..1; 0 if neither box has an area."""
        shared = self.intersection_area(other)
        union = self.area + other.area - shared
        return min(1.0, shared / union) if union > 0 else 0.0
