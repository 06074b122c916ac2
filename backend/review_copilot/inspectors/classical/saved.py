"""What a JPEG file says of its own quality. Knows no pixels."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image, UnidentifiedImageError

# Luminance table of ITU-T T.81, annex K.1, in zigzag order as Pillow gives it back in natural order.
_EXAMPLE = np.array([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87,
    80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92,
    95, 98, 112, 100, 103, 99,
])  # fmt: skip


def saved_quality(data: bytes) -> int | None:
    """Quality 1..100 on the scale of the Independent JPEG Group; None when the bytes are no JPEG file.

    The sum of the table tells it whatever the order of its entries.
    """
    if data[:2] != b"\xff\xd8":
        return None
    try:
        with Image.open(io.BytesIO(data)) as image:
            tables = getattr(image, "quantization", {})
    except (UnidentifiedImageError, OSError, struct.error, SyntaxError):
        return None
    if not tables or len(tables.get(0, ())) != _EXAMPLE.size:
        return None
    scale = 100.0 * float(np.sum(tables[0])) / float(_EXAMPLE.sum())
    quality = 5000 / scale if scale > 100 else (200 - scale) / 2
    return int(np.clip(round(quality), 1, 100))
