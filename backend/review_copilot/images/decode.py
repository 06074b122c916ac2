"""Decode a file's bytes to upright RGB pixels. Knows no URL and no disk."""

from __future__ import annotations

import hashlib
import io
import math
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError
from simplejpeg import decode_jpeg

from review_copilot.domain.image import FEATURE_PX, THUMBNAIL_PX, Pixels, ReviewImage
from review_copilot.errors import ImageTooLarge, ImageUnreadable

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO")
"""Allowed formats. Pillow supports more, but some of them start other programs (EPS) or contain whole documents."""

ORIENTATION_TAG = 0x0112
"""EXIF 2.32, table 4: how to rotate or mirror the stored image so that it is upright."""

_AS_STORED: Mapping[int, Callable[[Pixels], Pixels]] = MappingProxyType({
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: np.rot90,
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, 3),
})  # fmt: skip
"""How each orientation stores the upright image, as a view of it; 1 and unknown values store it unchanged."""

LIES_DOWN = frozenset({5, 6, 7, 8})

_STRIP_BYTES = 1 << 20
"""Maximum bytes of pixels that are copied from Pillow at a time."""

_MIN_SAMPLE_TAG, _MAX_SAMPLE_TAG, _S_MIN_SAMPLE_TAG, _S_MAX_SAMPLE_TAG = 280, 281, 340, 341
"""TIFF 6.0, sections 8 and 19: the range of a file's samples."""
_DEPTHS = (8, 10, 12, 14, 16, 24, 32)
"""Bits a sample that cameras, scanners and programs write."""
_FLOAT_WHITE = 1.5
"""Floats up to this are shares of white; larger ones are levels."""
_EXACT = 1e-6
"""Makes up for what a division loses of a whole number."""

_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, ArithmeticError, AttributeError,
    RuntimeError, struct.error, zlib.error,
)  # fmt: skip
"""Exceptions that Pillow's readers raise on corrupt files."""


def open_image(data: bytes, *, source: str, max_pixels: int) -> ReviewImage:
    """Read the header of an image; the pixels are decoded on first use.

    Args:
        data: The content of the file.
        source: Where it came from, safe to print.
        max_pixels: Maximum number of pixels, width times height.

    Raises:
        ImageUnreadable: The data is not an image in an allowed format.
        ImageTooLarge: The image has more than `max_pixels` pixels.
    """
    if not data:
        raise ImageUnreadable(f"{source} is an empty file.")
    with _opened(data, source=source, max_pixels=max_pixels) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise ImageTooLarge(
                f"{source} has {width} x {height} pixels, more than the limit of {max_pixels}.",
                hint="To allow larger images, raise REVIEW_COPILOT_MAX_IMAGE_PIXELS.",
            )
        stored = _Stored(str(image.format), image.mode, image.size, _orientation(image, data))
        if stored.orientation in LIES_DOWN:
            width, height = height, width
        name = "JPEG" if image.format == "MPO" else str(image.format)
    return ReviewImage(
        source=source,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        format=name,
        width_px=width,
        height_px=height,
        decode=_Decoder(data, source, max_pixels, stored),
    )


@dataclass(frozen=True, slots=True)
class _Stored:
    """The content of a file's header.

    Attributes:
        form: Pillow's name for the format.
        mode: Pillow's name for the pixel type.
        size: Width and height in pixels, before rotation.
        orientation: The value of `_orientation`.
    """

    form: str
    mode: str
    size: tuple[int, int]
    orientation: int


@dataclass(eq=False, slots=True)
class _Decoder:
    """Decodes one file as often as it is asked.

    The largest decoded image is kept as long as the file, for thumbnails: its caller keeps it about as long.
    """

    data: bytes
    source: str
    max_pixels: int
    stored: _Stored
    largest: Pixels | None = field(default=None, init=False)
    largest_px: float = field(default=0.0, init=False)

    def __call__(self, max_side: int | None) -> Pixels:
        if max_side == THUMBNAIL_PX and self.largest is not None and self.largest_px >= THUMBNAIL_PX:
            return _thumbnail(self.largest)
        if max_side == FEATURE_PX and self.largest is not None and self.largest_px >= FEATURE_PX:
            return _feature_pixels(self.largest)
        pixels = self._decoded(max_side)
        if (asked_px := max_side or math.inf) > self.largest_px:
            self.largest, self.largest_px = pixels, asked_px
        return _thumbnail(pixels) if max_side == THUMBNAIL_PX else pixels

    def _decoded(self, max_side: int | None) -> Pixels:
        if _fitted(self.stored.size, max_side) == self.stored.size:
            pixels = _by_turbo(self.data, self.stored)
            if pixels is not None:
                return _upright(pixels, self.stored.orientation)
        return _decode(self.data, self.source, self.max_pixels, max_side)


