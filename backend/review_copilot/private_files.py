"""Files that only their owner may read: the log, its backups, reports, cached answers. Knows no content."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TextIO, cast

PRIVATE = 0o600


def open_private(path: Path, mode: str = "w", *, newline: str | None = None) -> TextIO:
    """Open a text file for writing, in UTF-8, that nobody else can read from its first byte on.

    Args:
        path: Where; an existing file loses the rights of others.
        mode: "w" or "x".
        newline: As `open` takes it.
    """
    handle = _opener(str(path), os.O_WRONLY | os.O_CREAT | (os.O_EXCL if mode == "x" else os.O_TRUNC))
    return cast("TextIO", os.fdopen(handle, "w", encoding="utf-8", newline=newline))


def open_private_to_append(path: Path) -> TextIO:
    """Open a text file for appending, in UTF-8, that nobody else can read; see `open_private`."""
    return cast("TextIO", os.fdopen(_opener(str(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND), "a", encoding="utf-8"))


def keep_private(*paths: Path) -> None:
    """Take the rights of others from files that exist; files of another owner stay as they are."""
    for path in paths:
        with suppress(OSError):
            if stat.S_IMODE(path.stat().st_mode) & ~PRIVATE:
                path.chmod(PRIVATE)


def create_private(path: Path) -> None:
    """Create an empty file that only its owner may read, where there is none.

    Raises:
        OSError: It cannot be created.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))


def _opener(path: str, flags: int) -> int:
    handle = os.open(path, flags, PRIVATE)
    with suppress(OSError):
        os.fchmod(handle, PRIVATE)
    return handle
