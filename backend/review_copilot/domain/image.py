"""An image that is ready for inspection. Knows no URL scheme and no codec."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

THUMBNAIL_PX = 64
"""Longer side of a thumbnail."""
FEATURE_PX = 1024
"""Longer side at which crops are measured, so that their features do not depend on the file's size."""

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""Upright RGB, shape (height_px, width_px, 3)."""


@dataclass(frozen=True, eq=False)
class ReviewImage:
    """One upright image with its file.

    Attributes:
        source: Where it came from, safe to print (no token, no signed query).
        data: The bytes of the file.
        sha256: Hash of `data` in hex.
        format: Pillow's name of the actual format, such as "JPEG" or "PNG", regardless of the file name.
        width_px: Width after EXIF orientation was applied.
        height_px: Height after EXIF orientation was applied.
        decode: Decodes to upright RGB. With a number, the result's longer side has at most that many pixels
            (and the decoder can use a faster method); with None, full size. Raises ImageError.
    """

    source: str
    data: bytes
    sha256: str
    format: str
    width_px: int
    height_px: int
    decode: Callable[[int | None], Pixels]

    @cached_property
    def pixels(self) -> Pixels:
        """The full image, decoded once. Read only."""
        pixels = self.decode(None)
        pixels.setflags(write=False)
        return pixels

    @cached_property
    def thumbnail(self) -> Pixels:
        """The image with at most `THUMBNAIL_PX` on its longer side. Read only.

        Raises:
            ImageError: The image could not be decoded.
        """
        return self.decode(THUMBNAIL_PX)

    @property
    def feature_pixels(self) -> Pixels:
        """The image with at most `FEATURE_PX` on its longer side, for measuring crops. Read only.

        Raises:
            ImageError: The image could not be decoded.
        """
        return self.decode(FEATURE_PX)