def _thumbnail(pixels: Pixels) -> Pixels:
    """At most `THUMBNAIL_PX` on the longer side; rows and columns of a large image are skipped, not averaged."""
    step = max(1, max(pixels.shape[:2]) // (4 * THUMBNAIL_PX))
    few = pixels[step // 2 :: step, step // 2 :: step]
    rows, columns = few.shape[0] // 2, few.shape[1] // 2
    if min(rows, columns) >= THUMBNAIL_PX:  # averaging two by two takes a fraction of the time of any other ratio
        few = np.asarray(
            cv2.resize(few[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA), np.uint8
        )
    halved = Image.fromarray(np.ascontiguousarray(few))
    small = halved.resize(_fitted(halved.size, THUMBNAIL_PX), Image.Resampling.BOX)
    thumbnail = np.asarray(small, dtype=np.uint8)
    thumbnail.setflags(write=False)
    return thumbnail


def _feature_pixels(pixels: Pixels) -> Pixels:
    """At most `FEATURE_PX` on the longer side, averaged like a decoder does; halved first, which is twice as fast."""
    while max(pixels.shape[:2]) >= 2 * FEATURE_PX and min(pixels.shape[:2]) > 1:
        height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
        halves = pixels[: 2 * height, : 2 * width]
        pixels = np.asarray(cv2.resize(halves, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    size = pixels.shape[1], pixels.shape[0]
    width, height = _fitted(size, FEATURE_PX)
    if (width, height) == size:
        return pixels
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _decode(data: bytes, source: str, max_pixels: int, max_side: int | None) -> Pixels:
    """Decode the first frame to upright RGB, with at most `max_side` pixels on its longer side if given.

    Raises:
        ImageUnreadable: The file is truncated or corrupt.
    """
    with _opened(data, source=source, max_pixels=max_pixels) as image:
        target = _fitted(image.size, max_side)
        orientation = _orientation(image, data)
        try:
            # JPEG decodes at 1/2, 1/4 or 1/8 for a fraction of the cost; other formats ignore this.
            image.draft(None, target)
            image.load()
            rgb = _to_rgb(image)
            if rgb.size != target:
                rgb = rgb.resize(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
            return _upright_of(rgb, orientation)
        except _BROKEN as error:
            raise ImageUnreadable(
                f"{source} is corrupt or truncated: {_words(error)}.", hint="Upload the file again."
            ) from error
        except MemoryError as error:
            raise ImageTooLarge(f"There is not enough memory to decode {source}.") from error


def _by_turbo(data: bytes, stored: _Stored) -> Pixels | None:
    """A JPEG file's pixels as stored, by libjpeg-turbo; None for CMYK, corrupt, and other files, which Pillow decodes.

    Pillow uses the same library, and the pixels are identical. But Pillow stores 4 bytes per pixel and then copies 3 of
    them, which takes twice the time and more than twice the memory for a large image.
    """
    if stored.form not in {"JPEG", "MPO"} or stored.mode not in {"RGB", "L"}:
        return None
    width, height = stored.size
    try:
        return np.asarray(decode_jpeg(data, "RGB", buffer=np.empty((height, width, 3), np.uint8)), np.uint8)
    except ValueError:
        return None


def _upright(stored: Pixels, orientation: int) -> Pixels:
    """The pixels rotated upright; unchanged if they are upright."""
    turn = _AS_STORED.get(orientation)
    if turn is None:
        return stored
    height, width = stored.shape[:2]
    upright = np.empty((width, height, 3) if orientation in LIES_DOWN else (height, width, 3), np.uint8)
    turn(upright)[:] = stored
    return upright


def _upright_of(rgb: Image.Image, orientation: int) -> Pixels:
    """The pixels of a Pillow RGB image, rotated upright.

    They are copied strip by strip: for a whole image, Pillow creates two additional copies, which
    takes half as long as decoding.
    """
    turn = _AS_STORED.get(orientation)
    width, height = rgb.size
    rows = max(1, _STRIP_BYTES // (3 * width))
    if turn is None and rows >= height:
        return np.asarray(rgb, np.uint8)
    upright = np.empty((width, height, 3) if orientation in LIES_DOWN else (height, width, 3), np.uint8)
    stored = upright if turn is None else turn(upright)
    for top in range(0, height, rows):
        below = min(height, top + rows)
        stored[top:below] = np.asarray(rgb.crop((0, top, width, below)), np.uint8)
    return upright


def _opened(data: bytes, *, source: str, max_pixels: int) -> Image.Image:
    """Open a file with Pillow and read its header."""
    # Pillow's limit for decompression bombs is one number for the whole process; the caller checks our own limit.
    Image.MAX_IMAGE_PIXELS = max(max_pixels, Image.MAX_IMAGE_PIXELS or 0)
    try:
        return Image.open(io.BytesIO(data), formats=_formats_at_hand())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(f"{source} has far more pixels than the limit of {max_pixels}.") from error
    except UnidentifiedImageError as error:
        raise ImageUnreadable(
            f"{source} is not an image in a supported format{_what_else(data)}.",
            hint="Supported formats include JPEG, PNG, WebP, TIFF, and GIF.",
        ) from error
    except _BROKEN as error:
        raise ImageUnreadable(f"{source} is a corrupt image: {_words(error)}.") from error


@cache
def _formats_at_hand() -> tuple[str, ...]:
    """The subset of `FORMATS` that this build of Pillow can read."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _orientation(image: Image.Image, data: bytes) -> int:
    """The EXIF orientation, 1 to 8; 1 if there is none or if Pillow rotates the image itself."""
    if image.format == "TIFF":
        return 1
    if image.format == "PNG" and b"eXIf" not in data:
        return 1  # Pillow would decode the whole file to find one
    try:
        found = image.getexif().get(ORIENTATION_TAG, 1)
    except _BROKEN:
        return 1
    return found if isinstance(found, int) and found in _AS_STORED else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    """Any mode to RGB: transparency over white, more than 8 bits by the file's own range."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_eight_bits(np.asarray(image), stated=_stated_range(image))).convert("RGB")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        paper = Image.new("RGB", clear.size, "white")
        paper.paste(clear, mask=clear.getchannel("A"))
        return paper
    return image.convert("RGB")


def _stated_range(image: Image.Image) -> tuple[float, float] | None:
    """Least and most value of a sample by the file's format, or as a TIFF file states them; None where it does not."""
    if image.format != "TIFF":
        return (0.0, 65535.0) if image.mode.startswith("I") and np.asarray(image).max(initial=0) > 255 else None
    tags = getattr(image, "tag_v2", {})
    for low_tag, high_tag in ((_MIN_SAMPLE_TAG, _MAX_SAMPLE_TAG), (_S_MIN_SAMPLE_TAG, _S_MAX_SAMPLE_TAG)):
        high = tags.get(high_tag)
        if high is not None:
            values = [v[0] if isinstance(v, tuple) else v for v in (tags.get(low_tag, 0), high)]
            if all(isinstance(v, int | float) for v in values) and values[1] > values[0]:
                return float(values[0]), float(values[1])
    return None


def _eight_bits(values: npt.NDArray[np.generic], *, stated: tuple[float, float] | None) -> Pixels:
    """Samples of more than 8 bits as 0..255, by the range that the file states or else by the range that it uses.

    Only TIFF leaves open how bright such a file is meant. There whole numbers are taken to have the least number of
    bits that holds the largest of them (a camera's 10, 12 or 14 in 16); floats to go to 1 where three quarters of them
    do, else to 255 or to the full range of such a number of bits. Numbers that are not finite are black.
    """
    numbers = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = stated or (0.0, _full_range(numbers, whole=values.dtype.kind in "iub"))
    return np.asarray(np.clip((numbers - low) * (255.0 / (high - low)) + _EXACT, 0, 255), np.uint8)


def _full_range(numbers: npt.NDArray[np.float64], *, whole: bool) -> float:
    """The largest value that samples can have of which these are some."""
    if not whole and (numbers.size == 0 or float(np.quantile(numbers, 0.75)) <= _FLOAT_WHITE):
        return 1.0
    most = float(numbers.max(initial=0.0))
    return next((top for bits in _DEPTHS if most <= (top := float(2**bits - 1))), most)


def _fitted(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """The size with at most `max_side` pixels on its longer side and at least one pixel on each side."""
    longer = max(size)
    if max_side is None or longer <= max_side:
        return size
    return max(1, round(size[0] * max_side / longer)), max(1, round(size[1] * max_side / longer))


def _words(error: BaseException) -> str:
    return str(error).split("\n")[0].rstrip(".") or type(error).__name__


def _what_else(data: bytes) -> str:
    """A guess at what the data is instead of an image."""
    start = data[:256].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return ", but a web page, possibly a sign-in page"
    return ", but an SVG drawing" if b"<svg" in start else ""
