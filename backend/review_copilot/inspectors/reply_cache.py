"""Where model answers are kept: in memory, or in a folder that outlives the process. Knows no model and no question."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

_KEY = re.compile(r"[a-z0-9-]{1,100}")


class MemoryReplyCache:
    """A reply cache that lasts as long as the process."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """What was kept under the key; None when nothing was."""
        return self._kept.get(key)

    def put(self, key: str, reply: str) -> None:
        """Keep an answer."""
        self._kept[key] = reply


class FolderReplyCache:
    """A reply cache of one file for each answer; several processes may share it.

    A file appears whole or not at all. Deleting the folder, or any file in it, is safe at any time.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made by the first answer.

        Args:
            folder: Where to keep answers.
        """
        self._folder = folder

    def get(self, key: str) -> str | None:
        """What was kept under the key; None when nothing was, or it cannot be read."""
        try:
            return self._path(key).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def put(self, key: str, reply: str) -> None:
        """Keep an answer; a full or read-only disk costs the next run a call and this one nothing."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(reply)
            Path(name).replace(path)
        except OSError:
            return

    def _path(self, key: str) -> Path:
        """The file of a key, in one of 256 folders; raises ValueError for a key that is no name of ours."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key")
        return self._folder / key[-2:] / f"{key}.json"
