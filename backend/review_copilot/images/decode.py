"""From a file's bytes to upright RGB pixels. Knows no URL and no disk."""

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
"""Formats that are opened. Pillow knows more, some of which start other programs (EPS) or hold whole documents."""

ORIENTATION_TAG = 0x0112
"""EXIF 2.32, table 4: how the stored image must be turned or mirrored to stand upright."""

_AS_STORED: Mapping[int, Callable[[Pixels], Pixels]] = MappingProxyType({
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: np.rot90,
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, 3),
})  # fmt: skip
"""How each orientation stores the upright image, as a view of it; 1 and unknown values store it as it is."""

LIES_DOWN = frozenset({5, 6, 7, 8})

_STRIP_BYTES = 1 << 20
"""Most bytes of pixels that are taken over from Pillow at once."""

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
"""Everything that Pillow's readers are known to raise on broken files."""


def open_image(data: bytes, *, source: str, max_pixels: int) -> ReviewImage:
    """Read the header of an image; the pixels are decoded when they are asked for.

    Args:
        data: The file.
        source: Where it came from, fit to print.
        max_pixels: Most pixels, width times height.

    Raises:
        ImageUnreadable: It is no image of a known format.
        ImageTooLarge: It has more pixels than `max_pixels`.
    """
    if not data:
        raise ImageUnreadable(f"{source} is an empty file.")
    with _opened(data, source=source, max_pixels=max_pixels) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise ImageTooLarge(
                f"{source} has {width} x {height} pixels, over the limit of {max_pixels}.",
                hint="Raise REVIEW_COPILOT_MAX_IMAGE_PIXELS if that is meant to be.",
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
    """What the header of a file says.

    Attributes:
        form: Pillow's name of the format.
        mode: Pillow's name of what a pixel holds.
        size: Width and height in pixels, before it is turned upright.
        orientation: As `_orientation` tells it.
    """

    form: str
    mode: str
    size: tuple[int, int]
    orientation: int


@dataclass(eq=False, slots=True)
class _Decoder:
    """Decodes one file as often as it is asked.

    The largest picture that was decoded is at hand for a glance and a thumbnail as long as the file is: whoever asked
    for it holds it about as long.
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
    """At most `THUMBNAIL_PX` on the longer side; rows and columns of a large picture are skipped, not averaged."""
    step = max(1, max(pixels.shape[:2]) // (4 * THUMBNAIL_PX))
    few = pixels[step // 2 :: step, step // 2 :: step]
    rows, columns = few.shape[0] // 2, few.shape[1] // 2
    if min(rows, columns) >= THUMBNAIL_PX:  # two by two is averaged in a fraction of the time of any other ratio
        few = np.asarray(
            cv2.resize(few[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA), np.uint8
        )
    halved = Image.fromarray(np.ascontiguousarray(few))
    small = halved.resize(_fitted(halved.size, THUMBNAIL_PX), Image.Resampling.BOX)
    thumbnail = np.asarray(small, dtype=np.uint8)
    thumbnail.setflags(write=False)
    return thumbnail


def _feature_pixels(pixels: Pixels) -> Pixels:
    """At most `FEATURE_PX` on the longer side, averaged as a decoder does; by halves first, which is twice as fast."""
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
    """Decode the first frame to upright RGB, its longer side at most `max_side` pixels when given.

    Raises:
        ImageUnreadable: The file is truncated or broken.
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
                f"{source} is broken or cut off: {_words(error)}.", hint="Upload the file again."
            ) from error
        except MemoryError as error:
            raise ImageTooLarge(f"{source} does not fit into memory.") from error


def _by_turbo(data: bytes, stored: _Stored) -> Pixels | None:
    """A JPEG file's pixels as stored, by libjpeg-turbo; None where Pillow knows better: CMYK, broken and other files.

    Pillow uses that library as well, and the pixels are the same to the bit. But it holds 4 bytes a pixel, of which 3
    are then copied: twice the time and more than twice the memory for a large picture.
    """
    if stored.form not in {"JPEG", "MPO"} or stored.mode not in {"RGB", "L"}:
        return None
    width, height = stored.size
    try:
        return np.asarray(decode_jpeg(data, "RGB", buffer=np.empty((height, width, 3), np.uint8)), np.uint8)
    except ValueError:
        return None


def _upright(stored: Pixels, orientation: int) -> Pixels:
    """The pixels turned upright; themselves where they stand so."""
    turn = _AS_STORED.get(orientation)
    if turn is None:
        return stored
    height, width = stored.shape[:2]
    upright = np.empty((width, height, 3) if orientation in LIES_DOWN else (height, width, 3), np.uint8)
    turn(upright)[:] = stored
    return upright


def _upright_of(rgb: Image.Image, orientation: int) -> Pixels:
    """The pixels of an RGB image of Pillow, turned upright.

    They are taken over strip by strip: Pillow gives the bytes of a whole image by way of two more copies of it, which
    costs as much time as half of the decoding.
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
    """Open a file with Pillow, its header read."""
    # Pillow's own guard against decompression bombs is one number for the whole process; ours is checked by the caller.
    Image.MAX_IMAGE_PIXELS = max(max_pixels, Image.MAX_IMAGE_PIXELS or 0)
    try:
        return Image.open(io.BytesIO(data), formats=_formats_at_hand())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(f"{source} has far more pixels than the limit of {max_pixels}.") from error
    except UnidentifiedImageError as error:
        raise ImageUnreadable(
            f"{source} is no image of a known format{_what_else(data)}.",
            hint="Known are JPEG, PNG, WebP, TIFF, GIF ...",
        ) from error
    except _BROKEN as error:
        raise ImageUnreadable(f"{source} is a broken image: {_words(error)}.") from error


@cache
def _formats_at_hand() -> tuple[str, ...]:
    """Those of `FORMATS` that this build of Pillow reads."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _orientation(image: Image.Image, data: bytes) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or Pillow turns the image itself."""
    if image.format == "TIFF":
        return 1
    if image.format == "PNG" and b"eXIf" not in data:
        return 1  # asking Pillow would decode the whole file in search of one
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
    """The size with its longer side at most `max_side`, each side at least one pixel."""
    longer = max(size)
    if max_side is None or longer <= max_side:
        return size
    return max(1, round(size[0] * max_side / longer)), max(1, round(size[1] * max_side / longer))


def _words(error: BaseException) -> str:
    return str(error).split("\n")[0].rstrip(".") or type(error).__name__


def _what_else(data: bytes) -> str:
    """A guess at what came instead of an image."""
    start = data[:256].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return " but a web page, perhaps one that asks to sign in"
    return " but an SVG drawing" if b"<svg" in start else ""
