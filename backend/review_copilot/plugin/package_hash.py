"""Compute the version of an inspector's code and weights. Knows no inspector."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

VERSION_FILE = "draft_version.json"
"""File of a package that keeps its draft version after changes that do not affect its drafts."""
_LEFT_OUT = ("__pycache__", VERSION_FILE)


@cache
def hash_of_package(package: str) -> str:
    """Hash of all files of a package and its subpackages, 12 hex digits.

    The path of each file within the package counts, and so does its content. Compiled Python files and
    `draft_version.json` do not count.
    """
    digest = hashlib.sha256()
    for path, content in sorted(_files(resources.files(package), prefix="")):
        digest.update(path.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:12]


@cache
def draft_version(package: str) -> str:
    """The version of a package's drafts, 12 hex digits.

    A change of any file results in a new version. `draft_version.json` in the package can declare that drafts are
    unchanged: while its `files` equals `hash_of_package`, its `version` applies. So moving a file changes no drafts.
    """
    files = hash_of_package(package)
    record = resources.files(package).joinpath(VERSION_FILE)
    if record.is_file():
        kept = json.loads(record.read_text(encoding="utf-8"))
        if kept["files"] == files:
            return str(kept["version"])
    return files


def _files(folder: Traversable, *, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.name in _LEFT_OUT or entry.name.endswith(".pyc"):
            continue
        if entry.is_dir():
            yield from _files(entry, prefix=f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
