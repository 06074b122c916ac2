"""Say where an image is without giving a secret away. Knows no way to fetch it."""

from __future__ import annotations

import re

LOCAL_FILES = "/data/local-files/"
"""Path under which Label Studio serves files of its disk; the file stands in the query."""


def printable(reference: str) -> str:
    """A reference that may be shown to anybody: no signature, no password, no inline data, at most 200 characters."""
    if reference[:5].lower() == "data:":
        return "the data URI"
    path, _, query = reference.partition("?")
    shown = re.sub(r"//[^/@]*@", "//", path)
    if path.endswith(LOCAL_FILES) and query.startswith("d="):
        shown = f"{path}?{query.partition('&')[0]}"
    return shown if len(shown) <= 200 else f"{shown[:197]}..."
