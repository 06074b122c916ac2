"""What a model is shown of an image: the whole at the model's own grid, and parts at full size where detail counts.

Knows no guideline, no prompt and no endpoint.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.errors import ImageUnreadable
from review_copilot.inspectors.coordinates import Resize

JPEG_QUALITY = 90
CLOSE_UP_PX = 256
"""Side of a close-up in pixels of the file: a 20 px flaw then spans a twelfth of it."""
WORTH_CLOSE_UPS = 0.6
"""Close-ups are made when the whole image is sent at less than this scale."""
_SEARCH_PX = 2016
_FINE_SIGMA, _COARSE_SIGMA = 2.0, 6.0
_ACTIVITY_PX = 65
_LEVEL_FLOOR = 1.5
_SAME_SHAPE = 0.02
_LEAST_DIFFERENCE_LEVELS = 24.0
"""Two pictures of one thing differ by less than this in most places: grain, compression, a little light."""


@dataclass(frozen=True, eq=False)
class View:
    """One picture that is sent.

    Attributes:
        pixels: Upright RGB at the size that is sent.
        box: Which part of the image it shows.
        reference: Whether it shows what the image should look like, and not the image under review.
    """

    pixels: Pixels
    box: Box = field(default_factory=Box.whole)
    reference: bool = False

    @property
    def whole(self) -> bool:
        """Whether it shows all of its image."""
        return self.box == Box.whole()

    @property
    def width_px(self) -> int:
        """Width as sent."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height as sent."""
        return int(self.pixels.shape[0])

    @cached_property
    def jpeg(self) -> bytes:
        """The picture as a JPEG file without metadata."""
        written, file = cv2.imencode(
            ".jpg", cv2.cvtColor(self.pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        )
        if not written:
            raise ImageUnreadable("The image could not be written as a JPEG.")
        return file.tobytes()

    @property
    def data_url(self) -> str:
        """The JPEG as a data URL."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


def whole_view(image: ReviewImage, grid: Resize) -> View:
    """The whole image at the model's grid.

    Raises:
        ImageError: It cannot be decoded, or is too long and thin for the model.
    """
    width_px, height_px = _size(image.width_px, image.height_px, grid)
    return View(_resized(image.decode(max(width_px, height_px)), width_px, height_px))


def shrunk(view: View, scale: float) -> View:
    """The same picture at a smaller size."""
    size = (max(1, round(view.width_px * scale)), max(1, round(view.height_px * scale)))
    return View(_resized(view.pixels, *size), view.box, view.reference)


def difference_views(
    image: ReviewImage, reference: ReviewImage, *, grid: Resize, sent_scale: float, most: int
) -> tuple[View, ...]:
    """Parts of the image and the same parts of its reference at full size, where the two differ most.

    Args:
        image: The image under review.
        reference: What it should look like, of about the same shape.
        grid: The sizes that the model takes.
        sent_scale: Scale at which the whole image is sent, 0..1.
        most: Most places; each gives two views.

    Returns:
        The views of a place behind one another; none where the whole is large enough, or the shapes differ.

    Raises:
        ImageError: One of them cannot be decoded.
    """
    shapes = (image.width_px / image.height_px, reference.width_px / reference.height_px)
    if most < 1 or sent_scale >= WORTH_CLOSE_UPS or abs(shapes[0] / shapes[1] - 1) > _SAME_SHAPE:
        return ()
    side_px = max(grid.factor, round(CLOSE_UP_PX / grid.factor) * grid.factor)
    if min(image.width_px, image.height_px) <= side_px:
        return ()
    views: list[View] = []
    for x, y in _different_spots(image.pixels, reference.pixels, apart_px=side_px, most=most):
        place = Box.from_pixels(
            x - side_px / 2, y - side_px / 2, side_px, side_px, image_width_px=image.width_px,
            image_height_px=image.height_px,
        )  # fmt: skip
        part = place.clipped() or Box.whole()
        views.append(part_view(image, part, grid=grid))
        views.append(replace(part_view(reference, part, grid=grid), reference=True))
    return tuple(views)


def _different_spots(pixels: Pixels, other: Pixels, *, apart_px: int, most: int) -> list[tuple[float, float]]:
    """Centers (x, y) in pixels of the first picture where both differ most, no two in the same part."""
    height_px, width_px = pixels.shape[:2]
    scale = min(1.0, _SEARCH_PX / max(width_px, height_px))
    size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    one, two = (
        cv2.GaussianBlur(cv2.resize(p, size, interpolation=cv2.INTER_AREA), (0, 0), 1.5) for p in (pixels, other)
    )
    apart = cv2.absdiff(one, two).max(axis=2).astype(np.float32)
    reach, spots = max(1, round(apart_px * scale * 0.45)), []
    for _ in range(most):
        row, column = divmod(int(np.argmax(apart)), apart.shape[1])
        if apart[row, column] < _LEAST_DIFFERENCE_LEVELS:
            break
        spots.append(((column + 0.5) / scale, (row + 0.5) / scale))
        apart[max(0, row - reach) : row + reach, max(0, column - reach) : column + reach] = 0
    return spots


def part_view(image: ReviewImage, part: Box, *, grid: Resize, margin: float = 0.0, least_px: int = 0) -> View:
    """A part of the image at the model's grid.

    Args:
        image: The image.
        part: Which part, in fractions.
        grid: The sizes that the model takes.
        margin: How much to add on each side, as a fraction of the part's own width and height.
        least_px: Shortest side of the part in pixels of the file; more is taken around it where it is smaller.

    Raises:
        ImageError: The image cannot be decoded, or the part is too long and thin for the model.
    """
    wanted_width = max(part.width * (1 + 2 * margin) * image.width_px, least_px)
    wanted_height = max(part.height * (1 + 2 * margin) * image.height_px, least_px)
    left, right = _span((part.x + part.width / 2) * image.width_px, wanted_width, image.width_px)
    top, bottom = _span((part.y + part.height / 2) * image.height_px, wanted_height, image.height_px)
    crop = image.pixels[top:bottom, left:right]
    box = Box.from_pixels(
        left, top, right - left, bottom - top, image_width_px=image.width_px, image_height_px=image.height_px
    )
    return View(_resized(crop, *_size(right - left, bottom - top, grid)), box)


def close_ups(image: ReviewImage, *, grid: Resize, sent_scale: float, most: int) -> tuple[View, ...]:
    """Parts of the image at full size, around the spots that the whole view is likeliest to lose.

    A spot is small, stands out from its surroundings and is lost by reduction: the difference of two Gaussians, divided
    by its root mean square nearby, so that a speck in the sky goes before a leaf among leaves.

    Args:
        image: The image.
        grid: The sizes that the model takes.
        sent_scale: Scale at which the whole image is sent, 0..1.
        most: Most close-ups.

    Returns:
        At most `most` views, the most striking first; none when the whole image is sent at `WORTH_CLOSE_UPS` or more.

    Raises:
        ImageError: The image cannot be decoded.
    """
    side_px = max(grid.factor, round(CLOSE_UP_PX / grid.factor) * grid.factor)
    if most < 1 or sent_scale >= WORTH_CLOSE_UPS or min(image.width_px, image.height_px) <= side_px:
        return ()
    views = []
    for x, y in _spots(image.pixels, apart_px=side_px, most=most):
        left, right = _span(x, side_px, image.width_px)
        top, bottom = _span(y, side_px, image.height_px)
        box = Box.from_pixels(
            left, top, right - left, bottom - top, image_width_px=image.width_px, image_height_px=image.height_px
        )
        views.append(View(np.ascontiguousarray(image.pixels[top:bottom, left:right]), box))
    return tuple(views)


def _spots(pixels: Pixels, *, apart_px: int, most: int) -> list[tuple[float, float]]:
    """Centers (x, y) in pixels of the file, the most striking first, no two in the same close-up."""
    height_px, width_px = pixels.shape[:2]
    scale = min(1.0, _SEARCH_PX / max(width_px, height_px))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    strikingness = _strikingness(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32))
    reach = max(1, round(apart_px * scale * 0.45))
    spots = []
    for _ in range(most):
        row, column = divmod(int(np.argmax(strikingness)), strikingness.shape[1])
        if strikingness[row, column] <= 0:
            break
        spots.append(((column + 0.5) / scale, (row + 0.5) / scale))
        strikingness[max(0, row - reach) : row + reach, max(0, column - reach) : column + reach] = 0
    return spots


def _strikingness(luma: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How far each pixel's fine detail stands out from the fine detail around it; same shape as the input."""
    fine = cv2.GaussianBlur(luma, (0, 0), _FINE_SIGMA)
    detail = np.abs(fine - cv2.GaussianBlur(luma, (0, 0), _COARSE_SIGMA))
    activity = np.sqrt(cv2.blur(detail * detail, (_ACTIVITY_PX, _ACTIVITY_PX)))
    result: npt.NDArray[np.float32] = (detail / (activity + _LEVEL_FLOOR)).astype(np.float32)
    return result


def _span(center: float, length: float, limit: int) -> tuple[int, int]:
    """(start, end) in whole pixels of a stretch around a center, moved and cut to lie within 0..limit."""
    wanted = min(limit, max(1, round(length)))
    start = min(max(0, round(center - wanted / 2)), limit - wanted)
    return start, start + wanted


def _size(width_px: int, height_px: int, grid: Resize) -> tuple[int, int]:
    try:
        return grid.size(width_px, height_px)
    except ValueError as error:
        raise ImageUnreadable(f"The model cannot be shown this image: {error}.") from error


def _resized(pixels: Pixels, width_px: int, height_px: int) -> Pixels:
    if pixels.shape[:2] == (height_px, width_px):
        return np.ascontiguousarray(pixels)
    shrinks = width_px * height_px < pixels.shape[0] * pixels.shape[1]
    resized = cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.asarray(resized, dtype=np.uint8)
