"""Bounding boxes of the shapes that reviewers draw. Knows only the geometry of one result.

Coordinates are percent of the displayed image in Label Studio's format, and fractions in the resulting boxes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from review_copilot.domain.geometry import Box
from review_copilot.domain.override import Shape

_MOST_BRUSH_PIXELS = 60_000_000
"""Larger masks are not decoded: they take four bytes per pixel in memory."""

_KINDS: Mapping[str, Shape] = {
    "rectangle": Shape.RECTANGLE,
    "rectanglelabels": Shape.RECTANGLE,
    "ellipse": Shape.ELLIPSE,
    "ellipselabels": Shape.ELLIPSE,
    "polygon": Shape.POLYGON,
    "polygonlabels": Shape.POLYGON,
    "brush": Shape.BRUSH,
    "brushlabels": Shape.BRUSH,
    "keypoint": Shape.KEYPOINT,
    "keypointlabels": Shape.KEYPOINT,
}


def shape_of(kind: str, value: Mapping[object, object]) -> Shape | None:
    """The shape of a region, by the result's type or else by its value; None if it has no position on an image."""
    if (known := _KINDS.get(kind)) is not None:
        return known
    if isinstance(value.get("points"), list):
        return Shape.POLYGON
    if isinstance(value.get("rle"), list):
        return Shape.BRUSH
    if number(value.get("radiusX")) is not None:
        return Shape.ELLIPSE
    return Shape.RECTANGLE if _numbers(value, ("x", "y", "width", "height")) else None


def bounding_box(shape: Shape, value: Mapping[object, object], *, width_px: float, height_px: float) -> Box | None:
    """The axis-aligned box around a shape; None if its numbers are missing or invalid.

    Args:
        shape: The shape that was drawn.
        value: The result's `value`.
        width_px: The result's `original_width`; rotation needs the aspect ratio, brushes need the size. A square is
            assumed if it is not positive.
        height_px: The result's `original_height`.
    """
    if width_px <= 0 or height_px <= 0:
        width_px = height_px = 100.0
    match shape:
        case Shape.POLYGON:
            return _around(_points(value.get("points")))
        case Shape.BRUSH:
            return _brush_box(value.get("rle"), width_px=int(width_px), height_px=int(height_px))
        case Shape.KEYPOINT:
            point = _numbers(value, ("x", "y"))
            return _around([point]) if point else None
        case Shape.ELLIPSE:
            return _ellipse_box(value, aspect=width_px / height_px)
        case Shape.RECTANGLE:
            return _rectangle_box(value, aspect=width_px / height_px)


def rotation_of(value: Mapping[object, object]) -> float:
    """Degrees clockwise; 0 if the value contains none."""
    return number(value.get("rotation")) or 0.0


def number(value: object) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _numbers(value: Mapping[object, object], keys: Sequence[str]) -> list[float]:
    found = [n for key in keys if (n := number(value.get(key))) is not None]
    return found if len(found) == len(keys) else []


def _rectangle_box(value: Mapping[object, object], *, aspect: float) -> Box | None:
    """Rectangles rotate around their top-left corner, in pixels and not in percent."""
    place = _numbers(value, ("x", "y", "width", "height"))
    if not place:
        return None
    x, y, width, height = place
    angle = rotation_of(value)
    if angle % 360 == 0:
        left, top = x + min(0.0, width), y + min(0.0, height)
        return Box(left / 100, top / 100, abs(width) / 100, abs(height) / 100)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    corners = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)]
    # One percent of the height is 1 / aspect times as long as one percent of the width.
    return _around([[x + dx * cos - dy / aspect * sin, y + dx * aspect * sin + dy * cos] for dx, dy in corners])


def _ellipse_box(value: Mapping[object, object], *, aspect: float) -> Box | None:
    """Ellipses rotate around their center; half extents when rotated: sqrt(a² cos² + b² sin²) and so on."""
    place = _numbers(value, ("x", "y", "radiusX", "radiusY"))
    if not place:
        return None
    x, y, radius_x, radius_y = place
    cos, sin = math.cos(math.radians(rotation_of(value))), math.sin(math.radians(rotation_of(value)))
    half_width = math.hypot(radius_x * cos, radius_y / aspect * sin)
    half_height = math.hypot(radius_x * aspect * sin, radius_y * cos)
    return _around([[x - half_width, y - half_height], [x + half_width, y + half_height]])


def _points(value: object) -> list[list[float]]:
    pairs = value if isinstance(value, list) else []
    found = [[number(part) for part in pair[:2]] for pair in pairs if isinstance(pair, list) and len(pair) >= 2]
    return [[x, y] for x, y in found if x is not None and y is not None]


def _around(points: Iterable[Sequence[float]]) -> Box | None:
    pairs = list(points)
    if not pairs:
        return None
    xs, ys = [pair[0] / 100 for pair in pairs], [pair[1] / 100 for pair in pairs]
    return Box.from_corners(min(xs), min(ys), max(xs), max(ys))


def _brush_box(rle: object, *, width_px: int, height_px: int) -> Box | None:
    """The set pixels of a mask in Label Studio's run-length encoding, which covers four channels per pixel."""
    from label_studio_sdk.converter.brush import decode_rle  # noqa: PLC0415  # heavy, and brushes are rare

    pixels = width_px * height_px
    if not isinstance(rle, list) or not all(isinstance(byte, int) and 0 <= byte <= 255 for byte in rle):
        return None
    if int.from_bytes(bytes(rle[:4]), "big") != 4 * pixels or pixels > _MOST_BRUSH_PIXELS:
        return None
    try:
        mask = np.asarray(decode_rle(rle)).reshape(height_px, width_px, 4)[:, :, 3] > 0
    except (IndexError, ValueError, OverflowError):
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    return Box.from_pixels(
        float(columns[0]),
        float(rows[0]),
        float(columns[-1] - columns[0] + 1),
        float(rows[-1] - rows[0] + 1),
        image_width_px=width_px,
        image_height_px=height_px,
    )
