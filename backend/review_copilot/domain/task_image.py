"""A task's picture, as far as telling it from others needs. Knows no pixels and no file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """What is kept of the picture of a task.

    Attributes:
        task_id: Which task of the project.
        sha256: Hash of the file, in hex.
        fingerprint: 16 hex digits that nearly the same pictures share but for a few bits; empty when the picture shows
            too little to be told from others.
    """

    task_id: int
    sha256: str
    fingerprint: str = ""
