"""Arrays as bytes and back, each in the narrowest type that holds it. Knows no disk and not what is counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from review_copilot.study.table import Ints

_WIDTHS = (np.int8, np.int16, np.int32, np.int64)
_LENGTH_BYTES = 8


def pack(words: object, arrays: Mapping[str, Ints]) -> bytes:
    """Words and named arrays as bytes.

    Args:
        words: Anything that JSON can hold.
        arrays: Whole numbers, which are narrowed, or floats and flags, which are not.
    """
    narrow = {name: _narrowed(array) for name, array in arrays.items()}
    shapes = [(name, array.dtype.str, array.shape) for name, array in narrow.items()]
    header = json.dumps([words, shapes], separators=(",", ":")).encode()
    return b"".join([len(header).to_bytes(_LENGTH_BYTES), header, *(a.tobytes() for a in narrow.values())])


def unpack(packed: bytes) -> tuple[Any, dict[str, Ints]]:
    """What `pack` was given; the arrays are views that cannot be written to."""
    at = _LENGTH_BYTES + int.from_bytes(packed[:_LENGTH_BYTES])
    words, shapes = json.loads(packed[_LENGTH_BYTES:at])
    arrays: dict[str, Ints] = {}
    for name, kind, shape in shapes:
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(packed, dtype=kind, count=count, offset=at).reshape(shape)
        at += arrays[name].nbytes
    return words, arrays


def _narrowed(array: Ints) -> Ints:
    if array.dtype.kind != "i" or not array.size:
        return array
    low, high = int(array.min()), int(array.max())
    fits = next(kind for kind in _WIDTHS if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return array.astype(fits)
