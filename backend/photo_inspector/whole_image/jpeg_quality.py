"""What a JPEG file says of its own quality. Knows no pixels."""

from __future__ import annotations

import io
import struct

from PIL import Image, UnidentifiedImageError

_ENTRIES, _TOTAL = 64, 3688
"""Number of entries and sum of the example luminance table of ITU-T T.81, annex K.1."""


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
    if not tables or len(tables.get(0, ())) != _ENTRIES:
        return None
    scale = 100.0 * float(sum(tables[0])) / _TOTAL
    quality = 5000 / scale if scale > 100 else (200 - scale) / 2
    return min(100, max(1, round(quality)))
