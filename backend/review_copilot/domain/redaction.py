"""Describe an image's location without secrets. Does not load it."""

from __future__ import annotations

import re

LOCAL_FILES = "/data/local-files/"
"""Path under which Label Studio serves local files; the file is in the query."""


def printable(reference: str) -> str:
    """A reference that is safe to show: no signature, no password, no inline data, at most 200 characters."""
    if reference[:5].lower() == "data:":
        return "the data URI"
    path, _, query = reference.partition("?")
    shown = re.sub(r"//[^/@]*@", "//", path)
    if path.endswith(LOCAL_FILES) and query.startswith("d="):
        shown = f"{path}?{query.partition('&')[0]}"
    return shown if len(shown) <= 200 else f"{shown[:197]}..."
