"""Refuse JSON that is nested too deeply, while it is read. Knows no record.

The time that JSON readers take grows with the square of the depth, and some end the process.
"""

from __future__ import annotations

import re
from typing import BinaryIO

MAX_DEPTH = 200
"""Levels; an export of Label Studio has about ten."""

_REST = bytes(set(range(256)) - set(b'"[]{}'))
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_STRING = re.compile(rb'"[^"]*"')


class TooDeep(ValueError):
    """The JSON is nested deeper than `MAX_DEPTH`."""


class ShallowFile:
    """A binary file that raises `TooDeep` at the first level too many."""

    def __init__(self, file: BinaryIO) -> None:
        """Read from `file`."""
        self._file = file
        self._carried = b""
        self._depth = 0

    def read(self, size: int = -1) -> bytes:
        """The file's next bytes.

        Raises:
            TooDeep: They open too many levels.
        """
        data = self._file.read(size)
        self._count(data)
        return data

    def _count(self, data: bytes) -> None:
        """Follow the brackets outside of strings; an open string and half an escape are carried to the next bytes."""
        raw = self._carried + data
        half_escape = b"\\" if (len(raw) - len(raw.rstrip(b"\\"))) % 2 else b""
        if b"\\" in raw:
            raw = _ESCAPED.sub(b"", raw.removesuffix(half_escape) if half_escape else raw)
        marks = _STRING.sub(b"", raw.translate(None, _REST))
        brackets, quote, _ = marks.partition(b'"')
        self._carried = quote + half_escape
        opened = brackets.count(b"[") + brackets.count(b"{")
        if self._depth + opened > MAX_DEPTH:
            depth = self._depth
            for mark in brackets:
                depth += 1 if mark in b"[{" else -1
                if depth > MAX_DEPTH:
                    raise TooDeep
        self._depth += 2 * opened - len(brackets)
