"""Create a dozen photos for the demo: photos from scikit-image, most of them with visible flaws.

Most have at most one flaw, so that you can judge the drafts quickly. Three have three flaws or more, most of them
local. The last one has a lens flare, which no criterion covers, and one is clean.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from review_copilot.domain.image import Pixels
from review_copilot.errors import LibraryError

SEED = 20


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photo of the demo.

    Attributes:
        name: File name.
        planted: Criterion labels of its flaws, separated by commas; empty for a clean photo.
        data: Content of the JPEG file.
    """

    name: str
    planted: str
    data: bytes


def photographs() -> Iterator[Photograph]:
    """The dozen photos, in a fixed order and with the same bytes each time.

    Raises:
        LibraryError: scikit-image is not installed.
    """
    for number, (base, planted, spoil, quality) in enumerate(_PLAN, start=1):
        buffer = io.BytesIO()
        Image.fromarray(spoil(_load(base))).save(buffer, "JPEG", quality=quality, subsampling=0)
        yield Photograph(f"photo-{number:02d}.jpg", planted, buffer.getvalue())


def _load(name: str) -> Pixels:
    try:
        from skimage import data  # noqa: PLC0415  # an extra; the error tells how to install it
    except ImportError as error:
        raise LibraryError(
            "The demo uses photos from scikit-image, which is not installed.",
            hint="Run: pip install 'label-studio-review-copilot[demo]'",
        ) from error
    if name == "motorcycle":
        return np.ascontiguousarray(data.stereo_motorcycle()[0][..., :3])  # type: ignore[no-untyped-call]  # scikit-image
    return np.ascontiguousarray(getattr(data, name)()[..., :3])


def _clean(pixels: Pixels) -> Pixels:
    return pixels


def _soft(pixels: Pixels) -> Pixels:
    return cv2.GaussianBlur(pixels, (0, 0), 3.2).astype(np.uint8)


def _shaken(pixels: Pixels) -> Pixels:
    """Motion blur of 21 px, 20 degrees below the horizontal."""
    kernel = np.zeros((21, 21), np.float32)
    kernel[10, :] = 1
    turned = cv2.warpAffine(kernel, cv2.getRotationMatrix2D((10, 10), -20, 1), (21, 21))
    return cv2.filter2D(pixels, -1, turned / turned.sum()).astype(np.uint8)


def _lit(stops: float) -> Callable[[Pixels], Pixels]:
    """Change the exposure by that many stops in linear light, as a camera does."""

    def spoil(pixels: Pixels) -> Pixels:
        linear = (pixels.astype(np.float32) / 255) ** 2.2 * 2.0**stops
        return _to_pixels(255 * np.clip(linear, 0, 1) ** (1 / 2.2))

    return spoil


def _noisy(pixels: Pixels) -> Pixels:
    grain = np.random.default_rng(SEED).normal(0, 24, pixels.shape)
    return _to_pixels(pixels + grain)


def _hazy(pixels: Pixels) -> Pixels:
    return _to_pixels(0.32 * pixels + 135)


def _letterboxed(pixels: Pixels) -> Pixels:
    bar = pixels.shape[0] // 8
    framed = pixels.copy()
    framed[:bar] = 0
    framed[-bar:] = 0
    return framed


def _stamped(pixels: Pixels) -> Pixels:
    """Add an orange date stamp at the lower right, as compact cameras do."""
    image = Image.fromarray(pixels)
    font = ImageFont.load_default(size=image.height // 14)
    place = (int(image.width * 0.62), int(image.height * 0.88))
    ImageDraw.Draw(image).text(place, "2004 08 17", fill=(255, 140, 20), font=font)
    return np.array(image, np.uint8)


def _scanned(pixels: Pixels) -> Pixels:
    """Add dark dust spots and a bright scratch, as on an old print."""
    height, width = pixels.shape[:2]
    dirty = pixels.copy()
    for x, y, radius in ((0.2, 0.25, 5), (0.75, 0.4, 6), (0.35, 0.7, 4)):
        cv2.circle(dirty, (int(x * width), int(y * height)), radius, (12, 10, 8), -1, cv2.LINE_AA)
    ends = ((int(0.55 * width), int(0.12 * height)), (int(0.6 * width), int(0.62 * height)))
    cv2.line(dirty, *ends, (250, 250, 245), 2, cv2.LINE_AA)
    return dirty


def _framed(spoil: Callable[[Pixels], Pixels]) -> Callable[[Pixels], Pixels]:
    """A dusty print with bars and a date stamp, and one more flaw."""
    return lambda pixels: _stamped(_letterboxed(spoil(_scanned(pixels))))


def _flared(pixels: Pixels) -> Pixels:
    """Add a row of pale discs, as a lens does toward the sun."""
    height, width = pixels.shape[:2]
    discs = np.zeros_like(pixels)
    for step, color in enumerate(((60, 90, 30), (30, 80, 90), (90, 40, 80), (80, 80, 30))):
        place = (int((0.12 + 0.09 * step) * width), int((0.66 + 0.05 * step) * height))
        cv2.circle(discs, place, 10 + 5 * step, color, -1, cv2.LINE_AA)
    return _to_pixels(pixels.astype(np.float32) + discs)


def _to_pixels(values: npt.NDArray[np.floating]) -> Pixels:
    rounded: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded


_PLAN: tuple[tuple[str, str, Callable[[Pixels], Pixels], int], ...] = (
    ("astronaut", "Out of focus", _soft, 95),
    ("coffee", "Over-exposed", _lit(2.1), 95),
    ("chelsea", "Noise", _noisy, 95),
    ("rocket", "Motion blur", _shaken, 95),
    ("motorcycle", "Under-exposed", _lit(-3.2), 95),
    ("coffee", "", _clean, 95),
    ("astronaut", "Compression artifacts", _clean, 6),
    ("chelsea", "Border or letterbox, Text or watermark overlay, Dust or scratch", _framed(_clean), 95),
    ("motorcycle", "Over-exposed, Border or letterbox, Text or watermark overlay", _framed(_lit(1.6)), 95),
    ("rocket", "Text or watermark overlay", _stamped, 95),
    ("coffee", "Low contrast or haze", _hazy, 95),
    ("astronaut", "Novel pattern", _flared, 95),
)
