"""Values from the wire that databases can store. Knows no payload.

Both databases store 64-bit integers and refuse half a surrogate pair; PostgreSQL also refuses NUL in texts.
"""

from __future__ import annotations

import re

LARGEST_ID = 2**63 - 1

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"
"""Unicode's own sign for a character that cannot be shown."""


def whole_number(value: object) -> int:
    """An integer that fits 64 bits; 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if -LARGEST_ID <= value <= LARGEST_ID else 0


def clean(text: str) -> str:
    """The text with `REPLACEMENT` for each character that cannot be stored."""
    return _UNSTORABLE.sub(REPLACEMENT, text)
